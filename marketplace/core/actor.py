"""Who is asking: built at the edge once per request or command, passed inwards as an argument."""

from dataclasses import dataclass, field
from enum import StrEnum

from marketplace.core.errors import N_
from marketplace.core.look import Look


class Audience(StrEnum):
    """The three parties a person can act for."""

    WHOLESALER = "wholesaler"
    RESELLER = "reseller"
    CUSTOMER = "customer"


class Permission(StrEnum):
    """Everything that can be allowed, as `audience:resource:action`. Roles map to sets of these."""

    WHOLESALER_HOME_VIEW = "wholesaler:home:view"
    WHOLESALER_USAGE_VIEW = "wholesaler:usage:view"
    WHOLESALER_USAGE_IMPORT = "wholesaler:usage:import"
    WHOLESALER_PERIODS_VIEW = "wholesaler:periods:view"
    WHOLESALER_PERIODS_RATE = "wholesaler:periods:rate"
    WHOLESALER_PERIODS_APPROVE = "wholesaler:periods:approve"
    WHOLESALER_PERIODS_CLOSE = "wholesaler:periods:close"
    WHOLESALER_PERIODS_REOPEN = "wholesaler:periods:reopen"
    WHOLESALER_STATEMENTS_VIEW = "wholesaler:statements:view"
    WHOLESALER_PARTIES_VIEW = "wholesaler:parties:view"
    WHOLESALER_PARTIES_MANAGE = "wholesaler:parties:manage"
    WHOLESALER_APPLICATIONS_VIEW = "wholesaler:applications:view"
    WHOLESALER_APPLICATIONS_REVIEW = "wholesaler:applications:review"
    WHOLESALER_TERMS_VIEW = "wholesaler:terms:view"
    WHOLESALER_TERMS_MANAGE = "wholesaler:terms:manage"
    WHOLESALER_TERMS_BELOW_FLOOR = "wholesaler:terms:below-floor"
    WHOLESALER_FLOORS_MANAGE = "wholesaler:floors:manage"
    WHOLESALER_USERS_VIEW = "wholesaler:users:view"
    WHOLESALER_USERS_MANAGE = "wholesaler:users:manage"
    WHOLESALER_SETTINGS_MANAGE = "wholesaler:settings:manage"
    WHOLESALER_AUDIT_VIEW = "wholesaler:audit:view"
    WHOLESALER_PARTIES_VIEW_AS = "wholesaler:parties:view-as"
    WHOLESALER_QUESTIONS_ANSWER = "wholesaler:questions:answer"
    WHOLESALER_CATALOGUE_VIEW = "wholesaler:catalogue:view"
    WHOLESALER_CATALOGUE_MANAGE = "wholesaler:catalogue:manage"
    WHOLESALER_SUBSCRIPTIONS_VIEW = "wholesaler:subscriptions:view"
    WHOLESALER_SUBSCRIPTIONS_MANAGE = "wholesaler:subscriptions:manage"
    WHOLESALER_VENDORS_VIEW = "wholesaler:vendors:view"
    WHOLESALER_VENDORS_MANAGE = "wholesaler:vendors:manage"
    WHOLESALER_ORDERS_VIEW = "wholesaler:orders:view"
    WHOLESALER_ORDERS_PLACE = "wholesaler:orders:place"
    WHOLESALER_ORDERS_APPROVE = "wholesaler:orders:approve"
    WHOLESALER_CREDIT_MANAGE = "wholesaler:credit:manage"
    RESELLER_HOME_VIEW = "reseller:home:view"
    RESELLER_STATEMENTS_VIEW = "reseller:statements:view"
    RESELLER_CUSTOMERS_VIEW = "reseller:customers:view"
    RESELLER_CUSTOMERS_MANAGE = "reseller:customers:manage"
    RESELLER_FIRM_VIEW = "reseller:firm:view"
    RESELLER_FIRM_MANAGE = "reseller:firm:manage"
    RESELLER_PAYMENTS_MANAGE = "reseller:payments:manage"
    RESELLER_MARGINS_VIEW = "reseller:margins:view"
    RESELLER_RULES_MANAGE = "reseller:rules:manage"
    RESELLER_RULES_BELOW_FLOOR = "reseller:rules:below-floor"
    RESELLER_FLOORS_MANAGE = "reseller:floors:manage"
    RESELLER_QUESTIONS_ASK = "reseller:questions:ask"
    RESELLER_QUESTIONS_ANSWER = "reseller:questions:answer"
    RESELLER_SUBSCRIPTIONS_VIEW = "reseller:subscriptions:view"
    RESELLER_SUBSCRIPTIONS_MANAGE = "reseller:subscriptions:manage"
    RESELLER_INQUIRIES_ANSWER = "reseller:inquiries:answer"
    RESELLER_ORDERS_VIEW = "reseller:orders:view"
    RESELLER_ORDERS_PLACE = "reseller:orders:place"
    RESELLER_ORDERS_APPROVE = "reseller:orders:approve"
    RESELLER_USERS_MANAGE = "reseller:users:manage"
    RESELLER_AUDIT_VIEW = "reseller:audit:view"
    CUSTOMER_HOME_VIEW = "customer:home:view"
    CUSTOMER_STATEMENTS_VIEW = "customer:statements:view"
    CUSTOMER_QUESTIONS_ASK = "customer:questions:ask"
    CUSTOMER_SUBSCRIPTIONS_VIEW = "customer:subscriptions:view"
    CUSTOMER_SUBSCRIPTIONS_MANAGE = "customer:subscriptions:manage"
    CUSTOMER_ORDERS_VIEW = "customer:orders:view"
    CUSTOMER_ORDERS_PLACE = "customer:orders:place"
    CUSTOMER_USERS_MANAGE = "customer:users:manage"
    CUSTOMER_AUDIT_VIEW = "customer:audit:view"
    ACCOUNT_SELF_MANAGE = "account:self:manage"


PERMISSION_LABELS = {
    Permission.WHOLESALER_HOME_VIEW: N_("See the first page"),
    Permission.WHOLESALER_USAGE_VIEW: N_("See imports and their rejects"),
    Permission.WHOLESALER_USAGE_IMPORT: N_("Import vendor files, and undo an import"),
    Permission.WHOLESALER_PERIODS_VIEW: N_("See periods, their review and reconciliation"),
    Permission.WHOLESALER_PERIODS_RATE: N_("Rate a period"),
    Permission.WHOLESALER_PERIODS_APPROVE: N_("Approve what was rated"),
    Permission.WHOLESALER_PERIODS_CLOSE: N_("Close a period"),
    Permission.WHOLESALER_PERIODS_REOPEN: N_("Reopen a period, with a reason"),
    Permission.WHOLESALER_STATEMENTS_VIEW: N_("See and export all statements"),
    Permission.WHOLESALER_PARTIES_VIEW: N_("See resellers and customers"),
    Permission.WHOLESALER_PARTIES_MANAGE: N_("Add and change resellers and customers"),
    Permission.WHOLESALER_APPLICATIONS_VIEW: N_("See firms that wish to become resellers"),
    Permission.WHOLESALER_APPLICATIONS_REVIEW: N_("Ask applicants for more, approve and refuse"),
    Permission.WHOLESALER_TERMS_VIEW: N_("See price rules, mappings and exchange rates"),
    Permission.WHOLESALER_TERMS_MANAGE: N_("Change price rules, mappings and exchange rates"),
    Permission.WHOLESALER_TERMS_BELOW_FLOOR: N_("Enter price rules below the soft floor of margins"),
    Permission.WHOLESALER_FLOORS_MANAGE: N_("Set the floors of margins"),
    Permission.WHOLESALER_USERS_VIEW: N_("See people and their roles"),
    Permission.WHOLESALER_USERS_MANAGE: N_("Invite people, change roles, deactivate"),
    Permission.WHOLESALER_SETTINGS_MANAGE: N_("Change the wholesaler's own particulars"),
    Permission.WHOLESALER_AUDIT_VIEW: N_("Read the audit trail"),
    Permission.WHOLESALER_PARTIES_VIEW_AS: N_("View as a reseller or customer, without changing anything"),
    Permission.WHOLESALER_QUESTIONS_ANSWER: N_("Answer questions about lines"),
    Permission.WHOLESALER_CATALOGUE_VIEW: N_("See products, price lists with costs, and promotions"),
    Permission.WHOLESALER_CATALOGUE_MANAGE: N_(
        "Import price lists, put them in force, and keep the catalogue"
    ),
    Permission.WHOLESALER_SUBSCRIPTIONS_VIEW: N_("See subscriptions and what renews when"),
    Permission.WHOLESALER_SUBSCRIPTIONS_MANAGE: N_("Change subscriptions and say how they renew"),
    Permission.WHOLESALER_VENDORS_VIEW: N_("See vendors, what is asked of them and what is stuck"),
    Permission.WHOLESALER_VENDORS_MANAGE: N_(
        "Retry, answer, give up or fulfil by hand what is asked of vendors"
    ),
    Permission.WHOLESALER_ORDERS_VIEW: N_("See orders, quotes and what they wait for"),
    Permission.WHOLESALER_ORDERS_PLACE: N_("Order on behalf of a reseller's customer"),
    Permission.WHOLESALER_ORDERS_APPROVE: N_("Approve or refuse orders, and say which need approval"),
    Permission.WHOLESALER_CREDIT_MANAGE: N_("Set credit limits, settle statements, let orders pass a limit"),
    Permission.RESELLER_HOME_VIEW: N_("See the first page"),
    Permission.RESELLER_STATEMENTS_VIEW: N_("See and export what the firm owes"),
    Permission.RESELLER_CUSTOMERS_VIEW: N_("See customers and what they consume"),
    Permission.RESELLER_CUSTOMERS_MANAGE: N_("Add and change customers, and invite their people"),
    Permission.RESELLER_FIRM_VIEW: N_("See the firm's enrolments and terms"),
    Permission.RESELLER_FIRM_MANAGE: N_("Accept agreements for the firm, and choose its brand"),
    Permission.RESELLER_PAYMENTS_MANAGE: N_("Note what customers paid, and take it back"),
    Permission.RESELLER_MARGINS_VIEW: N_("See purchase prices and margins"),
    Permission.RESELLER_RULES_MANAGE: N_("Change the firm's retail rules"),
    Permission.RESELLER_RULES_BELOW_FLOOR: N_("Sell below the firm's soft floor of margins"),
    Permission.RESELLER_FLOORS_MANAGE: N_("Set the firm's floors of margins"),
    Permission.RESELLER_QUESTIONS_ASK: N_("Ask the wholesaler about a line"),
    Permission.RESELLER_QUESTIONS_ANSWER: N_("Answer customers' questions"),
    Permission.RESELLER_SUBSCRIPTIONS_VIEW: N_("See customers' subscriptions and what renews when"),
    Permission.RESELLER_SUBSCRIPTIONS_MANAGE: N_("Change customers' subscriptions and say how they renew"),
    Permission.RESELLER_INQUIRIES_ANSWER: N_("Answer what vendors ask about orders"),
    Permission.RESELLER_ORDERS_VIEW: N_("See the shop, orders and quotes"),
    Permission.RESELLER_ORDERS_PLACE: N_("Order and quote for customers"),
    Permission.RESELLER_ORDERS_APPROVE: N_("Approve or refuse orders, and say which need approval"),
    Permission.RESELLER_USERS_MANAGE: N_("Invite colleagues, change roles, deactivate"),
    Permission.RESELLER_AUDIT_VIEW: N_("Read who did what in the firm"),
    Permission.CUSTOMER_HOME_VIEW: N_("See the first page"),
    Permission.CUSTOMER_STATEMENTS_VIEW: N_("See and export statements and consumption"),
    Permission.CUSTOMER_QUESTIONS_ASK: N_("Ask the reseller about a line"),
    Permission.CUSTOMER_SUBSCRIPTIONS_VIEW: N_("See the firm's subscriptions and when they renew"),
    Permission.CUSTOMER_SUBSCRIPTIONS_MANAGE: N_("Say how the firm's subscriptions renew"),
    Permission.CUSTOMER_ORDERS_VIEW: N_("See the firm's orders and quotes"),
    Permission.CUSTOMER_ORDERS_PLACE: N_("Order, where the reseller allows it, and accept quotes"),
    Permission.CUSTOMER_USERS_MANAGE: N_("Invite colleagues, change roles, deactivate"),
    Permission.CUSTOMER_AUDIT_VIEW: N_("Read who did what in the firm"),
    Permission.ACCOUNT_SELF_MANAGE: N_("Manage one's own password, sessions and profile"),
}


class Machine(StrEnum):
    """What acts where no person does. The name is kept with what it did, and said in each reader's language."""

    MARKETPLACE = N_("Marketplace")
    COMMAND_LINE = N_("command line")
    FILE_IMPORT = N_("import of files")
    RENEWAL_POLICY = N_("renewal policy")


@dataclass(frozen=True)
class Actor:
    """A person, or the system itself, acting for one party.

    `party_id` is the reseller's or customer's id, None for the wholesaler. While staff view as another party,
    `staff_id` and `staff_name` name the person really there and `is_read_only` is set.
    """

    name: str
    audience: Audience
    party_id: int | None = None
    user_id: int | None = None
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    staff_id: int | None = None
    staff_name: str = ""
    is_read_only: bool = False
    # The firm's name, for screens to show.
    party_name: str = ""
    # The brand of the reseller whose pages these are, the actor's own or its seller's.
    look: Look | None = None

    @classmethod
    def system(cls, name: str = Machine.MARKETPLACE) -> "Actor":
        """Give the actor of commands and jobs: the wholesaler's own machine, allowed everything."""
        return cls(name=str(name), audience=Audience.WHOLESALER, permissions=frozenset(Permission))

    def may(self, permission: Permission) -> bool:
        """Whether the actor holds a permission."""
        return permission in self.permissions

    @property
    def reseller_id(self) -> int | None:
        """The reseller the actor acts for, if any."""
        return self.party_id if self.audience is Audience.RESELLER else None

    @property
    def customer_id(self) -> int | None:
        """The customer the actor acts for, if any."""
        return self.party_id if self.audience is Audience.CUSTOMER else None
