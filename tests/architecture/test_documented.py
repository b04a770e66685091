"""What people can set, run, and be allowed stands in the documents, which are written from the code."""

import re

import pytest

from marketplace.accounts.roles import (
    KEEPER,
    ROLE_HINTS,
    ROLE_LABELS,
    Role,
    documentation,
    permissions_of,
    roles_of,
)
from marketplace.core.actor import PERMISSION_LABELS, Audience, Permission
from marketplace.settings import documentation as settings_documentation
from tests.architecture.regenerate import DOCS, commands, commands_text


def test_the_table_of_permissions_is_the_one_of_the_code() -> None:
    assert (DOCS / "permissions.md").read_text(encoding="utf-8") == documentation(), "make docs"


def test_the_table_of_settings_is_the_one_of_the_code() -> None:
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == settings_documentation(), "make docs"


def test_every_command_is_documented() -> None:
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == commands_text(), "make docs"


def test_every_option_of_every_command_says_what_it_is_for() -> None:
    silent = [
        f"{words} {action.dest}"
        for words, parser in commands()
        for action in parser._actions
        if not action.help and not action.choices
    ]

    assert silent == []


def test_every_permission_has_a_label_and_somebody_who_holds_it() -> None:
    held = {
        permission
        for audience in Audience
        for role in roles_of(audience)
        for permission in permissions_of(audience, role)
    }

    assert set(PERMISSION_LABELS) == set(Permission)
    assert held == set(Permission)


def test_every_role_has_a_label_and_says_what_it_is_for() -> None:
    assert set(ROLE_LABELS) == set(Role)
    assert set(ROLE_HINTS) == {(audience, role) for audience in Audience for role in roles_of(audience)}


def test_nobody_holds_a_permission_of_another_audience() -> None:
    for audience in Audience:
        for role in roles_of(audience):
            kinds = {permission.partition(":")[0] for permission in permissions_of(audience, role)}
            assert kinds <= {audience.value, "account"}, (audience, role)


def test_whoever_keeps_a_firm_holds_all_of_it() -> None:
    for audience in Audience:
        everything = {permission for permission in Permission if permission.startswith(f"{audience.value}:")}
        assert everything <= permissions_of(audience, KEEPER[audience])


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_every_place_a_document_names_is_there(document: str) -> None:
    root = DOCS.parent
    named = set(re.findall(r"`((?:[\w-]+/)+[\w.-]*)`", (root / document).read_text(encoding="utf-8")))

    missing = [
        place for place in named if not any((root / at / place).exists() for at in ("", "marketplace"))
    ]

    assert missing == []
