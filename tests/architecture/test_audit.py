"""Every address that changes something leaves an entry in the audit trail, under a name that is known.

That it really does is checked by the browser of the tests, on every form any test sends: see `Visitor.post`.
"""

import re
from pathlib import Path

from tests.architecture.routes import routes
from tests.personas import PeopledSite

ROOT = Path(__file__).parents[2]

PEOPLE = {
    "invite": "membership.add",
    "role": "membership.change_role",
    "end": "membership.end",
    "restore": "membership.restore",
    "invite-again": "membership.invite_again",
}
EVERYBODY, SELLERS = ("", "/admin", "/portal"), ("", "/admin")
#: By address within a shell: what the trail calls it, and the shells that have it.
SHARED = {
    "/cart/add": ("sales_order.add_line", ("", "/portal")),
    "/orders/{}/lines/{}": ("sales_order.change_line", EVERYBODY),
    "/orders/{}/submit": ("sales_order.submit", EVERYBODY),
    "/orders/{}/discard": ("sales_order.cancel", EVERYBODY),
    "/orders/{}/cancel": ("sales_order.cancel", EVERYBODY),
    "/orders/{}/again": ("sales_order.put_again", EVERYBODY),
    "/orders/{}/quote": ("sales_order.quote", SELLERS),
    "/orders/file": ("sales_order.submit", SELLERS),
    "/orders/{}/approvals/{}/approve": ("order_approval.decide", SELLERS),
    "/orders/{}/approvals/{}/refuse": ("order_approval.decide", SELLERS),
    "/subscriptions/{}/change": ("sales_order.submit", EVERYBODY),
    "/renewals/ask": ("renewal.ask", SELLERS),
    "/renewals/policies/{}": ("renewal_policy.set", SELLERS),
    "/order-rules/new": ("order_rule.add", SELLERS),
    "/order-rules/{}/end": ("order_rule.end", SELLERS),
    "/customers/{}/accounts/{}": ("customer.open_account", SELLERS),
    "/customers/{}/accounts/{}/link": ("customer.link_account", SELLERS),
    "/customers/{}/accounts/{}/agreement": ("customer.send_agreement", SELLERS),
}
#: By address: what the trail calls it.
ACTS = (
    {
        "/sign-in": "session.begin",
        "/sign-out": "session.end",
        "/view-as/stop": "view_as.end",
        "/set-password/{}": "password.reset",
        "/account/password": "password.change",
        "/account/profile": "user.profile",
        "/account/sessions/{}/revoke": "session.revoke",
        "/account/sessions/revoke-others": "session.revoke_others",
        "/account/firms/{}/choose": "session.choose_firm",
        "/admin/view-as/reseller/{}": "view_as.begin",
        "/admin/view-as/customer/{}": "view_as.begin",
        "/customers/new": "customer.add",
        "/customers/import": "customer.add",
        "/customers/{}/edit": "customer.change",
        "/customers/{}/agreement": "customer.attest",
        "/customers/{}/invite": "membership.add",
        "/firm/brand": "brand.change",
        "/firm/agreement": "agreement.accept",
        "/apply": "application.begin",
        "/apply/{}": "application.write",
        "/apply/{}/documents": "application.add_document",
        "/apply/{}/documents/{}/remove": "application.remove_document",
        "/apply/{}/send": "application.submit",
        "/apply/{}/answer": "application.answer",
        "/admin/customers/{}/move": "customer.move",
        "/admin/customers/{}/move/cancel": "customer.cancel_move",
        "/admin/subscriptions/{}/move": "subscription.move",
        "/admin/subscriptions/{}/move/cancel": "subscription.cancel_move",
        "/admin/resellers/{}/status": "reseller.change_status",
        "/admin/resellers/{}/enrolments": "enrolment.add",
        "/admin/enrolments/{}": "enrolment.change",
        "/admin/enrolments/{}/check": "enrolment.check",
        "/admin/enrolments/{}/prerequisite": "enrolment.prerequisite",
        "/admin/resellers/{}/billing-mode": "terms.billing_mode",
        "/admin/resellers/{}/credit": "terms.credit",
        "/admin/agreements": "agreement.publish",
        "/admin/applications/{}/review": "application.review",
        "/admin/applications/{}/check": "application.check",
        "/admin/applications/{}/ask": "application.ask",
        "/admin/applications/{}/approve": "application.approve",
        "/admin/applications/{}/refuse": "application.refuse",
        "/admin/resellers/{}/invite": "membership.add",
        "/admin/customers/{}/invite": "membership.add",
        "/admin/users/{}/activate": "user.activate",
        "/admin/users/{}/deactivate": "user.deactivate",
        "/admin/settings": "wholesaler.change",
        "/admin/resellers/new": "reseller.add",
        "/admin/resellers/import": "reseller.add",
        "/admin/customers/new": "customer.add",
        "/admin/customers/import": "customer.add",
        "/admin/products/{}/edit": "product.change",
        "/admin/products/{}/rename": "product.rename",
        "/admin/products/{}/promotions/new": "promotion.add",
        "/admin/promotions/{}/end": "promotion.end",
        "/admin/price-lists/new": "price_list.import",
        "/admin/price-lists/{}/activate": "price_list.activate",
        "/admin/price-lists/{}/schedule": "price_list.schedule",
        "/admin/price-lists/{}/discard": "price_list.discard",
        "/admin/accounts/new": "mapping.add",
        "/admin/accounts/import": "mapping.add",
        "/admin/accounts/{}/end": "account_mapping.end",
        "/admin/unmapped/map": "mapping.add",
        "/admin/unmapped/account": "mapping.add",
        "/admin/floors/new": "margin_floor.set",
        "/admin/floors/{}/remove": "margin_floor.remove",
        "/admin/rules/new": "price_rule.add",
        "/admin/rules/import": "price_rule.add",
        "/admin/rules/{}/end": "price_rule.end",
        "/floors/new": "margin_floor.set",
        "/floors/{}/remove": "margin_floor.remove",
        "/rules/new": "price_rule.add",
        "/rules/{}/end": "price_rule.end",
        "/rules/{}/change": "price_rule.add",
        "/admin/exchange-rates/new": "fx_rate.add",
        "/admin/exchange-rates/import": "fx_rate.add",
        "/admin/imports/new": "delivery.receive",
        "/admin/imports/{}/cancel": "delivery.cancel",
        "/admin/imports/{}/undo": "delivery.undo",
        "/admin/periods/{}/rate": "period.rate",
        "/admin/periods/{}/cancel": "period.cancel_run",
        "/admin/periods/{}/approve": "period.approve",
        "/admin/periods/{}/close": "period.close",
        "/admin/periods/{}/reopen": "period.reopen",
        "/admin/previews/{}/cancel": "preview.cancel",
        "/previews/{}/cancel": "preview.cancel",
        "/admin/questions/{}": "question.answer",
        "/admin/provisioning/{}/retry": "provisioning.retry",
        "/admin/provisioning/{}/take-on": "provisioning.take_on",
        "/admin/provisioning/{}/answer": "provisioning.answer",
        "/admin/provisioning/{}/give-up": "provisioning.give_up",
        "/admin/provisioning/{}/complete": "provisioning.complete",
        "/admin/vendors/{}/fetch": "delivery.fetch",
        "/admin/vendors/{}/fetch-now": "delivery.fetch",
        "/portal/renewals/answer": "subscription.answer_renewal",
        "/portal/renewals/answer/{}": "subscription.answer_renewal",
        "/renew/{}": "subscription.answer_renewal",
        "/renewals/policies/default": "renewal_policy.set",
        "/admin/renewals/policies/reseller/{}": "renewal_policy.set",
        "/admin/charge-differences/settle": "charge_difference.settle",
        "/admin/charge-differences/{}": "charge_difference.settle",
        "/admin/outside-changes/{}/settle": "outside_change.settle",
        "/vendor-questions/{}": "provisioning.answer",
        "/customers/{}/buying": "customer.buying",
        "/admin/credit/{}": "terms.credit",
        "/admin/credit/{}/settle": "statement.settle",
        "/admin/credit/settlements": "statement.settle",
        "/admin/credit/statements/{}": "statement.settle",
        "/admin/credit/statements/{}/payments/{}/undo": "statement.unsettle",
        "/customer-statements/{}": "statement.settle",
        "/customer-statements/{}/payments/{}/undo": "statement.unsettle",
        "/quotes/{}": "quote.accept",
        "/quotes/{}/decline": "quote.decline",
        "/portal/quotes/{}/accept": "quote.accept",
        "/lines/{}/ask": "question.ask",
        "/questions/{}": "question.answer",
        "/portal/lines/{}/ask": "question.ask",
        "/portal/questions/{}": "question.ask_further",
    }
    | {
        f"{shell}/users/{'' if act == 'invite' else '{}/'}{act}": name
        for shell in ("", "/admin", "/portal")
        for act, name in PEOPLE.items()
    }
    | {f"{shell}{path}": name for path, (name, shells) in SHARED.items() for shell in shells}
)
#: By address: why the trail need not know.
SILENT = {
    "/forgotten-password": "asked by anybody for anybody; counted among the attempts",
    "/account/notifications/{}/open": "what one has read oneself",
    "/account/notifications/read-all": "what one has read oneself",
    "/admin/gallery": "keeps nothing",
}


def test_every_address_that_changes_something_is_in_the_trail_or_says_why_not(site: PeopledSite) -> None:
    changing = {re.sub(r"<[^>]*>", "{}", route.rule) for route in routes(site.app) if route.changes}

    assert changing == set(ACTS) | set(SILENT)
    assert not set(ACTS) & set(SILENT)


def test_every_act_is_written_somewhere() -> None:
    code = "".join(
        file.read_text(encoding="utf-8")
        for package in ("marketplace", "catalog", "resellers")
        for file in (ROOT / package).rglob("*.py")
    )
    named = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', code))
    # Parties and ends are named after their subject.
    named |= {f"{subject}.{verb}" for subject in ("reseller", "customer") for verb in ("add", "change")}
    named |= {f"{subject}.end" for subject in ("account_mapping", "price_rule")}
    # Turns of an order are named by where they lead.
    named |= {f"sales_order.{act}" for act in ("submit", "cancel", "quote")}

    assert sorted(set(ACTS.values()) - named) == []
