"""Inviting people, changing what they may do, and taking access away: at once, and for all to read."""

from uuid import UUID

import pytest
from sqlalchemy import select

from marketplace.accounts import rules
from marketplace.accounts.models import Membership, PasswordReset
from marketplace.core.audit import AuditEntry
from tests.accounts.mail import mails_to, path_mailed_to
from tests.page import Page, Visitor
from tests.personas import (
    PERSONAS,
    PeopledSite,
    customer_called,
    reseller_called,
    user_called,
)

NEW = "nine herons under Bordeaux"
LEA = "lea@nord.example"


def invite(browser: Visitor, path: str = "/users/invite", *, status: int = 303, **form: str) -> Page:
    filled = {"email": LEA, "name": "Léa", "role": "finance", **form}
    return browser.post(path, filled, status=status)


def membership_of(site: PeopledSite, persona: str) -> UUID:
    with site.database.owner_transaction() as session:
        user = user_called(session, persona)
        return session.scalars(select(Membership.public_id).where(Membership.user_id == user.id)).one()


def acts(site: PeopledSite, like: str) -> list[AuditEntry]:
    with site.database.owner_transaction() as session:
        return list(
            session.scalars(select(AuditEntry).where(AuditEntry.action.like(like)).order_by(AuditEntry.id))
        )


def test_who_is_invited_chooses_a_password_and_works_there(site: PeopledSite) -> None:
    invite(site.browser_of("rashid"))
    visitor = site.visitor()

    answer = visitor.post(path_mailed_to(site.database, LEA), {"password": NEW, "again": NEW})

    assert answer.response.location == "/"
    visitor.get("/owed")
    visitor.get("/users", status=403)


def test_an_invitation_ends_after_a_week(site: PeopledSite) -> None:
    invite(site.browser_of("rashid"))

    with site.database.owner_transaction() as session:
        link = session.scalars(select(PasswordReset)).one()
        assert link.expires_at - link.created_at == rules.INVITATION_LIFE
        link.expires_at = link.created_at
    site.visitor().get(path_mailed_to(site.database, LEA), status=404)


def test_somebody_known_elsewhere_keeps_the_password_and_gets_no_link_to_another(site: PeopledSite) -> None:
    invite(site.browser_of("rashid"), email=PERSONAS["pavel"].email, name="Somebody")

    assert path_mailed_to(site.database, PERSONAS["pavel"].email) == "/sign-in"
    with site.database.owner_transaction() as session:
        assert user_called(session, "pavel").name == "Pavel"


@pytest.mark.parametrize(
    ("persona", "path", "role"),
    [
        ("rashid", "/users/invite", "administrator"),
        ("rashid", "/users/invite", "viewer"),
        ("carla", "/portal/users/invite", "finance"),
        ("walter", "/admin/users/invite", "owner"),
    ],
)
def test_a_role_of_another_audience_cannot_be_given(
    site: PeopledSite, persona: str, path: str, role: str
) -> None:
    invite(site.browser_of(persona), path, role=role, status=422)

    assert mails_to(site.database, LEA) == []


@pytest.mark.parametrize("persona", ["rosa", "fatou"])
def test_who_does_not_manage_people_invites_nobody(site: PeopledSite, persona: str) -> None:
    invite(site.browser_of(persona), status=403)


def test_staff_invite_to_any_firm(site: PeopledSite) -> None:
    with site.database.owner_transaction() as session:
        sud = reseller_called(session, "sud").public_id
        stella = customer_called(session, "stella-mills").public_id
    walter = site.browser_of("walter")

    invite(walter, f"/admin/resellers/{sud}/invite", email="a@sud.example", role="sales")
    invite(walter, f"/admin/customers/{stella}/invite", email="b@stella.example", role="viewer")

    assert {row[1] for row in site.browser_of("pavel").get("/users").rows()} >= {"a@sud.example"}
    assert {row[1] for row in site.browser_of("stella").get("/portal/users").rows()} >= {"b@stella.example"}


def test_somebody_who_works_there_is_not_invited_twice(site: PeopledSite) -> None:
    page = invite(site.browser_of("rashid"), email=PERSONAS["rosa"].email, status=422)

    assert "works here already" in page.main


def test_a_new_role_holds_from_the_next_page_on(site: PeopledSite) -> None:
    fatou = site.browser_of("fatou")
    fatou.get("/owed")

    site.browser_of("rashid").post(f"/users/{membership_of(site, 'fatou')}/role", {"role": "sales"})

    fatou.get("/owed", status=403)
    fatou.get("/customers")


def test_ended_access_ends_at_once_and_can_be_given_back(site: PeopledSite) -> None:
    fatou, rashid = site.browser_of("fatou"), site.browser_of("rashid")
    membership = membership_of(site, "fatou")

    rashid.post(f"/users/{membership}/end")
    fatou.get("/owed", status=302)
    rashid.post(f"/users/{membership}/restore")

    site.browser_of("fatou").get("/owed")
    fatou.get("/owed", status=302)  # the old session stays ended


def test_a_deactivated_account_is_shut_everywhere_at_once(site: PeopledSite) -> None:
    rashid = site.browser_of("rashid")

    site.browser_of("walter").post(f"/admin/users/{membership_of(site, 'rashid')}/deactivate")

    rashid.get("/", status=302)
    site.browser_of("rashid").get("/account/profile", status=302)


@pytest.mark.parametrize("act", ["role", "end"])
def test_nobody_takes_away_their_own_access(site: PeopledSite, act: str) -> None:
    rashid, browser = membership_of(site, "rashid"), site.browser_of("rashid")

    browser.post(f"/users/{rashid}/{act}", {"role": "sales"}, status=422)

    assert acts(site, "membership.%") == []
    browser.get("/users/invite")


def test_the_last_owner_cannot_be_taken_away_by_a_colleague(site: PeopledSite) -> None:
    rashid = site.browser_of("rashid")
    rashid.post(f"/users/{membership_of(site, 'rosa')}/role", {"role": "owner"})
    rosa = site.browser_of("rosa")
    rosa.post(f"/users/{membership_of(site, 'rashid')}/end")

    walter = site.browser_of("walter")
    page = walter.post(f"/admin/users/{membership_of(site, 'walter')}/deactivate", status=422)

    assert "your own access" in page.main
    rosa.post(f"/users/{membership_of(site, 'rosa')}/end", status=422)


def test_what_changed_is_in_the_audit_trail_before_and_after(site: PeopledSite) -> None:
    rashid = site.browser_of("rashid")

    rashid.post(f"/users/{membership_of(site, 'fatou')}/role", {"role": "sales"})

    entry = acts(site, "membership.change_role")[0]
    assert (entry.name, entry.before, entry.after) == (
        "Rashid",
        {"email": "fatou@nord.example", "role": "finance"},
        {"email": "fatou@nord.example", "role": "sales"},
    )
    assert "Changed a role" in rashid.get("/audit").main
    assert "Changed a role" not in site.browser_of("pavel").get("/audit").main


def test_choosing_a_firm_and_signing_out_are_in_the_audit_trail(site: PeopledSite) -> None:
    pavel = PERSONAS["pavel"].email
    invite(site.browser_of("rashid"), email=pavel, role="sales")
    browser = site.browser_of("pavel")
    page = browser.get("/account/firms")
    action = next(form.get("action", "") for form in page.all("form") if "/choose" in form.get("action", ""))

    browser.post(action)
    browser.post("/sign-out")

    with site.database.owner_transaction() as session:
        nord = reseller_called(session, "nord").id
    assert [(entry.action, entry.name, entry.party_id) for entry in acts(site, "session.%")] == [
        ("session.choose_firm", "Pavel", nord),
        ("session.end", "Pavel", nord),
    ]
