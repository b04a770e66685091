"""What the audit trail tells, in words: the acts, what they were done to, and the facts that changed."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from flask_babel import gettext

from marketplace.core.audit import AuditEntry
from marketplace.core.errors import N_
from marketplace.web import filters as shown

#: Each act, as the code names it. A test finds the one that has no words.
ACTIONS: Mapping[str, str] = {
    "account_mapping.end": N_("Ended a mapping"),
    "charge_difference.settle": N_("Settled a difference"),
    "agreement.accept": N_("Accepted an agreement"),
    "agreement.publish": N_("Published an agreement"),
    "application.add_document": N_("Sent a document"),
    "application.answer": N_("Answered what was asked"),
    "application.approve": N_("Approved an application"),
    "application.ask": N_("Asked an applicant for more"),
    "application.begin": N_("Began an application"),
    "application.check": N_("Looked at an application"),
    "application.refuse": N_("Refused an application"),
    "application.remove_document": N_("Took a document back"),
    "application.review": N_("Took an application up"),
    "application.submit": N_("Sent an application"),
    "application.write": N_("Changed an application"),
    "brand.change": N_("Changed the brand"),
    "customer.open_account": N_("Asked for a customer's account at a vendor"),
    "customer.link_account": N_("Said which account a customer has at a vendor"),
    "customer.send_agreement": N_("Told a vendor of a customer's agreement"),
    "customer.attest": N_("Recorded an agreement of a customer"),
    "customer.move": N_("Moved a customer"),
    "customer.cancel_move": N_("Cancelled the move of a customer"),
    "customer.add": N_("Added a customer"),
    "customer.buying": N_("Said whether a customer may buy"),
    "customer.change": N_("Changed a customer"),
    "delivery.cancel": N_("Asked an import to stop"),
    "delivery.cancelled": N_("Import was cancelled"),
    "delivery.failed": N_("Import failed"),
    "delivery.fetch": N_("Had files fetched from a vendor"),
    "delivery.make_current": N_("Imported files"),
    "delivery.receive": N_("Received files"),
    "delivery.refused": N_("Import was refused"),
    "delivery.undo": N_("Undid an import"),
    "enrolment.add": N_("Enrolled a reseller"),
    "enrolment.change": N_("Changed an enrolment"),
    "enrolment.check": N_("Asked the vendor about a partner id"),
    "enrolment.prerequisite": N_("Recorded a prerequisite"),
    "fx_rate.add": N_("Set an exchange rate"),
    "fx_rate.change": N_("Changed an exchange rate"),
    "mapping.add": N_("Mapped an account"),
    "mapping.end": N_("Ended a mapping"),
    "margin_floor.remove": N_("Removed a floor of margins"),
    "margin_floor.set": N_("Set a floor of margins"),
    "membership.add": N_("Invited a person"),
    "membership.change_role": N_("Changed a role"),
    "membership.end": N_("Ended access"),
    "membership.invite_again": N_("Invited a person again"),
    "membership.restore": N_("Gave access back"),
    "password.change": N_("Changed the password"),
    "password.reset": N_("Chose a new password"),
    "period.approve": N_("Approved a month"),
    "period.cancel_run": N_("Cancelled a close"),
    "period.close": N_("Closed a month"),
    "period.rate": N_("Rated a month"),
    "period.reopen": N_("Reopened a month"),
    "preview.cancel": N_("Cancelled the working out of an effect"),
    "price_list.activate": N_("Put a price list in force"),
    "price_list.discard": N_("Gave up a price list"),
    "price_list.import": N_("Imported a price list"),
    "price_list.schedule": N_("Scheduled a price list"),
    "price_rule.add": N_("Added a price rule"),
    "price_rule.end": N_("Ended a price rule"),
    "order_approval.decide": N_("Decided about an order"),
    "order_rule.add": N_("Asked for approval of orders"),
    "order_rule.end": N_("Asked no more for approval of orders"),
    "quote.accept": N_("Accepted a quote"),
    "quote.decline": N_("Declined a quote"),
    "sales_order.add_line": N_("Added to a cart"),
    "sales_order.cancel": N_("Cancelled an order"),
    "sales_order.change_line": N_("Changed a line of an order"),
    "sales_order.complete": N_("Completed an order"),
    "sales_order.fail": N_("An order failed"),
    "sales_order.hold": N_("Held an order back"),
    "sales_order.provision": N_("Had an order carried out"),
    "sales_order.put_again": N_("Put an order into the cart again"),
    "sales_order.quote": N_("Quoted an order"),
    "sales_order.reject": N_("Refused an order"),
    "sales_order.remove_line": N_("Took a line out of an order"),
    "sales_order.reopen": N_("Took a quote back"),
    "sales_order.schedule": N_("Scheduled an order"),
    "sales_order.submit": N_("Ordered"),
    "statement.settle": N_("Noted that a statement was paid"),
    "statement.unsettle": N_("Took back that a statement was paid"),
    "outside_change.settle": N_("Settled a change made at a vendor"),
    "product.change": N_("Changed a product"),
    "product.rename": N_("Took a product’s new name"),
    "promotion.add": N_("Added a promotion"),
    "promotion.end": N_("Ended a promotion"),
    "provisioning.answer": N_("Answered a vendor"),
    "provisioning.complete": N_("Fulfilled by hand"),
    "provisioning.give_up": N_("Gave up a request to a vendor"),
    "provisioning.retry": N_("Retried a request to a vendor"),
    "provisioning.take_on": N_("Took on a task"),
    "question.answer": N_("Answered a question"),
    "question.ask": N_("Asked a question"),
    "question.ask_further": N_("Added to a question"),
    "renewal.ask": N_("Asked a customer about renewals"),
    "renewal_policy.set": N_("Said what happens when terms end"),
    "reseller.add": N_("Added a reseller"),
    "reseller.change": N_("Changed a reseller"),
    "reseller.change_status": N_("Changed whether a reseller may sell"),
    "session.begin": N_("Signed in"),
    "session.choose_firm": N_("Chose a firm to act for"),
    "session.end": N_("Signed out"),
    "session.revoke": N_("Signed a browser out"),
    "session.revoke_others": N_("Signed all other browsers out"),
    "subscription.answer_renewal": N_("Answered for a renewal"),
    "subscription.begin": N_("Began a subscription"),
    "subscription.change": N_("Changed a subscription"),
    "subscription.end": N_("Let a subscription end"),
    "subscription.cancel_move": N_("Cancelled the move of a subscription"),
    "subscription.move": N_("Moved a subscription to another reseller"),
    "subscription.renew": N_("Renewed a subscription"),
    "terms.billing_mode": N_("Changed who invoices"),
    "terms.credit": N_("Changed credit terms"),
    "user.activate": N_("Opened an account again"),
    "user.create": N_("Made a user"),
    "user.deactivate": N_("Deactivated an account"),
    "user.profile": N_("Changed their profile"),
    "view_as.begin": N_("Began to view as another"),
    "view_as.end": N_("Stopped viewing as another"),
    "wholesaler.change": N_("Changed the settings"),
}

#: What acts are done to, as the code names it.
SUBJECTS: Mapping[str, str] = {
    "account_mapping": N_("Mapping"),
    "agreement": N_("Agreement"),
    "application": N_("Application"),
    "brand": N_("Brand"),
    "billing_period": N_("Month"),
    "charge_difference": N_("Licence difference"),
    "customer": N_("Customer"),
    "delivery": N_("Delivery"),
    "fx_rate": N_("Exchange rate"),
    "mapping": N_("Mapping"),
    "margin_floor": N_("Floor of margins"),
    "membership": N_("Access"),
    "preview": N_("Effect of a change"),
    "price_list": N_("Price list"),
    "price_rule": N_("Price rule"),
    "outside_change": N_("Change at a vendor"),
    "product": N_("Product"),
    "promotion": N_("Promotion"),
    "provisioning_request": N_("Request to a vendor"),
    "question": N_("Question"),
    "reseller": N_("Reseller"),
    "order_rule": N_("Rule of approval"),
    "sales_order": N_("Order"),
    "session": N_("Session"),
    "statement": N_("Statement"),
    "subscription": N_("Subscription"),
    "user": N_("User"),
    "wholesaler": N_("Wholesaler"),
}

_FACTS: Mapping[str, str] = {
    "account": N_("Account"),
    "at": N_("At"),
    "addressed_to": N_("Addressed to"),
    "at_term_end": N_("When the term ends"),
    "amount": N_("Amount"),
    "paid_on": N_("Paid on"),
    "audience": N_("Kind of firm"),
    "basis": N_("Basis"),
    "billing_mode": N_("Who invoices"),
    "billing_cycle": N_("Paid"),
    "country": N_("Country"),
    "credit_limit": N_("Credit limit"),
    "has_signed": N_("Signed the partner agreement"),
    "host": N_("Host name"),
    "is_done": N_("In order"),
    "is_known": N_("Known to the vendor"),
    "moves_on": N_("On"),
    "path": N_("Address"),
    "payment_days": N_("Days to pay"),
    "programme": N_("Programme"),
    "template": N_("Template"),
    "version": N_("Version"),
    "accent": N_("Accent colour"),
    "sender_name": N_("Sender of mails"),
    "support_email": N_("Support by mail"),
    "support_phone": N_("Support by phone"),
    "logo": N_("Logo"),
    "currency": N_("Currency"),
    "customer": N_("Customer"),
    "custom_end": N_("Ends on"),
    "decision": N_("Decision"),
    "due_on": N_("On"),
    "email": N_("E-mail"),
    "ends_on": N_("Until (excluded)"),
    "files": N_("Files"),
    "four_eyes": N_("Two persons"),
    "from": N_("From"),
    "hop": N_("Hop"),
    "hard_percent": N_("Hard floor"),
    "ip": N_("Address"),
    "kind": N_("Kind"),
    "is_addition": N_("Added to what was there"),
    "is_first_purchase_only": N_("First purchase only"),
    "is_listed": N_("Shown in the shop"),
    "legal_name": N_("Legal name"),
    "limit": N_("Limit"),
    "line": N_("Line"),
    "may_buy": N_("May buy"),
    "needs_approval": N_("Needs approval"),
    "maximum_quantity": N_("At most"),
    "minimum_quantity": N_("At least"),
    "name": N_("Name"),
    "own_category": N_("Your category"),
    "own_title": N_("Your title"),
    "partner_id": N_("Partner id"),
    "percent": N_("Percent"),
    "product": N_("Product"),
    "quantity": N_("Quantity"),
    "rate": N_("Rate"),
    "reference": N_("Reference"),
    "registration_number": N_("Registration number"),
    "rejected": N_("Rejected"),
    "replaces": N_("In place of"),
    "reseller": N_("Reseller"),
    "restored": N_("Counts again"),
    "renewal_policy": N_("When terms end"),
    "role": N_("Role"),
    "rows": N_("Rows"),
    "rule": N_("Rule"),
    "since": N_("Since"),
    "sku": N_("SKU"),
    "state": N_("State"),
    "segment": N_("Segment"),
    "soft_percent": N_("Soft floor"),
    "starts_on": N_("From"),
    "status": N_("Status"),
    "subscription": N_("Subscription"),
    "term": N_("Term"),
    "term_end": N_("End of the term"),
    "text": N_("Text"),
    "title": N_("Title"),
    "unit_price": N_("Unit price"),
    "until": N_("Until"),
    "valid_from": N_("From"),
    "valid_until": N_("Until (excluded)"),
    "vat_number": N_("VAT number"),
    "vendor": N_("Vendor"),
    "waits_for": N_("Waits for"),
}

# By which of its facts people know a thing, the best first.
_NAMES = ("legal_name", "name", "email", "account", "files", "reference", "product")


_ABOUT_ONESELF = {
    "session.begin",
    "session.revoke_others",
    "password.change",
    "password.reset",
    "user.profile",
}


def act(entry: AuditEntry) -> str:
    """Say what was done."""
    return gettext(ACTIONS[entry.action]) if entry.action in ACTIONS else entry.action


def subject(entry: AuditEntry) -> str:
    """Say to what kind of thing it was done."""
    return gettext(SUBJECTS[entry.subject]) if entry.subject in SUBJECTS else entry.subject


def named(entry: AuditEntry) -> str:
    """Name the very thing: by its own name, its month, or the begin of its number."""
    facts = {**(entry.before or {}), **(entry.after or {})}
    for name in _NAMES:
        if facts.get(name):
            return value_said(facts[name])
    if entry.subject == "billing_period":
        return shown.period(entry.subject_id)
    if entry.action in _ABOUT_ONESELF:
        return entry.name
    try:
        return str(UUID(entry.subject_id))[:8]
    except ValueError:
        return entry.subject_id


def changes(entry: AuditEntry) -> list[tuple[str, str, str]]:
    """Give the facts that changed as (what, before, after), both empty where there was nothing; blanks left out."""
    before, after = entry.before or {}, entry.after or {}
    names = [*before, *(name for name in after if name not in before)]
    facts = ((name, value_said(before.get(name)), value_said(after.get(name))) for name in names)
    return [(fact_said(name), was, now) for name, was, now in facts if was != now]


def fact_said(name: str) -> str:
    """Name a fact in the reader's language."""
    return gettext(_FACTS[name]) if name in _FACTS else name.replace("_", " ").capitalize()


def value_said(value: object) -> str:
    """Write a fact that was kept as JSON."""
    match value:
        case None | "":
            return ""
        case bool():
            return gettext("yes") if value else gettext("no")
        case list():
            return ", ".join(value_said(one) for one in value)
        case dict():
            return "; ".join(f"{fact_said(name)}: {value_said(one)}" for name, one in value.items())
        case str() if (moment := _moment(value)) is not None:
            return shown.moment(moment)
        case _:
            return str(value)


def _moment(value: str) -> datetime | None:
    """Read an instant as JSON keeps it; days and other texts are none."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
