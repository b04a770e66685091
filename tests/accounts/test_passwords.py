"""Forgetting a password, choosing one by a mailed link, and changing it."""

from pathlib import Path
from time import perf_counter

import pytest
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from marketplace.accounts import passwords, rules
from marketplace.accounts.jobs import send_mails
from marketplace.accounts.models import OutgoingMail, PasswordReset, SignInAttempt
from marketplace.core.audit import AuditEntry
from tests.accounts.mail import mails_to, path_mailed_to
from tests.page import Page, Visitor
from tests.personas import PASSWORD, PERSONAS, PeopledSite, sign_in, user_called

WANDA = PERSONAS["wanda"].email
NEW = "nine herons under Bordeaux"
NOBODY = "nobody@nowhere.example"


def ask(site: PeopledSite, email: str = WANDA) -> Page:
    return site.visitor().post("/forgotten-password", {"email": email}, status=200)


def link_for(site: PeopledSite, email: str = WANDA) -> str:
    ask(site, email)
    return path_mailed_to(site.database, email)


def choose(visitor: Visitor, link: str, password: str = NEW, *, status: int = 303) -> Page:
    return visitor.post(link, {"password": password, "again": password}, status=status)


def enter(visitor: Visitor, password: str, *, status: int = 303) -> Page:
    return visitor.post("/sign-in", {"email": WANDA, "password": password}, status=status)


def test_by_the_link_one_chooses_a_new_password_and_is_signed_in(site: PeopledSite) -> None:
    link = link_for(site)
    visitor = site.visitor()
    assert WANDA in visitor.get(link).main

    answer = choose(visitor, link)

    assert answer.response.location == "/admin/"
    visitor.get("/account/profile")
    enter(site.visitor(), PASSWORD, status=422)
    enter(site.visitor(), NEW)


def test_a_link_works_once(site: PeopledSite) -> None:
    link = link_for(site)
    choose(site.visitor(), link)

    site.visitor().get(link, status=404)
    page = choose(site.visitor(), link, "another eleven swans", status=404)

    assert "cannot be used any more" in page.main
    enter(site.visitor(), NEW)


def test_a_link_ends_after_an_hour(site: PeopledSite) -> None:
    link = link_for(site)
    with site.database.owner_transaction() as session:
        reset = session.scalars(select(PasswordReset)).one()
        assert reset.expires_at - reset.created_at == rules.RESET_LIFE
        reset.expires_at = reset.created_at

    choose(site.visitor(), link, status=404)


def test_older_links_end_with_the_one_that_was_used(site: PeopledSite) -> None:
    older, newer = link_for(site), link_for(site)
    choose(site.visitor(), newer)

    choose(site.visitor(), older, "another eleven swans", status=404)


def test_a_link_that_was_never_given_out_is_refused(site: PeopledSite) -> None:
    choose(site.visitor(), f"/set-password/{passwords.new_token()}", status=404)


def test_every_session_ends_with_the_old_password(site: PeopledSite) -> None:
    thief = site.browser_of("wanda")
    choose(site.visitor(), link_for(site))

    thief.get("/account/profile", status=302)


def test_a_weak_password_is_refused_and_the_link_still_works(site: PeopledSite) -> None:
    link = link_for(site)

    page = choose(site.visitor(), link, "passwordpassword", status=422)

    assert "first that guessers try" in page.main
    choose(site.visitor(), link)


def test_a_new_password_ends_a_lock_out(site: PeopledSite) -> None:
    for _ in range(rules.FREE_GUESSES):
        enter(site.visitor(), "a wrong guess", status=422)
    enter(site.visitor(), PASSWORD, status=429)

    choose(site.visitor(), link_for(site))

    enter(site.visitor(), NEW)


def test_somebody_and_nobody_get_the_same_answer(site: PeopledSite) -> None:
    somebody, nobody = ask(site, WANDA), ask(site, NOBODY)

    assert somebody.main.replace(WANDA, "X") == nobody.main.replace(NOBODY, "X")
    assert len(mails_to(site.database, WANDA)) == 1
    assert mails_to(site.database, NOBODY) == []


def test_somebody_and_nobody_wait_as_long(site: PeopledSite) -> None:
    def seconds(email: str) -> float:
        visitor = site.visitor()
        token = visitor.token()
        began = perf_counter()
        visitor.client.post("/forgotten-password", data={"email": email, "csrf_token": token})
        return perf_counter() - began

    assert min(seconds(NOBODY), seconds(WANDA)) >= 0.25


@pytest.mark.parametrize(
    "change",
    ["UPDATE user_account SET is_active = false", "UPDATE membership SET ended_at = now()"],
)
def test_who_cannot_sign_in_is_mailed_nothing(site: PeopledSite, change: str) -> None:
    with site.database.owner_transaction() as session:
        session.execute(text(change))

    ask(site)

    assert mails_to(site.database, WANDA) == []


def test_a_link_of_somebody_deactivated_since_is_refused(site: PeopledSite) -> None:
    link = link_for(site)
    with site.database.owner_transaction() as session:
        user_called(session, "wanda").is_active = False

    choose(site.visitor(), link, status=404)


def test_three_mails_an_hour_are_enough(site: PeopledSite) -> None:
    for _ in range(rules.RESETS_PER_HOUR + 1):
        ask(site)

    assert len(mails_to(site.database, WANDA)) == rules.RESETS_PER_HOUR


def test_one_place_cannot_ask_for_everybody(site: PeopledSite) -> None:
    with site.database.owner_transaction() as session:
        for number in range(rules.RESETS_OF_ADDRESS_PER_HOUR):
            session.add(
                SignInAttempt(
                    at=session.scalar(select(func.now())), kind="reset", email=f"{number}@x", ip="127.0.0.1"
                )
            )

    ask(site)

    assert mails_to(site.database, WANDA) == []


def test_the_link_leads_to_our_own_name_whatever_the_request_says(site: PeopledSite) -> None:
    visitor = site.visitor()

    visitor.post(
        "/forgotten-password", {"email": WANDA}, status=200, headers={"X-Forwarded-Host": "evil.example"}
    )

    assert mails_to(site.database, WANDA)[0].link.startswith(f"{site.settings.site_url}/set-password/")


def test_only_the_hash_of_a_link_is_kept_once_the_mail_has_gone(site: PeopledSite) -> None:
    token = link_for(site).rpartition("/")[2]

    send_mails(site.database, site.settings)

    with site.database.owner_transaction() as session:
        kept = session.scalar(
            text(
                "SELECT concat((SELECT string_agg(m::text, '') FROM outgoing_mail m), "
                "(SELECT string_agg(r::text, '') FROM password_reset r))"
            )
        )
        assert session.scalar(select(OutgoingMail.sent_at)) is not None
    written = "".join(file.read_text() for file in Path(site.settings.mail).iterdir())
    assert token in written.replace("=\n", "")
    assert token not in kept
    assert passwords.token_hash(token) in kept


def test_the_log_never_names_a_link(site: PeopledSite) -> None:
    link = link_for(site)

    with capture_logs() as lines:
        site.visitor().get(link)

    assert any(line.get("endpoint") == "sign_in.choose_password" for line in lines)
    assert link.rpartition("/")[2] not in str(lines)


def test_a_dead_link_signs_nobody_out(site: PeopledSite) -> None:
    browser = site.browser_of("wanda")

    browser.get(f"/set-password/{passwords.new_token()}", status=404)

    browser.get("/account/profile")


def test_one_changes_ones_own_password_and_stays_signed_in_here_alone(site: PeopledSite) -> None:
    other, browser = site.browser_of("wanda"), site.browser_of("wanda")

    browser.post("/account/password", {"present": PASSWORD, "password": NEW, "again": NEW})

    browser.get("/account/profile")
    other.get("/account/profile", status=302)
    enter(site.visitor(), NEW)


def test_a_wrong_present_password_counts_as_a_guess(site: PeopledSite) -> None:
    browser = site.browser_of("wanda")
    guess = {"present": "a wrong guess", "password": NEW, "again": NEW}
    for _ in range(rules.FREE_GUESSES):
        browser.post("/account/password", guess, status=422)

    page = browser.post("/account/password", {**guess, "present": PASSWORD}, status=422)

    assert "too many attempts" in page.main
    enter(site.visitor(), PASSWORD, status=429)


def test_choosing_and_changing_are_in_the_audit_trail(site: PeopledSite) -> None:
    visitor = site.visitor()
    choose(visitor, link_for(site))
    sign_in(visitor.client, site.database, "wanda")
    visitor.post("/account/password", {"present": NEW, "password": PASSWORD, "again": PASSWORD})

    with site.database.owner_transaction() as session:
        acts = session.scalars(
            select(AuditEntry.action).where(AuditEntry.action.like("password.%")).order_by(AuditEntry.id)
        ).all()
    assert list(acts) == ["password.reset", "password.change"]
