"""Roles and what each allows: the only place that says so. `docs/permissions.md` is generated from here."""

from enum import StrEnum

from marketplace.core.actor import PERMISSION_LABELS, Audience, Permission
from marketplace.core.errors import N_, Refusal


class Role(StrEnum):
    """What a person does at a firm."""

    ADMINISTRATOR = "administrator"
    FINANCE = "finance"
    CATALOGUE = "catalogue"
    SUPPORT = "support"
    OWNER = "owner"
    SALES = "sales"
    VIEWER = "viewer"


ROLE_LABELS = {
    Role.ADMINISTRATOR: N_("Administrator"),
    Role.FINANCE: N_("Finance"),
    Role.CATALOGUE: N_("Catalogue"),
    Role.SUPPORT: N_("Support"),
    Role.OWNER: N_("Owner"),
    Role.SALES: N_("Sales"),
    Role.VIEWER: N_("Viewer"),
}

AUDIENCE_LABELS = {
    Audience.WHOLESALER: N_("Wholesaler"),
    Audience.RESELLER: N_("Reseller"),
    Audience.CUSTOMER: N_("Customer"),
}

# What a role is for, in one line, shown where roles are chosen.
ROLE_HINTS = {
    (Audience.WHOLESALER, Role.ADMINISTRATOR): N_("Everything, including people and settings"),
    (Audience.WHOLESALER, Role.FINANCE): N_("Imports, closes, approves, and keeps parties and terms"),
    (Audience.WHOLESALER, Role.CATALOGUE): N_(
        "Keeps the catalogue, price rules, mappings and exchange rates"
    ),
    (Audience.WHOLESALER, Role.SUPPORT): N_("Looks, views as others, and answers questions"),
    (Audience.RESELLER, Role.OWNER): N_("Everything of the firm, including its people"),
    (Audience.RESELLER, Role.SALES): N_("Customers and their questions, without purchase prices"),
    (Audience.RESELLER, Role.FINANCE): N_("Statements, margins and retail rules"),
    (Audience.CUSTOMER, Role.OWNER): N_("Everything of the firm, including its people"),
    (Audience.CUSTOMER, Role.VIEWER): N_("Consumption and statements"),
}

_P = Permission
_EVERYBODY = frozenset({_P.ACCOUNT_SELF_MANAGE})


def _all_of(audience: Audience) -> frozenset[Permission]:
    return frozenset(permission for permission in Permission if permission.startswith(f"{audience.value}:"))


_GRANTS: dict[tuple[Audience, Role], frozenset[Permission]] = {
    (Audience.WHOLESALER, Role.ADMINISTRATOR): _all_of(Audience.WHOLESALER),
    (Audience.WHOLESALER, Role.FINANCE): _all_of(Audience.WHOLESALER)
    - {_P.WHOLESALER_USERS_MANAGE, _P.WHOLESALER_SETTINGS_MANAGE, _P.WHOLESALER_FLOORS_MANAGE},
    (Audience.WHOLESALER, Role.CATALOGUE): frozenset(
        {
            _P.WHOLESALER_HOME_VIEW,
            _P.WHOLESALER_USAGE_VIEW,
            _P.WHOLESALER_PERIODS_VIEW,
            _P.WHOLESALER_PARTIES_VIEW,
            _P.WHOLESALER_TERMS_VIEW,
            _P.WHOLESALER_TERMS_MANAGE,
            _P.WHOLESALER_CATALOGUE_VIEW,
            _P.WHOLESALER_CATALOGUE_MANAGE,
            _P.WHOLESALER_SUBSCRIPTIONS_VIEW,
            _P.WHOLESALER_ORDERS_VIEW,
            _P.WHOLESALER_VENDORS_VIEW,
        }
    ),
    (Audience.WHOLESALER, Role.SUPPORT): frozenset(
        {
            _P.WHOLESALER_HOME_VIEW,
            _P.WHOLESALER_USAGE_VIEW,
            _P.WHOLESALER_PERIODS_VIEW,
            _P.WHOLESALER_STATEMENTS_VIEW,
            _P.WHOLESALER_PARTIES_VIEW,
            _P.WHOLESALER_APPLICATIONS_VIEW,
            _P.WHOLESALER_TERMS_VIEW,
            _P.WHOLESALER_USERS_VIEW,
            _P.WHOLESALER_PARTIES_VIEW_AS,
            _P.WHOLESALER_QUESTIONS_ANSWER,
            _P.WHOLESALER_CATALOGUE_VIEW,
            _P.WHOLESALER_SUBSCRIPTIONS_VIEW,
            _P.WHOLESALER_ORDERS_VIEW,
            _P.WHOLESALER_ORDERS_PLACE,
            _P.WHOLESALER_VENDORS_VIEW,
            _P.WHOLESALER_VENDORS_MANAGE,
        }
    ),
    (Audience.RESELLER, Role.OWNER): _all_of(Audience.RESELLER),
    # Sales people sell: what the firm itself pays and earns is not theirs to see.
    (Audience.RESELLER, Role.SALES): frozenset(
        {
            _P.RESELLER_HOME_VIEW,
            _P.RESELLER_CUSTOMERS_VIEW,
            _P.RESELLER_CUSTOMERS_MANAGE,
            _P.RESELLER_QUESTIONS_ASK,
            _P.RESELLER_QUESTIONS_ANSWER,
            _P.RESELLER_SUBSCRIPTIONS_VIEW,
            _P.RESELLER_SUBSCRIPTIONS_MANAGE,
            _P.RESELLER_ORDERS_VIEW,
            _P.RESELLER_ORDERS_PLACE,
            _P.RESELLER_INQUIRIES_ANSWER,
        }
    ),
    (Audience.RESELLER, Role.FINANCE): _all_of(Audience.RESELLER)
    - {
        _P.RESELLER_USERS_MANAGE,
        _P.RESELLER_AUDIT_VIEW,
        _P.RESELLER_FIRM_MANAGE,
        _P.RESELLER_RULES_BELOW_FLOOR,
        _P.RESELLER_FLOORS_MANAGE,
    },
    (Audience.CUSTOMER, Role.OWNER): _all_of(Audience.CUSTOMER),
    (Audience.CUSTOMER, Role.VIEWER): frozenset(
        {
            _P.CUSTOMER_HOME_VIEW,
            _P.CUSTOMER_STATEMENTS_VIEW,
            _P.CUSTOMER_QUESTIONS_ASK,
            _P.CUSTOMER_SUBSCRIPTIONS_VIEW,
            _P.CUSTOMER_ORDERS_VIEW,
        }
    ),
}

#: The role that decides about the others at each party: the last of them cannot be taken away.
KEEPER = {
    Audience.WHOLESALER: Role.ADMINISTRATOR,
    Audience.RESELLER: Role.OWNER,
    Audience.CUSTOMER: Role.OWNER,
}


class UnknownRole(Refusal):
    """The audience has no such role."""

    sentence = N_('"%(role)s" is not a role of a %(audience)s. There are: %(known)s.')


def roles_of(audience: Audience) -> list[Role]:
    """Give the roles of an audience, the most powerful first."""
    return [role for (its, role) in _GRANTS if its is audience]


def role_of(audience: Audience, name: str) -> Role:
    """Read the name of a role. Raises `UnknownRole`."""
    for role in roles_of(audience):
        if role.value == name:
            return role
    known = ", ".join(role.value for role in roles_of(audience))
    raise UnknownRole(role=name, audience=audience.value, known=known)


def permissions_of(audience: Audience, role: Role) -> frozenset[Permission]:
    """Give everything a role allows."""
    return _GRANTS[audience, role] | _EVERYBODY


def looking_permissions(audience: Audience) -> frozenset[Permission]:
    """Give what staff may open while they view as a party: its owner's pages, but no person's own."""
    return _GRANTS[audience, KEEPER[audience]]


def documentation() -> str:
    """Write `docs/permissions.md`."""
    text = (
        "# Permissions\n\nWhat each role allows. A person may hold roles at several firms and acts in one of them at "
        "a time.\nThis page is generated: `make docs`.\n"
    )
    for audience in Audience:
        roles = roles_of(audience)
        text += f"\n## {AUDIENCE_LABELS[audience]}\n\n"
        text += "| Permission | Meaning | " + " | ".join(ROLE_LABELS[role] for role in roles) + " |\n"
        text += "|---|---|" + ":-:|" * len(roles) + "\n"
        for permission in Permission:
            if permission.split(":")[0] not in {audience.value, "account"}:
                continue
            marks = ("yes" if permission in permissions_of(audience, role) else "" for role in roles)
            text += (
                f"| `{permission.value}` | {PERMISSION_LABELS[permission]} | " + " | ".join(marks) + " |\n"
            )
    return text


if __name__ == "__main__":
    print(documentation(), end="")  # noqa: T201 - written to docs/permissions.md
