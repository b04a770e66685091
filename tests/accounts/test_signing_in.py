"""Signing in and out, as people do it."""

from statistics import median
from time import perf_counter

import pytest
from sqlalchemy import select, text

from marketplace.accounts import passwords, rules
from marketplace.accounts.models import Membership, User, UserSession
from marketplace.core.actor import Audience
from marketplace.core.audit import AuditEntry
from tests.page import Page, Visitor, for_tests
from tests.personas import (
    PASSWORD,
    PERSONAS,
    PeopledSite,
    begin_session,
    reseller_called,
    sign_in,
    user_called,
)

WANDA = PERSONAS["wanda"].email


def enter(
    visitor: Visitor, email: str = WANDA, password: str = PASSWORD, *, status: int = 303, **more: str
) -> Page:
    return visitor.post("/sign-in", {"email": email, "password": password, **more}, status=status)


def cookie_of(page: Page) -> str:
    return next(
        value for value in page.response.headers.getlist("Set-Cookie") if value.startswith("marketplace=")
    )


@pytest.mark.parametrize(("persona", "home"), [("wanda", "/admin/"), ("rashid", "/"), ("carla", "/portal/")])
def test_everybody_arrives_at_their_own_home(site: PeopledSite, persona: str, home: str) -> None:
    answer = enter(site.visitor(), PERSONAS[persona].email)

    assert answer.response.location == home


def test_an_address_is_known_whatever_its_case(site: PeopledSite) -> None:
    enter(site.visitor(), f"  {WANDA.upper()} ")


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(site: PeopledSite) -> None:
    cookie = cookie_of(enter(site.visitor()))

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_over_https_the_cookie_is_for_https_alone(site: PeopledSite) -> None:
    site.app.config["SESSION_COOKIE_SECURE"] = site.settings.model_copy(
        update={"base_url": "https://market.example"}
    ).site_url.startswith("https:")

    answer = site.app.test_client().get("/sign-in", base_url="https://localhost")

    assert "Secure" in answer.headers["Set-Cookie"]


def test_only_the_hash_of_the_token_is_kept(site: PeopledSite) -> None:
    visitor = site.visitor()
    enter(visitor)
    with visitor.client.session_transaction() as cookie:
        token = cookie["_user_id"]

    with site.database.owner_transaction() as session:
        kept = session.scalars(select(UserSession.token_hash)).one()
        everything = session.scalar(text("SELECT string_agg(s::text, '') FROM user_session s"))

    assert kept == passwords.token_hash(token)
    assert token not in (everything or "")


def test_the_token_is_another_after_signing_in_again(site: PeopledSite) -> None:
    visitor = site.visitor()
    with visitor.client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
    enter(visitor)
    with visitor.client.session_transaction() as cookie:
        first = cookie["_user_id"]
        assert "planted" not in cookie
    visitor.post("/sign-out")
    enter(visitor)
    with visitor.client.session_transaction() as cookie:
        assert cookie["_user_id"] != first


@pytest.mark.parametrize("email", [WANDA, "nobody@nowhere.example"])
def test_unknown_and_wrong_get_the_same_answer(site: PeopledSite, email: str) -> None:
    page = enter(site.visitor(), email, "not the password", status=422)

    assert "do not go together" in page.main


@pytest.mark.usefixtures("hashes_as_served")
def test_unknown_and_wrong_take_the_same_time(site: PeopledSite) -> None:
    def seconds(email: str) -> float:
        times = []
        for number in range(4):
            visitor = site.visitor()
            token = visitor.token()
            began = perf_counter()
            visitor.client.post(
                "/sign-in", data={"email": email.format(number), "password": "not it", "csrf_token": token}
            )
            times.append(perf_counter() - began)
        return median(times)

    enter(site.visitor())  # makes the hash anew, with as much work as one that is made for nobody
    seconds("warm{}@up.example")
    known, unknown = seconds(WANDA), seconds("nobody{}@nowhere.example")

    assert 0.4 < known / unknown < 2.5


def test_a_deactivated_person_gets_the_same_answer_as_an_unknown_one(site: PeopledSite) -> None:
    with site.database.owner_transaction() as session:
        user_called(session, "wanda").is_active = False

    assert "do not go together" in enter(site.visitor(), status=422).main


def test_somebody_who_works_nowhere_is_told_after_the_right_password(site: PeopledSite) -> None:
    with site.database.owner_transaction() as session:
        session.execute(
            text("UPDATE membership SET ended_at = now() WHERE user_id = :id"),
            {"id": user_called(session, "wanda").id},
        )

    assert "not linked to any firm" in enter(site.visitor(), status=422).main


def test_guessing_is_locked_out_even_with_the_right_password_then(site: PeopledSite) -> None:
    visitor = site.visitor()
    for _ in range(rules.FREE_GUESSES):
        enter(visitor, password="a wrong guess", status=422)

    page = enter(visitor, status=429)

    assert "too many attempts" in page.main


def test_addresses_nobody_has_are_locked_out_alike(site: PeopledSite) -> None:
    visitor = site.visitor()
    for _ in range(rules.FREE_GUESSES):
        enter(visitor, "nobody@nowhere.example", "a wrong guess", status=422)

    enter(visitor, "nobody@nowhere.example", "a wrong guess", status=429)


def test_the_lock_out_is_kept_in_the_database_and_ends_by_itself(site: PeopledSite) -> None:
    for _ in range(rules.FREE_GUESSES):
        enter(site.visitor(), password="a wrong guess", status=422)
    enter(PeopledAgain(site).visitor(), status=429)  # another process knows

    with site.database.owner_transaction() as session:
        session.execute(text("UPDATE sign_in_attempt SET at = at - interval '2 minutes'"))

    enter(site.visitor())


def test_success_forgets_earlier_failures(site: PeopledSite) -> None:
    for _ in range(rules.FREE_GUESSES - 1):
        enter(site.visitor(), password="a wrong guess", status=422)
    enter(site.visitor())

    enter(site.visitor(), password="a wrong guess", status=422)
    enter(site.visitor())


def test_strangers_who_guess_elsewhere_do_not_keep_a_person_out_of_a_place_they_came_in_from(
    site: PeopledSite,
) -> None:
    at_the_office, elsewhere = site.visitor(), site.visitor()
    elsewhere.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    enter(at_the_office)
    for _ in range(rules.FREE_GUESSES):
        enter(elsewhere, password="a wrong guess", status=422)
    enter(elsewhere, password="a wrong guess", status=429)

    enter(site.visitor())
    enter(elsewhere, status=429)  # the right password from there still waits


def test_a_place_somebody_came_in_from_is_no_licence_to_guess(site: PeopledSite) -> None:
    enter(site.visitor())
    for _ in range(rules.FREE_GUESSES):
        enter(site.visitor(), password="a wrong guess", status=422)

    enter(site.visitor(), status=429)


def test_one_place_cannot_try_many_people(site: PeopledSite) -> None:
    for number in range(rules.FREE_GUESSES_OF_ADDRESS):
        enter(site.visitor(), f"person{number}@nowhere.example", "a guess", status=422)

    enter(site.visitor(), "another@nowhere.example", "a guess", status=429)


@pytest.mark.parametrize(
    "wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_one_is_never_led_to_another_site(site: PeopledSite, wanted: str) -> None:
    assert enter(site.visitor(), next=wanted).response.location == "/admin/"


def test_one_goes_on_to_where_one_wanted(site: PeopledSite) -> None:
    visitor = site.visitor()
    sent = visitor.get("/admin/imports?status=failed", status=302)
    page = visitor.get(sent.response.location)

    answer = enter(visitor, next=page.hidden("next"))

    assert answer.response.location == "/admin/imports?status=failed"


def test_signing_out_ends_the_stored_session(site: PeopledSite) -> None:
    visitor = site.visitor()
    token = sign_in(visitor.client, site.database, "wanda")

    visitor.post("/sign-out")

    other = site.visitor()
    with other.client.session_transaction() as cookie:
        cookie["_user_id"] = token
    assert other.get("/account/profile", status=302).response.location.startswith("/sign-in")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE user_session SET expires_at = now() - interval '1 second'",
        "UPDATE user_session SET last_seen_at = now() - interval '13 hours'",
        "UPDATE user_session SET revoked_at = now()",
        "UPDATE user_account SET is_active = false",
        "UPDATE membership SET ended_at = now()",
    ],
)
def test_a_session_ends(site: PeopledSite, change: str) -> None:
    browser = site.browser_of("wanda")
    browser.get("/account/profile")

    with site.database.owner_transaction() as session:
        session.execute(text(change))

    assert browser.get("/account/profile", status=302).response.location.startswith("/sign-in")


def test_being_used_keeps_a_session_alive(site: PeopledSite) -> None:
    browser = site.browser_of("wanda")
    with site.database.owner_transaction() as session:
        session.execute(text("UPDATE user_session SET last_seen_at = now() - interval '11 hours'"))

    browser.get("/account/profile")

    with site.database.owner_transaction() as session:
        assert session.scalar(text("SELECT now() - last_seen_at < interval '1 minute' FROM user_session"))


def test_one_sees_where_one_is_signed_in_and_ends_what_one_does_not_know(site: PeopledSite) -> None:
    stranger = site.browser_of("wanda")
    browser = site.browser_of("wanda")
    page = browser.get("/account/sessions")
    assert len(page.rows()) == 2
    assert "Firefox · Linux" in page.main

    action = next(
        form.get("action", "")
        for form in page.all("form")
        if "/revoke" in form.get("action", "") and "others" not in form.get("action", "")
    )
    browser.post(action)

    stranger.get("/account/profile", status=302)
    browser.get("/account/profile")


def test_one_signs_out_everywhere_else_at_once(site: PeopledSite) -> None:
    others = [site.browser_of("wanda") for _ in range(3)]
    browser = site.browser_of("wanda")

    browser.post("/account/sessions/revoke-others")

    for other in others:
        other.get("/account/profile", status=302)
    assert len(browser.get("/account/sessions").rows()) == 1


def test_somebody_with_two_firms_chooses_for_whom_to_act(site: PeopledSite) -> None:
    with site.database.owner_transaction() as session:
        session.add(
            Membership(
                user_id=user_called(session, "pavel").id,
                audience=Audience.RESELLER.value,
                reseller_id=reseller_called(session, "nord").id,
                role="sales",
            )
        )
    visitor = site.visitor()
    assert enter(visitor, PERSONAS["pavel"].email).response.location == "/account/firms"
    page = visitor.get("/account/firms")
    assert {row[0] for row in page.rows()} == {"Nord Cloud SARL", "Sud Cloud SARL"}

    action = next(form.get("action", "") for form in page.all("form") if "/choose" in form.get("action", ""))
    visitor.post(action)

    rows = {row[0]: row[3] for row in visitor.get("/account/firms").rows()}
    assert rows["Nord Cloud SARL"] != rows["Sud Cloud SARL"]
    other = site.browser_of("rosa")
    other.post(action, status=404)


def test_the_act_is_in_the_audit_trail(site: PeopledSite) -> None:
    enter(site.visitor(), PERSONAS["rashid"].email)

    with site.database.owner_transaction() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "session.begin")).one()
        assert (entry.name, entry.audience, entry.party_id) == (
            "Rashid",
            "reseller",
            reseller_called(session, "nord").id,
        )


@pytest.mark.usefixtures("hashes_as_served")
def test_an_old_hash_is_made_anew(site: PeopledSite) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with site.database.owner_transaction() as session:
        session.execute(
            text("UPDATE password SET hash = :hash WHERE user_id = :id"),
            {"hash": weak, "id": user_called(session, "wanda").id},
        )

    enter(site.visitor())

    with site.database.owner_transaction() as session:
        user = session.scalars(select(User).where(User.email == WANDA)).one()
        assert session.scalar(text("SELECT hash FROM password WHERE user_id = :id"), {"id": user.id}) != weak


def test_a_form_without_its_token_is_refused(site: PeopledSite) -> None:
    answer = site.app.test_client().post("/sign-in", data={"email": WANDA, "password": PASSWORD})

    assert answer.status_code == 400


def test_who_is_signed_in_is_not_asked_again(site: PeopledSite) -> None:
    assert site.browser_of("carla").get("/sign-in", status=302).response.location == "/portal/"


def PeopledAgain(site: PeopledSite) -> PeopledSite:  # noqa: N802 - reads as the class it stands for
    """Give a second process's application on the same database."""
    again = object.__new__(PeopledSite)
    again.settings, again.database, again.actors = site.settings, site.database, {}
    from marketplace.app import create_app

    again.app = for_tests(create_app(site.settings, site.database))
    return again


def test_a_session_of_the_store_is_enough(site: PeopledSite) -> None:
    token = begin_session(site.database, "rosa")
    client = site.app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token

    assert client.get("/account/profile").status_code == 200


def test_signing_in_between_does_not_let_one_guess_at_everybody(site: PeopledSite) -> None:
    guesser = PERSONAS["pavel"].email
    for number in range(rules.FREE_GUESSES_OF_ADDRESS):
        if number % 4 == 0:
            enter(site.visitor(), guesser)
        enter(site.visitor(), f"person{number}@nowhere.example", "a guess", status=422)

    enter(site.visitor(), guesser, status=429)


@pytest.mark.parametrize(("proxies", "is_believed"), [(0, False), (1, True)])
def test_the_visitors_address_is_the_one_the_nearest_proxies_saw(
    site: PeopledSite, proxies: int, is_believed: bool
) -> None:
    site.settings = site.settings.model_copy(update={"proxies": proxies})
    behind = PeopledAgain(site).visitor()

    behind.post(
        "/sign-in",
        {"email": WANDA, "password": "a guess"},
        status=422,
        headers={"X-Forwarded-For": "198.51.100.9, 203.0.113.7"},
    )

    with site.database.owner_transaction() as session:
        kept = session.scalar(text("SELECT ip FROM sign_in_attempt"))
    assert kept == ("203.0.113.7" if is_believed else "127.0.0.1")
