"""The kinds of parties and terms: the words of each, its columns, its list, its import."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from catalog.operations.exchange_rates import import_fx_rates
from catalog.queries.exchange_rates import fx_list
from catalog.rules.exchange_rates import FX_COLUMNS
from marketplace.core.actor import Actor, Permission
from marketplace.core.csv_table import ImportResult
from marketplace.core.errors import N_
from marketplace.web.admin.terms_lists import CUSTOMERS, FX, MAPPINGS, RESELLERS, RULES
from marketplace.web.listing import ListView
from resellers.imports.accounts import COLUMNS as ACCOUNT_COLUMNS
from resellers.imports.accounts import import_accounts
from resellers.imports.parties import import_customers, import_resellers
from resellers.imports.price_rules import import_price_rules
from resellers.operations.ends import end_mapping, end_price_rule
from resellers.queries.terms import customer_list, mapping_list, reseller_list, rule_list
from resellers.rules.identity import CUSTOMER_COLUMNS, RESELLER_COLUMNS
from resellers.rules.price_rules import COLUMNS as RULE_COLUMNS

Import = Callable[..., ImportResult]
End = Callable[[Session, Actor, UUID, date], object]


@dataclass(frozen=True, kw_only=True)
class TermsPage:
    """One kind of party or term: its words, its columns, its list, its import."""

    name: str
    title: str
    lead: str
    add: str
    columns: tuple[str, ...]
    carry_out: Import
    view: ListView[Any]
    statement: Callable[[], Any]
    manage: Permission
    required: frozenset[str]
    icon: str
    # Whether the change moves amounts, so that its effect is worth showing first.
    moves_amounts: bool = False
    end: End | None = None


PAGES = (
    TermsPage(
        name="resellers",
        icon="building-store",
        required=frozenset({"reference", "legal_name", "country", "currency"}),
        title=N_("Resellers"),
        lead=N_("The firms that buy here and sell to customers."),
        add=N_("Add a reseller"),
        columns=RESELLER_COLUMNS,
        carry_out=import_resellers,
        view=RESELLERS,
        statement=reseller_list,
        manage=Permission.WHOLESALER_PARTIES_MANAGE,
    ),
    TermsPage(
        name="customers",
        icon="building",
        required=frozenset({"reference", "reseller", "legal_name", "country", "currency"}),
        title=N_("Customers"),
        lead=N_("The firms that use what is sold, each with its reseller."),
        add=N_("Add a customer"),
        columns=CUSTOMER_COLUMNS,
        carry_out=import_customers,
        view=CUSTOMERS,
        statement=customer_list,
        manage=Permission.WHOLESALER_PARTIES_MANAGE,
    ),
    TermsPage(
        name="accounts",
        icon="link",
        required=frozenset({"vendor", "account", "customer"}),
        title=N_("Accounts"),
        lead=N_("Whose each vendor account is, from a day until a day. What nobody owns is never billed."),
        add=N_("Map an account"),
        columns=ACCOUNT_COLUMNS,
        carry_out=import_accounts,
        view=MAPPINGS,
        statement=mapping_list,
        manage=Permission.WHOLESALER_TERMS_MANAGE,
        moves_amounts=True,
        end=lambda session, actor, id_, end: end_mapping(session, actor=actor, mapping_id=id_, end=end),
    ),
    TermsPage(
        name="rules",
        icon="tags",
        required=frozenset({"hop", "basis"}),
        title=N_("Price rules"),
        lead=N_("What each hop costs. The most specific rule wins; no rule means at cost."),
        add=N_("Add a price rule"),
        columns=RULE_COLUMNS,
        carry_out=import_price_rules,
        view=RULES,
        statement=rule_list,
        manage=Permission.WHOLESALER_TERMS_MANAGE,
        moves_amounts=True,
        end=lambda session, actor, id_, end: end_price_rule(session, actor=actor, rule_id=id_, end=end),
    ),
    TermsPage(
        name="fx",
        icon="arrows-exchange",
        required=frozenset(FX_COLUMNS),
        title=N_("Exchange rates"),
        lead=N_("The rate of each month, one way. A missing rate parks the statements that need it."),
        add=N_("Set a rate"),
        columns=FX_COLUMNS,
        carry_out=import_fx_rates,
        view=FX,
        statement=fx_list,
        manage=Permission.WHOLESALER_TERMS_MANAGE,
        moves_amounts=True,
    ),
)
