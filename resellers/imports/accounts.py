"""accounts.csv: whose a vendor account is, from when until when."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Date, Text, Uuid, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.bulk import many_at_once, table_of
from marketplace.core.cells import Entry, FaultyEntry, filled
from marketplace.core.csv_table import Faults, ImportResult, read_table
from marketplace.core.errors import N_, Phrase
from marketplace.core.period import DateRange
from marketplace.core.permit import require
from marketplace.core.upsert import Given, Standing, Upsert, plan_upsert
from resellers.conflicts import conflicts_in_words
from resellers.imports.references import known_customers
from resellers.models import AccountMapping, Customer, VendorAccount
from resellers.rules.spans import overlaps, read_span, span_words

COLUMNS = ("vendor", "account", "customer", "valid_from", "valid_until")


@dataclass(frozen=True, slots=True)
class MappingKey:
    """What tells one mapping from another: the same again may only change its end."""

    vendor: str
    account: str
    customer: str
    valid_from: date | None

    def __str__(self) -> str:
        return f"{self.vendor} {self.account}"


#: A mapping says, beside its key, only when it ends.
_Plan = Upsert[UUID, MappingKey, date | None]


@dataclass(frozen=True, slots=True)
class _Held:
    """A mapping as it will stand; `row` is 0 where the file does not speak of it."""

    row: int
    customer: str
    span: DateRange


def import_accounts(
    session: Session, *, actor: Actor, file: str, content: bytes, dry_run: bool = False
) -> ImportResult:
    """Add mappings and change the ends of standing ones, all or none. Raises `FaultyFile` naming every faulty row."""
    require(actor, Permission.WHOLESALER_TERMS_MANAGE)
    rows, faults = read_table(content, file=file, columns=COLUMNS)
    with many_at_once(session, len(rows)):
        given: list[Given[MappingKey, date | None]] = []
        for row in rows:
            try:
                key, end = _read(row.cells)
            except FaultyEntry as faulty:
                faults.add_entry(row.number, faulty)
            else:
                given.append(Given(row.number, key, end))
        customers = known_customers(session, rows, faults=faults)
        standing = _standing(session, given)
        plan = plan_upsert(given, standing, faults=faults, key_column="account")
        _refuse_overlaps(plan, standing, faults=faults)
        faults.check()
        if not dry_run:
            keys = {stands.id: key for key, stands in standing.items()}
            ids = [uuid4() for _ in plan.added]
            _write(session, plan, ids, {reference: known.id for reference, known in customers.items()})
            _audit(session, plan, ids, keys, actor=actor, file=file)
    return ImportResult(
        file=file,
        kind="accounts",
        rows=len(rows),
        added=len(plan.added),
        changed=len(plan.changed),
        unchanged=plan.unchanged,
        dry_run=dry_run,
    )


def _read(cells: Mapping[str, str]) -> tuple[MappingKey, date | None]:
    entry = Entry(cells)
    vendor, account, customer = (entry.take(name, filled, "") for name in ("vendor", "account", "customer"))
    span = read_span(entry)
    entry.check()
    return MappingKey(vendor, account, customer, span.start), span.end


def _standing(
    session: Session, given: Sequence[Given[MappingKey, date | None]]
) -> dict[MappingKey, Standing[UUID, date | None]]:
    """Give every mapping of the accounts the file speaks of, whosever it is."""
    accounts = sorted({(one.key.vendor, one.key.account) for one in given})
    wanted = table_of(
        {
            "vendor": (Text(), [vendor for vendor, _ in accounts]),
            "account": (Text(), [name for _, name in accounts]),
        }
    )
    found = session.execute(
        select(
            AccountMapping.public_id,
            VendorAccount.vendor,
            VendorAccount.account,
            Customer.reference,
            AccountMapping.valid_from,
            AccountMapping.valid_until,
        )
        .join(VendorAccount, VendorAccount.id == AccountMapping.vendor_account_id)
        .join(Customer, Customer.id == AccountMapping.customer_id)
        .where(tuple_(VendorAccount.vendor, VendorAccount.account).in_(select(*wanted.c)))
    )
    standing: dict[MappingKey, Standing[UUID, date | None]] = {}
    for id_, vendor, account, customer, start, end in found:
        key = MappingKey(vendor, account, customer, start)
        # A mapping that holds on no day may stand beside one with the same start that does.
        if key not in standing or not DateRange(start, end).is_empty:
            standing[key] = Standing(id_, end)
    return standing


def _refuse_overlaps(
    plan: _Plan, standing: Mapping[MappingKey, Standing[UUID, date | None]], *, faults: Faults
) -> None:
    changed = {change.id: change for change in plan.changed}
    held: defaultdict[tuple[str, str], list[_Held]] = defaultdict(list)
    for key, stands in standing.items():
        change = changed.get(stands.id)
        row, end = (change.row, change.after) if change else (0, stands.entry)
        held[key.vendor, key.account].append(_Held(row, key.customer, DateRange(key.valid_from, end)))
    for one in plan.added:
        span = DateRange(one.key.valid_from, one.entry)
        held[one.key.vendor, one.key.account].append(_Held(one.row, one.key.customer, span))
    for (vendor, account), mappings in held.items():
        mappings.sort(key=attrgetter("row"))
        for later, other in overlaps([one.span for one in mappings]).items():
            reason = _overlap(mappings[other])
            faults.add(mappings[later].row, "account", f"{vendor} {account}", reason)


def _overlap(other: _Held) -> Phrase:
    facts = {"customer": other.customer, "span": span_words(other.span)}
    if other.row:
        sentence = N_(
            "row %(row)s gives this account to customer %(customer)s %(span)s: dates may not overlap"
        )
        return Phrase.of(sentence, row=other.row, **facts)
    sentence = N_(
        "customer %(customer)s has this account %(span)s: "
        "end that mapping first, on its page or by a row with the same start and an earlier valid_until"
    )
    return Phrase.of(sentence, **facts)


def _write(session: Session, plan: _Plan, ids: Sequence[UUID], customers: Mapping[str, int]) -> None:
    with conflicts_in_words():
        # What gets shorter goes first: what follows it may begin where it now ends.
        shorter = [one for one in plan.changed if (one.after or date.max) < (one.before or date.max)]
        longer = [one for one in plan.changed if (one.after or date.max) > (one.before or date.max)]
        for changes in (shorter, longer):
            changed = table_of(
                {
                    "public_id": (Uuid(), [one.id for one in changes]),
                    "valid_until": (Date(), [one.after for one in changes]),
                }
            )
            session.execute(
                update(AccountMapping)
                .where(AccountMapping.public_id == changed.c.public_id)
                .values(valid_until=changed.c.valid_until)
                .execution_options(synchronize_session=False)
            )
        _add_accounts(session, (one.key for one in plan.added))
        _add_mappings(session, plan, ids, customers)


def _add_accounts(session: Session, keys: Iterable[MappingKey]) -> None:
    accounts = sorted({(key.vendor, key.account) for key in keys})
    wanted = table_of(
        {
            "vendor": (Text(), [vendor for vendor, _ in accounts]),
            "account": (Text(), [name for _, name in accounts]),
        }
    )
    session.execute(
        insert_or_ignore(VendorAccount)
        .from_select(["vendor", "account"], select(*wanted.c))
        .on_conflict_do_nothing()
    )


def _add_mappings(session: Session, plan: _Plan, ids: Sequence[UUID], customers: Mapping[str, int]) -> None:
    added = table_of(
        {
            "public_id": (Uuid(), ids),
            "vendor": (Text(), [one.key.vendor for one in plan.added]),
            "account": (Text(), [one.key.account for one in plan.added]),
            "customer_id": (BigInteger(), [customers[one.key.customer] for one in plan.added]),
            "valid_from": (Date(), [one.key.valid_from for one in plan.added]),
            "valid_until": (Date(), [one.entry for one in plan.added]),
        }
    )
    session.execute(
        insert(AccountMapping).from_select(
            ["public_id", "vendor_account_id", "customer_id", "valid_from", "valid_until"],
            select(
                added.c.public_id,
                VendorAccount.id,
                added.c.customer_id,
                added.c.valid_from,
                added.c.valid_until,
            ).join_from(
                added,
                VendorAccount,
                (VendorAccount.vendor == added.c.vendor) & (VendorAccount.account == added.c.account),
            ),
        )
    )


def _audit(
    session: Session,
    plan: _Plan,
    ids: Sequence[UUID],
    keys: Mapping[UUID, MappingKey],
    *,
    actor: Actor,
    file: str,
) -> None:
    additions = [
        audit.Act(str(id_), None, _as_json(one.key, one.entry))
        for id_, one in zip(ids, plan.added, strict=True)
    ]
    changes = [
        audit.Act(str(one.id), _as_json(keys[one.id], one.before), _as_json(keys[one.id], one.after))
        for one in plan.changed
    ]
    audit.record_many(
        session, actor=actor, action="mapping.add", subject="mapping", acts=additions, reason=file
    )
    audit.record_many(
        session, actor=actor, action="mapping.end", subject="mapping", acts=changes, reason=file
    )


def _as_json(key: MappingKey, end: date | None) -> dict[str, str | None]:
    return {
        "vendor": key.vendor,
        "account": key.account,
        "customer": key.customer,
        "valid_from": key.valid_from.isoformat() if key.valid_from else None,
        "valid_until": end.isoformat() if end else None,
    }
