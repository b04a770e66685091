"""A customer without an account at the vendor gets one: asked for once, mapped, and its agreement put on record."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from catalog.words import ProductKind
from marketplace.accounts.models import Notification
from marketplace.core.actor import Actor
from marketplace.core.cells import FaultyEntry, Unusable
from marketplace.core.db import Database
from marketplace.core.errors import NotFound, NotPermitted
from marketplace.vendors.connector import Capability
from marketplace.vendors.customer_accounts.following import (
    NothingOnRecord,
    follow_account,
    send_agreement,
)
from marketplace.vendors.customer_accounts.opening import (
    HasAccount,
    MayNotSell,
    NothingToOpen,
    link_account,
    open_account,
)
from marketplace.vendors.customer_accounts.queries import CustomerAccounts, accounts_of
from marketplace.vendors.customer_accounts.rules import domain_of, suggested_domain
from marketplace.vendors.models import ProvisioningAttempt, ProvisioningRequest
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.provisioning.operations import AccountMissing, complete_by_hand
from marketplace.vendors.values import AddressRules, Purchase
from resellers.models import Customer, CustomerAgreement
from resellers.models.standing import Enrolment
from resellers.operations.mapping import AccountOfAnother
from resellers.words import EnrolmentStatus, Programme
from tests.factories import make_mapping
from tests.offer_factories import make_sku
from tests.personas import actor_called, customer_called, make_personas, reseller_called, user_called
from tests.vendors.asking import Desk
from tests.vendors.simulated import RESELLER, Simulator, firm, line

CELLS = {
    "domain": "carnac",
    "line": "1 rue des Alignements",
    "postal_code": "56340",
    "city": "Carnac",
    "first_name": "Camille",
    "last_name": "Le Bihan",
    "email": "camille@carnac.example",
    "phone": "0297000000",
}
TODAY = date(2025, 3, 10)
SYSTEM = Actor.system()


@dataclass
class Counter(Desk):
    """A desk at which a reseller asks for its customer's account, and a worker who takes everything up."""

    seller: Actor = SYSTEM
    customer_id: UUID = field(default_factory=uuid4)

    def opens(self, *, vendor: str = "microsoft", actor: Actor | None = None, **cells: str) -> int:
        """Ask for an account, as the screen does; give the request."""
        with self.database.transaction(actor or self.seller) as session:
            return open_account(
                session,
                actor=actor or self.seller,
                customer_id=self.customer_id,
                vendor=vendor,
                cells={**CELLS, **cells},
                rules=None,
                now=self.now,
            ).id

    def links(self, account: str, *, vendor: str = "microsoft") -> int:
        """Say which account the customer has."""
        with self.database.transaction(self.seller) as session:
            return link_account(
                session,
                actor=self.seller,
                customer_id=self.customer_id,
                vendor=vendor,
                account=account,
                now=self.now,
            ).id

    def work(self, request_id: int) -> None:
        """Take a request as far as it goes by itself, and what became of it in."""
        super().work(request_id)
        if self.request(request_id).state == "queued" and self.steps(request_id)[-1] == "check":
            super().work(request_id)
        self.follow(request_id)

    def follow(self, request_id: int) -> None:
        """Do what the job does that is told of every turn."""
        request = self.request(request_id)
        connector = self.connect(request.vendor)
        keeps = Capability.AGREEMENTS in connector.capabilities
        connector.close()
        with self.database.owner_transaction() as session:
            follow_account(
                session, actor=SYSTEM, request_id=request.public_id, keeps_agreements=keeps, now=self.now
            )

    def agrees(self) -> None:
        """Record that the customer accepted the vendor's terms."""
        with self.database.owner_transaction() as session:
            session.add(
                CustomerAgreement(
                    customer_id=self.customer(session).id,
                    vendor="microsoft",
                    template="117a77b0-9360-443b-8795-c6dedc750cf9",
                    first_name="Camille",
                    last_name="Le Bihan",
                    email="camille@carnac.example",
                    agreed_on=date(2025, 3, 1),
                    recorded_by="Rashid",
                )
            )

    def customer(self, session: Session) -> Customer:
        """Give the customer."""
        return session.scalars(select(Customer).where(Customer.public_id == self.customer_id)).one()

    def accounts(self) -> CustomerAccounts:
        """Give what the reseller sees of the customer's accounts."""
        with self.database.transaction(self.seller) as session:
            found = accounts_of(session, customer_id=self.customer(session).id, day=self.now.date())
            session.expunge_all()
            return found

    def requests(self, kind: str) -> list[ProvisioningRequest]:
        """Give the requests of a kind."""
        with self.database.owner_transaction() as session:
            return list(
                session.scalars(
                    select(ProvisioningRequest)
                    .where(ProvisioningRequest.kind == kind)
                    .order_by(ProvisioningRequest.id)
                )
            )

    def told(self, person: str = "rashid") -> list[str]:
        """Give the sentences under somebody's bell."""
        with self.database.owner_transaction() as session:
            user_id = user_called(session, person).id
            return [
                str(one.phrase)
                for one in session.scalars(
                    select(Notification).where(Notification.user_id == user_id).order_by(Notification.id)
                )
            ]


@pytest.fixture
def counter(database: Database, simulator: Simulator) -> Counter:
    """Nord sells Microsoft's, the backup house's and what needs no account; its Carla has no account anywhere."""
    with database.owner_transaction() as session:
        make_personas(session)
        for vendor in ("microsoft", "backup"):
            make_sku(session, vendor=vendor)
            session.add(
                Enrolment(
                    reseller_id=reseller_called(session, "nord").id,
                    vendor=vendor,
                    programme=Programme.INDIRECT_RESELLER.value,
                    status=EnrolmentStatus.ACTIVE.value,
                    partner_id=RESELLER,
                )
            )
        customer_id = customer_called(session, "carla-works").public_id
    return Counter(database, simulator, seller=actor_called(database, "rosa"), customer_id=customer_id)


class TestDomains:
    @pytest.mark.parametrize(
        ("text", "read"),
        [
            ("carnac", "carnac.onmicrosoft.com"),
            (" Carnac-2.onmicrosoft.com ", "carnac-2.onmicrosoft.com"),
            ("a" * 27, "a" * 27 + ".onmicrosoft.com"),
            ("7", "7.onmicrosoft.com"),
        ],
    )
    def test_the_first_part_is_enough(self, text: str, read: str) -> None:
        assert domain_of("microsoft", text) == read

    @pytest.mark.parametrize(
        "text", ["", "a" * 28, "carnac.fr", "carnac_2", "-carnac", "carnac-", "càrnac", "car nac"]
    )
    def test_what_the_vendor_would_refuse_is_refused_here(self, text: str) -> None:
        with pytest.raises(Unusable, match="1 to 27 letters"):
            domain_of("microsoft", text)

    def test_a_vendor_without_domains_is_asked_for_none(self) -> None:
        assert domain_of("backup", "whatever you like") == ""

    @pytest.mark.parametrize(
        ("name", "suggested"),
        [
            ("Belle-Île Informatique SARL", "belle-ile-informatique-sarl"),
            ("Société générale d’électricité", "societe-generale-delectrici"),
            ("12345678901234567890123456 Sàrl", "12345678901234567890123456"),
            ("株式会社", ""),
        ],
    )
    def test_one_is_made_of_the_firms_name(self, name: str, suggested: str) -> None:
        assert suggested_domain(name) == suggested


class TestOpening:
    def test_it_is_opened_mapped_and_the_agreement_put_on_record(
        self, counter: Counter, connector: PartnerCenter
    ) -> None:
        counter.agrees()

        counter.work(counter.opens())

        (kept,) = counter.accounts().kept
        found = connector.customer(kept.account)
        assert (found.name, found.domain) == ("Customer carla-works", "carnac.onmicrosoft.com")
        assert found.reseller_account == connector.resellers()[0].account
        assert (kept.vendor, kept.span.start, kept.span.end) == ("microsoft", TODAY, None)
        assert kept.agreement is not None
        counter.work(kept.agreement.id)
        assert [one.contact.email for one in connector.agreements(kept.account)] == ["camille@carnac.example"]
        assert counter.accounts().asked == []
        assert [one for one in counter.told() if "it can be ordered for" in one]

    def test_two_clicks_are_one_request_and_other_particulars_do_not_make_two(self, counter: Counter) -> None:
        first = counter.opens()

        assert counter.opens() == first
        assert counter.opens(domain="carnac-2") == first
        assert len(counter.requests("customer")) == 1

    def test_two_clicks_at_once_wait_for_each_other(self, counter: Counter) -> None:
        with ThreadPoolExecutor(max_workers=1) as other:
            with counter.database.transaction(counter.seller) as session:
                first = open_account(
                    session,
                    actor=counter.seller,
                    customer_id=counter.customer_id,
                    vendor="microsoft",
                    cells=CELLS,
                    rules=None,
                    now=counter.now,
                ).id
                second = other.submit(counter.opens, domain="carnac-2")
                waits_for_a_lock(counter.database)
            assert second.result() == first

    def test_following_again_maps_nothing_twice(self, counter: Counter) -> None:
        counter.agrees()
        request = counter.opens()
        counter.work(request)

        counter.follow(request)

        assert len(counter.accounts().kept) == len(counter.requests("attestation")) == 1
        assert len(counter.told()) == 1

    def test_what_the_vendor_refuses_is_shown_and_corrected(
        self, counter: Counter, connector: PartnerCenter
    ) -> None:
        connector.create_customer(firm("carnac.onmicrosoft.com"), key=counter.customer_id)
        counter.work(counter.opens())

        (failed,) = counter.accounts().asked
        assert failed.state == "failed"
        assert "carnac.onmicrosoft.com is not available" in str(failed.error)
        assert "is not available" in counter.told()[-1]
        assert counter.accounts().lacking == ["backup"]
        counter.work(counter.opens(domain="carnac-2"))
        assert [one.vendor for one in counter.accounts().kept] == ["microsoft"]

    def test_the_same_particulars_again_are_the_same_request_to_the_vendor(
        self, counter: Counter, simulator: Simulator
    ) -> None:
        simulator.disturb("refuse", path="/v1/customers", method="POST", code="999", words="Not now.")
        failed = counter.opens()
        counter.work(failed)
        assert counter.request(failed).state == "failed"

        assert counter.opens() == failed
        counter.work(failed)

        assert counter.request(failed).state == "done"
        assert simulator.overview()["customers"] == 1

    def test_a_reseller_that_is_not_ours_at_the_vendor_learns_what_to_do(
        self, counter: Counter, simulator: Simulator
    ) -> None:
        simulator.tell("resellers", partner_id=RESELLER, is_active=False)

        counter.work(counter.opens())

        (failed,) = counter.accounts().asked
        assert "have it accept our invitation" in str(failed.error)

    def test_the_vendors_word_on_the_reseller_comes_first(self, counter: Counter) -> None:
        request = counter.opens()

        counter.work(request)

        assert counter.steps(request) == ["check", "ask"]

    def test_every_field_that_cannot_be_used_is_named(self, counter: Counter) -> None:
        with pytest.raises(FaultyEntry) as caught:
            counter.opens(domain="carnac.fr", city="", email="camille")

        assert [row.column for row in caught.value.rows] == ["domain", "city", "email"]

    def test_an_address_is_judged_by_the_vendors_rules_where_it_gave_them(self, counter: Counter) -> None:
        with counter.database.transaction(counter.seller) as session, pytest.raises(FaultyEntry) as caught:
            open_account(
                session,
                actor=counter.seller,
                customer_id=counter.customer_id,
                vendor="microsoft",
                cells={**CELLS, "postal_code": "5634", "state": "56"},
                rules=FRANCE,
                now=counter.now,
            )

        assert [row.column for row in caught.value.rows] == ["postal_code"]

    def test_who_has_an_account_gets_no_second_one(self, counter: Counter) -> None:
        with counter.database.owner_transaction() as session:
            make_mapping(session, customer=counter.customer(session), account="tenant-7")

        with pytest.raises(HasAccount, match="tenant-7"):
            counter.opens()

    def test_who_may_not_sell_asks_for_none(self, counter: Counter) -> None:
        with counter.database.owner_transaction() as session:
            session.execute(update(Enrolment).values(status=EnrolmentStatus.ENDED.value))

        with pytest.raises(MayNotSell):
            counter.opens()

    def test_what_nobody_sells_or_comes_with_the_purchase_is_not_opened(self, counter: Counter) -> None:
        with counter.database.owner_transaction() as session:
            make_sku(session, vendor="gigabytes", kind=ProductKind.CONSUMPTION)

        for vendor in ("gigabytes", "nobody"):
            with pytest.raises(NothingToOpen):
                counter.opens(vendor=vendor)

    def test_only_whoever_keeps_the_customer_asks(self, counter: Counter) -> None:
        with pytest.raises(NotFound):
            counter.opens(actor=actor_called(counter.database, "pavel"))
        with pytest.raises(NotPermitted):
            counter.opens(actor=actor_called(counter.database, "carla"))
        counter.opens(actor=actor_called(counter.database, "walter"))


class TestOrderingRightAway:
    """Once an account is mapped it can be ordered for, though the vendor may not know of the agreement yet."""

    def orders(self, counter: Counter) -> int:
        """Open the account and order for it; give the purchase, which the worker takes up first."""
        counter.work(counter.opens())
        (kept,) = counter.accounts().kept
        asked = Purchase(kept.account, (line(),))
        return counter.ask(asked, account=kept.account, customer="carla-works", buys=True)

    def test_a_purchase_waits_for_the_agreement_on_its_way(self, counter: Counter) -> None:
        counter.agrees()
        purchase = self.orders(counter)

        counter.work(purchase)
        waiting = counter.request(purchase)
        counter.work(counter.requests("attestation")[0].id)
        counter.wait(seconds=20)
        counter.work(purchase)

        assert (waiting.state, waiting.error_code) == ("waiting", "")
        assert waiting.error is not None
        assert "agreement on record yet" in waiting.error
        assert waiting.next_attempt_at == datetime(2025, 3, 10, 9, 0, 5, tzinfo=UTC)
        assert counter.outcomes(purchase) == ["waiting", "done"]
        assert counter.simulator.overview()["orders"] == 1

    def test_a_vendor_that_was_told_and_does_not_know_it_yet_is_given_an_hour(self, counter: Counter) -> None:
        counter.agrees()
        purchase = self.orders(counter)
        counter.work(counter.requests("attestation")[0].id)
        unknown = {"path": "/carts", "code": "13605", "words": "No agreement.", "status": 403, "times": 2}
        counter.simulator.disturb("refuse", **unknown)

        counter.work(purchase)
        counter.wait(hours=1)
        counter.work(purchase)

        assert counter.outcomes(purchase) == ["waiting", "failed"]
        assert counter.request(purchase).error_code == "13605"

    def test_it_does_not_wait_for_what_the_vendor_refused(self, counter: Counter) -> None:
        counter.agrees()
        purchase = self.orders(counter)
        counter.work(purchase)
        counter.simulator.disturb("refuse", path="/agreements", code="999", words="No.", times=2)
        counter.work(counter.requests("attestation")[0].id)
        counter.wait(seconds=20)

        counter.work(purchase)

        assert counter.requests("attestation")[0].state == "failed"
        assert counter.outcomes(purchase) == ["waiting", "failed"]

    def test_without_an_agreement_here_there_is_nothing_to_wait_for(self, counter: Counter) -> None:
        purchase = self.orders(counter)

        counter.work(purchase)

        assert counter.outcomes(purchase) == ["failed"]
        assert "Record that the customer accepted" in str(counter.request(purchase).error)


class TestByHand:
    def completes(self, counter: Counter, request: int, account: str) -> None:
        walter = actor_called(counter.database, "walter")
        with counter.database.transaction(walter) as session:
            complete_by_hand(
                session,
                actor=walter,
                request_id=counter.public_id(request),
                order=account,
                references={},
                now=counter.now,
            )
        counter.follow(request)

    def test_staff_open_it_and_it_is_mapped_likewise(self, counter: Counter) -> None:
        counter.agrees()
        request = counter.opens(vendor="backup")
        counter.work(request)
        assert [one.state for one in counter.accounts().asked] == ["by_hand"]
        with pytest.raises(AccountMissing):
            self.completes(counter, request, " ")

        self.completes(counter, request, "vault-12")

        assert [(one.vendor, one.account) for one in counter.accounts().kept] == [("backup", "vault-12")]
        assert counter.requests("attestation") == []

    def test_an_account_of_another_customer_is_refused(self, counter: Counter) -> None:
        with counter.database.owner_transaction() as session:
            make_mapping(
                session,
                customer=customer_called(session, "stella-mills"),
                account="vault-12",
                vendor="backup",
            )
        request = counter.opens(vendor="backup")
        counter.work(request)

        with pytest.raises(AccountOfAnother):
            self.completes(counter, request, "vault-12")

    def test_staff_accept_an_account_the_vendor_knows_without_the_reseller(
        self, counter: Counter, connector: PartnerCenter
    ) -> None:
        theirs = connector.create_customer(replace(firm(), partner_id=""), key=counter.customer_id)
        request = counter.links(theirs.account)
        counter.work(request)
        (asked,) = counter.accounts().asked
        assert asked.state == "by_hand"
        assert "Conserverie de Carnac" in str(asked.error)

        self.completes(counter, request, theirs.account)

        assert [one.account for one in counter.accounts().kept] == [theirs.account]


class TestLinking:
    def test_what_the_vendor_confirms_is_mapped_at_once(
        self, counter: Counter, connector: PartnerCenter
    ) -> None:
        theirs = connector.create_customer(firm(), key=counter.customer_id)

        counter.work(counter.links(theirs.account.upper()))

        assert [one.account for one in counter.accounts().kept] == [theirs.account]

    def test_its_domain_is_enough_and_is_not_taken_for_one_that_begins_so(
        self, counter: Counter, connector: PartnerCenter
    ) -> None:
        connector.create_customer(firm("carnac.onmicrosoft.com"), key=uuid4())
        theirs = connector.create_customer(firm("carnac-2.onmicrosoft.com"), key=uuid4())

        counter.work(counter.links(" Carnac-2.OnMicrosoft.com"))

        assert [one.account for one in counter.accounts().kept] == [theirs.account]

    @pytest.mark.parametrize("domain", ["carnac.onmicrosoft.co", "carnac.fr"])
    def test_a_domain_of_nobody_fails_with_what_to_do(
        self, counter: Counter, connector: PartnerCenter, domain: str
    ) -> None:
        connector.create_customer(firm("carnac.onmicrosoft.com"), key=uuid4())

        counter.work(counter.links(domain))

        (failed,) = counter.accounts().asked
        assert failed.state == "failed"
        assert f"Customer with domain {domain} could not be found" in str(failed.error)
        assert counter.accounts().kept == []

    def test_staff_read_which_account_a_domain_is(self, counter: Counter, connector: PartnerCenter) -> None:
        theirs = connector.create_customer(replace(firm(), partner_id=""), key=uuid4())
        request = counter.links("carnac.onmicrosoft.com")

        counter.work(request)

        with counter.database.owner_transaction() as session:
            attempts = session.scalars(select(ProvisioningAttempt.received).order_by(ProvisioningAttempt.id))
            assert attempts.all()[-1]["account"] == theirs.account

    def test_an_account_the_vendor_does_not_know_fails_with_its_words(self, counter: Counter) -> None:
        counter.work(counter.links("no-such-tenant"))

        (failed,) = counter.accounts().asked
        assert failed.state == "failed"
        assert "no-such-tenant could not be found" in str(failed.error)

    def test_another_customers_account_is_for_staff_to_look_at(
        self, counter: Counter, connector: PartnerCenter
    ) -> None:
        theirs = connector.create_customer(firm(), key=counter.customer_id)
        with counter.database.owner_transaction() as session:
            make_mapping(session, customer=customer_called(session, "stella-mills"), account=theirs.account)

        counter.work(counter.links(theirs.account))

        assert counter.accounts().kept == []
        assert "another customer's" in counter.told("walter")[-1]
        assert "another customer" not in counter.told()[-1]


class TestAgreements:
    def test_one_that_is_recorded_later_is_sent_when_somebody_says_so(
        self, counter: Counter, connector: PartnerCenter
    ) -> None:
        counter.work(counter.opens())
        assert "Record that it accepted" in counter.told()[-1]
        with pytest.raises(NothingOnRecord):
            self.sends(counter)

        counter.agrees()
        counter.work(self.sends(counter))

        (kept,) = counter.accounts().kept
        assert len(connector.agreements(kept.account)) == 1
        assert kept.agreement is not None
        assert kept.agreement.state == "done"

    def test_what_failed_is_tried_again(self, counter: Counter, simulator: Simulator) -> None:
        counter.agrees()
        counter.work(counter.opens())
        (sent,) = counter.requests("attestation")
        simulator.disturb("refuse", path="/agreements", code="999", words="Not this one.")
        counter.work(sent.id)
        (kept,) = counter.accounts().kept
        assert kept.agreement is not None
        assert "Not this one." in str(kept.agreement.error)

        assert self.sends(counter) == sent.id
        counter.work(sent.id)

        assert counter.request(sent.id).state == "done"

    def sends(self, counter: Counter) -> int:
        with counter.database.transaction(counter.seller) as session:
            return send_agreement(
                session,
                actor=counter.seller,
                customer_id=counter.customer_id,
                vendor="microsoft",
                now=counter.now,
            ).id


def waits_for_a_lock(database: Database) -> None:
    """Return once somebody stands behind a row that this test holds."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(2000):
        with database.owner_transaction() as session:
            if session.scalar(waiting):
                return
    pytest.fail("nobody waits")


FRANCE = AddressRules(
    country="FR",
    needs_state=False,
    states=(),
    needs_postal_code=True,
    postal_code_pattern=r"^\d{5}$",
    needs_city=True,
    vat_pattern="",
    phone_pattern="",
    language="fr",
    culture="fr-FR",
)
