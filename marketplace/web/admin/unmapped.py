"""Usage nobody owns: the queue of accounts, whose each might be, and mapping one to its customer."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length, Optional

from marketplace.billing.queries.amounts import Totals
from marketplace.billing.queries.periods import find_period
from marketplace.billing.queries.unmapped import (
    Suggestion,
    UnmappedRow,
    find_unmapped,
    list_unmapped,
    suggestions_for,
)
from marketplace.billing.trials import Change
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, Refusal
from marketplace.core.money import Money
from marketplace.core.period import DateRange, Period
from marketplace.web import filters as shown
from marketplace.web.admin import blueprint
from marketplace.web.admin.effects import effect_asked_here, effect_of
from marketplace.web.admin.suggestions import suggesting
from marketplace.web.forms import DayField, PageForm
from marketplace.web.guards import requires
from marketplace.web.listing import Column, Kind, ListView, OnPhone
from marketplace.web.navigation import GROUP_MONTH, add_to_menu
from marketplace.web.previews import overtaken, wants_effect
from marketplace.web.session import current_actor, transaction
from resellers.imports.accounts import import_accounts
from resellers.models import AccountMapping, Customer, VendorAccount

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.unmapped",
    label=N_("Unmapped usage"),
    icon="unlink",
    permission=Permission.WHOLESALER_PERIODS_VIEW,
    group=GROUP_MONTH,
    place=30,
    words="accounts orphans mapping queue",
)


class MappingForm(PageForm):
    """Whose an account is, and from when."""

    vendor = HiddenField()
    account = HiddenField()
    customer = StringField(
        lazy_gettext("Customer, by reference"),
        validators=[InputRequired(lazy_gettext("Choose a customer.")), Length(max=200)],
    )
    valid_from = DayField(lazy_gettext("From"), validators=[Optional()])
    valid_until = DayField(lazy_gettext("Until, that day excluded"), validators=[Optional()])


@dataclass(frozen=True)
class Queued:
    """An account of the queue, whose it might be, and whose it has become since the month was rated."""

    row: UnmappedRow
    suggestions: Sequence[Suggestion]
    # Set once a mapping covers its days: the next rating will bill it.
    owner: str

    @property
    def dearest(self) -> Money | None:
        """Its largest amount, to sort by."""
        return max(self.row.cost, key=lambda one: abs(one.amount), default=None)


_QUEUE = ListView[Queued](
    name="unmapped",
    columns=(
        Column(
            key="account",
            label=N_("Account"),
            value=lambda one: one.row.account,
            sort=True,
            phone=OnPhone.TITLE,
        ),
        Column(
            key="vendor", label=N_("Vendor"), value=lambda one: one.row.vendor, kind=Kind.VENDOR, sort=True
        ),
        Column(
            key="months",
            label=N_("Months"),
            value=lambda one: ", ".join(shown.period(period) for period in one.row.periods),
        ),
        Column(key="rows", label=N_("Rows"), value=lambda one: one.row.rows, sort=True, kind=Kind.NUMBER),
        Column(
            key="cost",
            label=N_("Cost"),
            value=lambda one: one.dearest,
            sort=True,
            kind=Kind.MONEY,
            phone=OnPhone.SIDE,
        ),
        Column(
            key="suggestion",
            label=N_("Might belong to"),
            value=lambda one: one.owner or (one.suggestions[0].name if one.suggestions else ""),
        ),
        Column(key="act", label=N_("Map"), value=lambda _one: "", kind=Kind.ACTION),
    ),
    finds=lambda one, text: text in f"{one.row.account} {one.row.vendor} {one.row.product}".casefold(),
    search_label=N_("Search account"),
)


@blueprint.get("/unmapped")
@requires(Permission.WHOLESALER_PERIODS_VIEW)
def unmapped() -> ResponseReturnValue:
    """List the accounts nobody owns: of one month's usage, or of all."""
    text = request.args.get("period", "")
    month = Period.parse(text) if text else None
    with transaction() as session:
        rows = list_unmapped(session, period=month)
        keys = [(row.vendor, row.account) for row in rows]
        suggested, owners = suggestions_for(session, keys), _owners(session, rows)
        queue = [
            Queued(
                row, suggested.get((row.vendor, row.account), ()), owners.get((row.vendor, row.account), "")
            )
            for row in rows
        ]
        status = find_period(session, month).status if month else ""
        return _QUEUE.respond_with_rows(
            queue,
            "admin/unmapped/list.html",
            month=month,
            status_of_month=status,
            total=_total(rows),
            sentence_of=sentence_of,
        )


@blueprint.post("/unmapped/map")
@requires(Permission.WHOLESALER_TERMS_MANAGE)
def map_at_once() -> ResponseReturnValue:
    """Map an account to the customer suggested, over all its days that nobody owns."""
    vendor, account = request.form.get("vendor", ""), request.form.get("account", "")
    actor = current_actor()
    with transaction() as session:
        row = find_unmapped(session, vendor=vendor, account=account)
        customer = request.form.get("customer", "")
        if row is None:
            flash(gettext("This account has been mapped already."), "info")
            return redirect(url_for("admin.unmapped"), code=303)
        span = _span_free(session, row)
        _map(session, actor=actor, vendor=vendor, account=account, customer=customer, span=span)
    flash(
        gettext("%(account)s is mapped. It is billed when the month is rated next.", account=account),
        "success",
    )
    return redirect(url_for("admin.unmapped"), code=303)


@blueprint.get("/unmapped/account")
@requires(Permission.WHOLESALER_TERMS_MANAGE)
def unmapped_account() -> ResponseReturnValue:
    """Ask whose an account is."""
    with transaction() as session:
        row = find_unmapped(
            session, vendor=request.args.get("vendor", ""), account=request.args.get("account", "")
        )
        if row is None:
            abort(404)
        effect = effect_asked_here(session)
        if effect is not None:
            form = MappingForm(MultiDict(effect.job.row.facts))
            return _account_page(session, row, form, effect=effect)
        form = MappingForm()
        span = _span_free(session, row)
        form.vendor.data, form.account.data = row.vendor, row.account
        form.customer.data = request.args.get("customer", "")
        form.valid_from.data, form.valid_until.data = span.start, span.end
        return _account_page(session, row, form)


@blueprint.post("/unmapped/account")
@requires(Permission.WHOLESALER_TERMS_MANAGE)
def map_account() -> ResponseReturnValue:
    """Show what a mapping would do, or save it."""
    form = MappingForm()
    with transaction() as session:
        row = find_unmapped(session, vendor=form.vendor.data or "", account=form.account.data or "")
        if row is None:
            abort(404)
        if not form.validate_on_submit():
            return _account_page(session, row, form), 422
        span = DateRange(form.valid_from.data, form.valid_until.data)
        customer = (form.customer.data or "").strip()
        facts_changed = overtaken()
        try:
            if wants_effect() or facts_changed:
                change = _change(row.vendor, row.account, customer, span)
                link = url_for("admin.unmapped_account", vendor=row.vendor, account=row.account)
                effect = effect_of(session, change, first_day=row.first_day, link=link)
                if facts_changed:
                    form.refuse(facts_changed)
                return _account_page(session, row, form, effect=effect), 422 if facts_changed else 200
            with session.begin_nested():
                _map(
                    session,
                    actor=current_actor(),
                    vendor=row.vendor,
                    account=row.account,
                    customer=customer,
                    span=span,
                )
        except Refusal as refusal:
            form.refuse(refusal)
            for faulty in refusal.rows:
                form.form_errors.append(f"{faulty.value}: {shown.said(faulty.reason)}")
            return _account_page(session, row, form), 422
    flash(
        gettext("%(account)s is mapped. It is billed when the month is rated next.", account=row.account),
        "success",
    )
    return redirect(url_for("admin.unmapped"), code=303)


def sentence_of(suggestion: Suggestion) -> str:
    """Say why a customer is suggested."""
    facts = {"day": suggestion.fact, "vendor": suggestion.fact}
    if "%(day)s" in suggestion.sentence and suggestion.fact:
        facts["day"] = shown.day(date.fromisoformat(suggestion.fact))
    return gettext(suggestion.sentence) % facts


def _change(vendor: str, account: str, customer: str, span: DateRange) -> Change:
    days = {"valid_from": _written(span.start), "valid_until": _written(span.end)}
    facts = {"file": account, "vendor": vendor, "account": account, "customer": customer, **days}
    return Change(kind="accounts", facts=facts, content=_as_file(vendor, account, customer, span))


def _map(
    session: Session, *, actor: Actor, vendor: str, account: str, customer: str, span: DateRange
) -> None:
    """Add one mapping as a file of one row would: the same checks, the same words."""
    content = _as_file(vendor, account, customer, span)
    import_accounts(session, actor=actor, file=account, content=content)


def _as_file(vendor: str, account: str, customer: str, span: DateRange) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("vendor", "account", "customer", "valid_from", "valid_until"))
    writer.writerow((vendor, account, customer, _written(span.start), _written(span.end)))
    return text.getvalue().encode()


def _written(day: date | None) -> str:
    return day.isoformat() if day else ""


def _mappings_of(
    session: Session, accounts: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], Sequence[tuple[DateRange, str]]]:
    found: dict[tuple[str, str], list[tuple[DateRange, str]]] = {}
    if accounts:
        rows = session.execute(
            select(
                VendorAccount.vendor,
                VendorAccount.account,
                AccountMapping.valid_from,
                AccountMapping.valid_until,
                Customer.legal_name,
            )
            .join(AccountMapping, AccountMapping.vendor_account_id == VendorAccount.id)
            .join(Customer, Customer.id == AccountMapping.customer_id)
            .where(tuple_(VendorAccount.vendor, VendorAccount.account).in_(accounts))
        )
        for vendor, account, start, end, name in rows:
            found.setdefault((vendor, account), []).append((DateRange(start, end), name))
    return found


def _owners(session: Session, rows: Sequence[UnmappedRow]) -> dict[tuple[str, str], str]:
    """Give who owns accounts by now, where all their days without an owner have one."""
    mappings = _mappings_of(session, [(row.vendor, row.account) for row in rows])
    owners = {}
    for row in rows:
        for span, name in mappings.get((row.vendor, row.account), ()):
            if row.first_day in span and row.last_day in span:
                owners[row.vendor, row.account] = name
    return owners


def _span_free(session: Session, row: UnmappedRow) -> DateRange:
    """Give the days around the account's usage that no mapping holds: always, for one that never had any."""
    start: date | None = None
    end: date | None = None
    for span, _ in _mappings_of(session, [(row.vendor, row.account)]).get((row.vendor, row.account), ()):
        if span.end is not None and span.end <= row.first_day:
            start = max(start or span.end, span.end)
        elif span.start is not None and span.start > row.first_day:
            end = min(end or span.start, span.start)
    return DateRange(start, end)


def _total(rows: Sequence[UnmappedRow]) -> Totals:
    sums: dict[str, int] = {}
    for row in rows:
        for one in row.cost:
            sums[one.currency] = sums.get(one.currency, 0) + one.minor
    return tuple(Money(minor, currency) for currency, minor in sorted(sums.items()))


def _account_page(session: Session, row: UnmappedRow, form: MappingForm, *, effect: object = None) -> str:
    key = (row.vendor, row.account)
    return render_template(
        "admin/unmapped/show.html",
        row=row,
        form=form,
        effect=effect,
        suggestions=suggestions_for(session, [key]).get(key, ()),
        sentence_of=sentence_of,
        suggesting=suggesting,
    )
