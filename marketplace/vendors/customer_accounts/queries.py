"""What a customer has at vendors, what is on its way, and where it could have something."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Product
from marketplace.core.period import DateRange
from marketplace.vendors.commitments import rulebook
from marketplace.vendors.customer_accounts.rules import DOMAINS, suggested_domain
from marketplace.vendors.models import ProvisioningRequest
from marketplace.vendors.provisioning.requests import RequestKind, asked_from_data, result_from_data
from marketplace.vendors.provisioning.rules import RequestState
from marketplace.vendors.values import KnownAccount, NewCustomer
from resellers.models import AccountMapping, Customer, CustomerAgreement, VendorAccount
from resellers.queries.standing import agreements_of_customer

#: Requests that lead to an account.
OF_ACCOUNTS = (RequestKind.CUSTOMER.value, RequestKind.ACCOUNT.value)


@dataclass(frozen=True)
class KeptAccount:
    """An account that is or was a customer's, and what became of its agreement there."""

    vendor: str
    account: str
    span: DateRange
    # None: nobody asked the vendor to keep it.
    agreement: ProvisioningRequest | None


@dataclass(frozen=True)
class CustomerAccounts:
    """A customer's accounts, those asked for, and the vendors it could have one at."""

    kept: Sequence[KeptAccount]
    asked: Sequence[ProvisioningRequest]
    lacking: Sequence[str]
    # The vendors whose terms our books say it accepted.
    agreed: frozenset[str]

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to list."""
        return not self.kept and not self.asked


@dataclass(frozen=True)
class MissingAccount:
    """A vendor whose things cannot be ordered for a customer yet, and the account asked for there, if one was."""

    vendor: str
    request: ProvisioningRequest | None

    @property
    def is_on_its_way(self) -> bool:
        """Whether to wait is all there is to do."""
        return self.request is not None and self.request.state != RequestState.FAILED


def missing_accounts(
    session: Session, *, customer_id: int, vendors: Collection[str], day: date
) -> list[MissingAccount]:
    """Give the vendors among these that the customer has no account at."""
    if not vendors:
        return []
    found = accounts_of(session, customer_id=customer_id, day=day)
    has = {one.vendor for one in found.kept if day in one.span}
    asked = {one.vendor: one for one in found.asked}
    return [MissingAccount(vendor, asked.get(vendor)) for vendor in sorted(vendors) if vendor not in has]


def accounts_of(session: Session, *, customer_id: int, day: date) -> CustomerAccounts:
    """Give everything about a customer's accounts, in four queries. What may be seen of it, row-level security says."""
    mappings = session.execute(
        select(
            VendorAccount.vendor, VendorAccount.account, AccountMapping.valid_from, AccountMapping.valid_until
        )
        .join(VendorAccount, VendorAccount.id == AccountMapping.vendor_account_id)
        .where(AccountMapping.customer_id == customer_id)
        .order_by(VendorAccount.vendor, VendorAccount.account, AccountMapping.valid_from.nulls_first())
    ).all()
    requests = session.scalars(
        select(ProvisioningRequest)
        .where(
            ProvisioningRequest.customer_id == customer_id,
            ProvisioningRequest.kind.in_((*OF_ACCOUNTS, RequestKind.ATTESTATION.value)),
        )
        .order_by(ProvisioningRequest.id)
    ).all()
    # The latest of each.
    agreements = {(one.vendor, one.account): one for one in requests if one.kind == RequestKind.ATTESTATION}
    kept = [
        KeptAccount(vendor, account, DateRange(since, until), agreements.get((vendor, account)))
        for vendor, account, since, until in mappings
    ]
    has = {one.vendor for one in kept if day in one.span}
    latest = {one.vendor: one for one in requests if one.kind in OF_ACCOUNTS}
    mapped = {(one.vendor, one.account) for one in kept}
    asked = [
        one for one in latest.values() if one.vendor not in has and (one.vendor, _became(one)) not in mapped
    ]
    # What failed is corrected where it stands.
    listed = {one.vendor for one in asked if one.state != RequestState.DONE}
    lacking = [one for one in vendors_with_accounts(session, day=day) if one not in has | listed]
    agreed = session.scalars(
        select(CustomerAgreement.vendor).where(CustomerAgreement.customer_id == customer_id).distinct()
    )
    return CustomerAccounts(kept, asked, lacking, frozenset(agreed))


def _became(request: ProvisioningRequest) -> str:
    result = result_from_data(request.result)
    return result.reference if result else ""


def vendors_with_accounts(session: Session, *, day: date) -> list[str]:
    """Give the vendors of which something is on sale that is ordered into an account the customer has before."""
    sold = session.execute(
        select(Product.vendor, Product.kind).where(Product.is_listed).distinct().order_by(Product.vendor)
    )
    return list(
        dict.fromkeys(
            vendor for vendor, kind in sold if not rulebook(vendor).on(day, kind).account_comes_with_purchase
        )
    )


def needs_account(session: Session, vendor: str, *, day: date) -> bool:
    """Whether a vendor's accounts are opened before anything is ordered."""
    return vendor in vendors_with_accounts(session, day=day)


def last_asked(
    session: Session, *, customer_id: int, vendor: str, kind: RequestKind
) -> NewCustomer | KnownAccount | None:
    """Give what was asked for last, whatever became of it: nobody types it twice."""
    found = session.scalars(
        select(ProvisioningRequest)
        .where(
            ProvisioningRequest.customer_id == customer_id,
            ProvisioningRequest.vendor == vendor,
            ProvisioningRequest.kind == kind.value,
        )
        .order_by(ProvisioningRequest.id.desc())
        .limit(1)
    ).one_or_none()
    asked = asked_from_data(found.kind, found.asked) if found else None
    return asked if isinstance(asked, NewCustomer | KnownAccount) else None


def known_particulars(session: Session, customer: Customer, vendor: str) -> dict[str, str]:
    """Give what is known of what a vendor wants to know: as it was asked before, else who accepted the vendor's terms."""
    asked = last_asked(session, customer_id=customer.id, vendor=vendor, kind=RequestKind.CUSTOMER)
    if isinstance(asked, NewCustomer):
        address, contact = asked.address, asked.contact
        return {
            "domain": asked.domain.removesuffix(DOMAINS.get(vendor, "")),
            **{name: getattr(address, name) for name in ("line", "postal_code", "city", "state")},
            **{name: getattr(contact, name) for name in ("first_name", "last_name", "email", "phone")},
        }
    known = {"domain": suggested_domain(customer.legal_name), "email": customer.email}
    for one in agreements_of_customer(session, customer.id)[:1]:
        known |= {name: getattr(one, name) for name in ("first_name", "last_name", "email", "phone")}
    return known


def asked_as_text(asked: NewCustomer | KnownAccount) -> str:
    """Name what is asked for in few words."""
    return asked.account if isinstance(asked, KnownAccount) else asked.domain or asked.name
