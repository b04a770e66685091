"""Whether a reseller may sell, who invoices on a day, what was agreed."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.audit import AuditEntry
from marketplace.core.cells import FaultyEntry
from marketplace.core.db import Database
from marketplace.core.errors import NotFound
from resellers.models import Agreement, Reseller
from resellers.operations import agreements, standing
from resellers.operations.standing import VendorAnswer
from resellers.queries.standing import (
    agreements_of_customer,
    billing_mode_of,
    credit_of,
    enrolments_of,
    open_agreement,
    selling_state,
)
from resellers.rules import standing as rules
from resellers.rules.standing import EnrolmentFacts, ModeFrom, billing_mode_on, selling_state_of
from resellers.words import BillingMode, EnrolmentStatus, Prerequisite, Programme, ResellerStatus
from tests.factories import make_customer, make_reseller
from tests.personas import actor_called, customer_called, make_personas, reseller_called

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
STAFF = Actor.system("Walter")
FACTS = {
    "programme": Programme.INDIRECT_RESELLER,
    "status": EnrolmentStatus.ACTIVE,
    "partner_id": "4847383",
    "is_known": True,
    "has_signed": True,
    "checked_at": NOW - timedelta(hours=3),
}
ACTIVE, SUSPENDED = ResellerStatus.ACTIVE, ResellerStatus.SUSPENDED


@pytest.mark.parametrize(
    ("status", "changed", "is_open", "said"),
    [
        (ACTIVE, {}, False, []),
        (SUSPENDED, {}, False, ["The reseller is “Suspended”."]),
        (ACTIVE, None, False, ["The reseller is not enrolled with this vendor."]),
        (ACTIVE, {}, True, ["An owner of the reseller has not accepted the current agreement yet."]),
        (
            ACTIVE,
            {"status": EnrolmentStatus.PENDING},
            False,
            ["Its enrolment with this vendor is “Pending”."],
        ),
        (ACTIVE, {"programme": Programme.ADVISOR}, False, [rules.AdvisorsSellNothing.sentence]),
        (ACTIVE, {"partner_id": ""}, False, ["It has no partner id on record."]),
        (
            ACTIVE,
            {"is_known": False, "has_signed": False},
            False,
            ["The vendor does not know the partner id 4847383."],
        ),
        (ACTIVE, {"has_signed": False}, False, ["It has not signed the vendor's partner agreement."]),
        (ACTIVE, {"is_known": None, "has_signed": None, "checked_at": None}, False, []),
    ],
)
def test_who_may_sell(
    status: ResellerStatus, changed: dict[str, object] | None, is_open: bool, said: list[str]
) -> None:
    enrolment = None if changed is None else EnrolmentFacts(**{**FACTS, **changed})  # type: ignore[arg-type]

    state = selling_state_of(
        status=status, enrolment=enrolment, has_open_agreement=is_open, asks_partner_id=True, now=NOW
    )

    assert [str(reason) for reason in state.reasons] == said
    assert state.may_sell is (said == [])


@pytest.mark.parametrize(
    ("checked", "needs_check"),
    [(None, True), (timedelta(hours=24), False), (timedelta(hours=24, seconds=1), True)],
)
def test_what_a_vendor_said_holds_for_a_day(checked: timedelta | None, needs_check: bool) -> None:
    at = None if checked is None else NOW - checked
    facts = EnrolmentFacts(**{**FACTS, "checked_at": at})  # type: ignore[arg-type]

    state = selling_state_of(
        status=ACTIVE, enrolment=facts, has_open_agreement=False, asks_partner_id=True, now=NOW
    )

    assert state.needs_check is needs_check


OF_RESELLER = [
    ModeFrom(BillingMode.AGENT, date(2026, 3, 1)),
    ModeFrom(BillingMode.MANDATE, date(2026, 6, 1)),
]
OF_CUSTOMER = [ModeFrom(BillingMode.DIRECT, date(2026, 4, 1)), ModeFrom(None, date(2026, 5, 1))]


@pytest.mark.parametrize(
    ("day", "of_reseller", "of_customer"),
    [
        (date(2026, 2, 28), BillingMode.RESALE, BillingMode.RESALE),
        (date(2026, 3, 1), BillingMode.AGENT, BillingMode.AGENT),
        (date(2026, 4, 1), BillingMode.AGENT, BillingMode.DIRECT),
        (date(2026, 4, 30), BillingMode.AGENT, BillingMode.DIRECT),
        (date(2026, 5, 1), BillingMode.AGENT, BillingMode.AGENT),
        (date(2026, 6, 1), BillingMode.MANDATE, BillingMode.MANDATE),
    ],
)
def test_who_invoices_on_a_day(day: date, of_reseller: BillingMode, of_customer: BillingMode) -> None:
    assert billing_mode_on(day, base=BillingMode.RESALE, of_reseller=OF_RESELLER) is of_reseller
    assert (
        billing_mode_on(day, base=BillingMode.RESALE, of_reseller=OF_RESELLER, of_customer=OF_CUSTOMER)
        is of_customer
    )


@pytest.mark.parametrize(
    ("now", "allowed"),
    [("active", {"suspended", "ended"}), ("suspended", {"active", "ended"}), ("ended", set())],
)
def test_which_status_follows_which(now: str, allowed: set[str]) -> None:
    for then in ResellerStatus:
        if then.value in allowed:
            rules.check_status_step(ResellerStatus(now), then)
        else:
            with pytest.raises(rules.WrongStatus):
                rules.check_status_step(ResellerStatus(now), then)


def test_a_suspension_is_kept_with_its_reason_and_stops_sales(session: Session) -> None:
    reseller = make_reseller(session, "nord")
    enrolment = standing.enrol(
        session,
        actor=STAFF,
        reseller_id=reseller.public_id,
        vendor="microsoft",
        programme=Programme.INDIRECT_RESELLER,
        partner_id="1",
    )
    activate(session, enrolment.public_id, Programme.INDIRECT_RESELLER, "1")
    assert selling_state(session, reseller.id, "microsoft", now=NOW).may_sell

    standing.change_status(
        session, actor=STAFF, reseller_id=reseller.public_id, status=SUSPENDED, reason="Unpaid since March"
    )
    session.flush()

    assert not selling_state(session, reseller.id, "microsoft", now=NOW).may_sell
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "reseller.change_status")).one()
    assert entry.reason == "Unpaid since March"


def activate(session: Session, enrolment_id: object, programme: Programme, partner_id: str) -> None:
    standing.change_enrolment(
        session,
        actor=STAFF,
        enrolment_id=enrolment_id,  # type: ignore[arg-type]
        programme=programme,
        status=EnrolmentStatus.ACTIVE,
        partner_id=partner_id,
    )
    session.flush()


def enrolled(session: Session, programme: Programme = Programme.INDIRECT_RESELLER) -> tuple[Reseller, object]:
    reseller = make_reseller(session)
    enrolment = standing.enrol(
        session,
        actor=STAFF,
        reseller_id=reseller.public_id,
        vendor="microsoft",
        programme=programme,
        partner_id="4847383",
    )
    return reseller, enrolment.public_id


def test_a_reseller_is_enrolled_once_a_vendor(session: Session) -> None:
    reseller, _ = enrolled(session)

    with pytest.raises(standing.AlreadyEnrolled):
        standing.enrol(
            session,
            actor=STAFF,
            reseller_id=reseller.public_id,
            vendor="microsoft",
            programme=Programme.DIRECT_PARTNER,
            partner_id="",
        )


def test_the_vendors_answer_is_kept_until_the_partner_id_changes(session: Session) -> None:
    reseller, enrolment_id = enrolled(session)
    activate(session, enrolment_id, Programme.INDIRECT_RESELLER, "4847383")
    answer = VendorAnswer(partner_id="4847383", known_as="Nord", is_known=True, has_signed=False)
    standing.record_answer(session, actor=STAFF, enrolment_id=enrolment_id, answer=answer, now=NOW)  # type: ignore[arg-type]
    session.flush()
    (row,) = enrolments_of(session, reseller, now=NOW)
    assert [str(one) for one in row.state.reasons] == ["It has not signed the vendor's partner agreement."]

    late = VendorAnswer(partner_id="999", known_as="Other", is_known=True, has_signed=True)
    standing.record_answer(session, actor=STAFF, enrolment_id=enrolment_id, answer=late, now=NOW)  # type: ignore[arg-type]
    assert row.enrolment.known_as == "Nord"

    activate(session, enrolment_id, Programme.INDIRECT_RESELLER, "5")
    assert (row.enrolment.is_known, row.enrolment.checked_at) == (None, None)
    assert selling_state(session, reseller.id, "microsoft", now=NOW).needs_check


def test_a_direct_partner_sells_once_everything_is_recorded(session: Session) -> None:
    _, enrolment_id = enrolled(session, Programme.DIRECT_PARTNER)

    with pytest.raises(rules.PrerequisitesMissing):
        activate(session, enrolment_id, Programme.DIRECT_PARTNER, "4847383")
    for kind in Prerequisite:
        standing.record_prerequisite(
            session,
            actor=STAFF,
            enrolment_id=enrolment_id,  # type: ignore[arg-type]
            kind=kind,
            met_on=date(2026, 1, 5),
        )
    session.flush()
    activate(session, enrolment_id, Programme.DIRECT_PARTNER, "4847383")


def test_an_advisor_is_history(session: Session) -> None:
    _, enrolment_id = enrolled(session, Programme.ADVISOR)

    with pytest.raises(rules.AdvisorsSellNothing):
        activate(session, enrolment_id, Programme.ADVISOR, "4847383")


def test_billing_modes_and_credit_are_a_resellers_or_its_customers(session: Session) -> None:
    reseller = make_reseller(session, "nord")
    customer = make_customer(session, "c1", reseller=reseller)
    stranger = make_customer(session, "c2")
    for reference, mode in (("", BillingMode.AGENT), ("c1", BillingMode.DIRECT)):
        standing.change_billing_mode(
            session,
            actor=STAFF,
            reseller_id=reseller.public_id,
            customer=reference,
            mode=mode,
            valid_from=date(2026, 3, 1),
        )
    standing.change_credit(
        session,
        actor=STAFF,
        reseller_id=reseller.public_id,
        customer="",
        credit_limit=Decimal("5000.50"),
        payment_days=45,
    )
    session.flush()

    day = date(2026, 3, 1)
    assert billing_mode_of(session, reseller_id=reseller.id, customer_id=None, day=day) is BillingMode.AGENT
    mode = billing_mode_of(session, reseller_id=reseller.id, customer_id=customer.id, day=day)
    assert mode is BillingMode.DIRECT
    assert credit_of(session, reseller_id=reseller.id).limit == Decimal("5000.50")
    assert credit_of(session, reseller_id=reseller.id, customer_id=customer.id).limit is None
    with pytest.raises(NotFound):
        standing.change_credit(
            session,
            actor=STAFF,
            reseller_id=reseller.public_id,
            customer=stranger.reference,
            credit_limit=None,
            payment_days=30,
        )
    with pytest.raises(standing.UnusableTerms):
        standing.change_credit(
            session,
            actor=STAFF,
            reseller_id=reseller.public_id,
            customer="",
            credit_limit=Decimal(-1),
            payment_days=30,
        )


def test_an_agreement_is_accepted_once_and_asked_for_anew_with_each_version(database: Database) -> None:
    with database.owner_transaction() as session:
        make_personas(session)
    rashid, fatou = actor_called(database, "rashid"), actor_called(database, "fatou")
    reseller_id = rashid.party_id or 0
    with database.transaction(STAFF) as session:
        first = publish(session, "1", NOW).public_id

    with database.transaction(rashid) as session:
        agreements.accept_agreement(session, actor=rashid, agreement_id=first, ip="127.0.0.1", now=NOW)
        assert open_agreement(session, reseller_id) is None
        with pytest.raises(agreements.NothingToAccept):
            agreements.accept_agreement(session, actor=rashid, agreement_id=first, ip="", now=NOW)
    with database.transaction(STAFF) as session:
        second = publish(session, "2", NOW + timedelta(days=1))
        with pytest.raises(agreements.VersionTaken):
            publish(session, "2", NOW)
    with database.transaction(fatou) as session:
        found = open_agreement(session, reseller_id)
        assert found is not None
        assert found.public_id == second.public_id
    assert Permission.RESELLER_FIRM_MANAGE not in fatou.permissions


def publish(session: Session, version: str, now: datetime) -> Agreement:
    return agreements.publish_agreement(
        session,
        actor=STAFF,
        version=version,
        title="Reseller terms",
        text="You sell what we sell, and pay for it.",
        now=now,
    )


ATTESTED = {"first_name": "Carla", "last_name": "Roux", "email": "carla@carla-works.example"}


def test_what_a_customer_accepted_is_recorded_by_its_own_reseller_alone(database: Database) -> None:
    with database.owner_transaction() as session:
        make_personas(session)
        carla = customer_called(session, "carla-works")
        nord = reseller_called(session, "nord")
    rosa, pavel = actor_called(database, "rosa"), actor_called(database, "pavel")
    today = date(2026, 3, 2)

    def attest(session: Session, actor: Actor, *, agreed_on: date = today, **cells: str) -> None:
        agreements.record_customer_agreement(
            session,
            actor=actor,
            customer_id=carla.public_id,
            vendor="microsoft",
            template="117a77b0-9360-443b-8795-c6dedc750cf9",
            cells={**ATTESTED, **cells},
            agreed_on=agreed_on,
            today=today,
        )

    with database.transaction(rosa) as session:
        attest(session, rosa)
        (recorded,) = agreements_of_customer(session, carla.id)
        assert (recorded.recorded_by, recorded.last_name) == ("Rosa", "Roux")
        with pytest.raises(FaultyEntry):
            attest(session, rosa, agreed_on=today + timedelta(days=1))
        with pytest.raises(FaultyEntry):
            attest(session, rosa, email="")
    with database.transaction(pavel) as session, pytest.raises(NotFound):
        attest(session, pavel)
    assert (nord.status, pavel.audience) == ("active", Audience.RESELLER)
