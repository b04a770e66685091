"""Rules about the code itself that no linter knows: read as syntax, everywhere."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy.orm import configure_mappers

from marketplace import schema
from marketplace.core.db import Base

ROOT = Path(__file__).parents[2]
PACKAGES = ("marketplace", "catalog", "resellers")

#: Where an amount may be rounded, a clock read, or a float met: each with its reason.
MAY_ROUND = {
    "marketplace/core/rounding.py": "the one place where amounts are rounded",
}
NO_AMOUNTS = {
    "marketplace/web/charts/bars.py": "coordinates of drawings",
    "marketplace/web/charts/drawing.py": "coordinates of drawings",
    "marketplace/web/charts/shares.py": "coordinates of drawings",
    "marketplace/web/charts/sparkline.py": "coordinates of drawings",
    "marketplace/web/charts/steps.py": "coordinates of drawings",
    "marketplace/web/request_log.py": "milliseconds",
    "marketplace/web/filters.py": "seconds of a duration",
}
MAY_READ_THE_CLOCK = {
    "marketplace/core/clock.py": "the one place where the clock is read",
}
CLOCKS = {"now", "utcnow", "today", "utcfromtimestamp"}
CLOCK_OWNERS = {"datetime", "date", "dt"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Give every module of the product by its path."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield str(file.relative_to(ROOT)), ast.parse(file.read_text(encoding="utf-8"))


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Give every call."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_nothing_rounds_but_the_one_module_that_may() -> None:
    found = [
        f"{path}:{call.lineno}"
        for path, tree in modules()
        if path not in MAY_ROUND | NO_AMOUNTS
        for call in calls(tree)
        if isinstance(call.func, ast.Name) and call.func.id == "round" and not _is_about_seconds(call)
    ]

    assert found == []


def test_no_float_is_made() -> None:
    found = [
        f"{path}:{call.lineno}"
        for path, tree in modules()
        if path not in NO_AMOUNTS
        for call in calls(tree)
        if isinstance(call.func, ast.Name) and call.func.id == "float"
    ]

    assert found == []


def test_no_decimal_is_made_of_a_float() -> None:
    found = [
        f"{path}:{call.lineno}"
        for path, tree in modules()
        for call in calls(tree)
        if isinstance(call.func, ast.Name)
        and call.func.id == "Decimal"
        and any(
            isinstance(argument, ast.Constant) and isinstance(argument.value, float) for argument in call.args
        )
    ]

    assert found == []


def test_the_clock_is_read_in_one_place() -> None:
    found = [
        f"{path}:{call.lineno}"
        for path, tree in modules()
        if path not in MAY_READ_THE_CLOCK
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in CLOCKS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in CLOCK_OWNERS
    ]

    assert found == []


def test_who_is_signed_in_is_read_in_one_place() -> None:
    found = [
        path
        for path, tree in modules()
        if path != "marketplace/web/session.py"
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and node.module == "flask_login")
        or (isinstance(node, ast.Import) and any(name.name == "flask_login" for name in node.names))
    ]

    assert found == []


def test_screens_work_as_the_owner_in_one_place() -> None:
    found = [
        f"{path}:{call.lineno}"
        for path, tree in modules()
        if path.startswith("marketplace/web/") and path != "marketplace/web/session.py"
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "owner_transaction"
    ]

    assert found == []


def test_operations_never_commit() -> None:
    found = [
        f"{path}:{call.lineno}"
        for path, tree in modules()
        if "/operations" in path
        or path.endswith(("queries.py", "rules.py"))
        or "/queries/" in path
        or "/rules/" in path
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"commit", "rollback"}
        and ast.unparse(call.func.value) == "session"
    ]

    assert found == []


def test_no_relationship_loads_by_itself() -> None:
    configure_mappers()
    found = [
        str(relationship)
        for mapper in Base.registry.mappers
        for relationship in mapper.relationships
        if relationship.lazy not in {"raise", "raise_on_sql"}
    ]

    assert found == []


def test_the_history_of_the_database_has_one_end() -> None:
    assert len(ScriptDirectory.from_config(schema._configuration()).get_heads()) == 1


def test_the_layers_hold() -> None:
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout[-3000:]


def _is_about_seconds(call: ast.Call) -> bool:
    """Whether what is rounded is named as a duration, which is no amount."""
    return any(
        "second" in ast.unparse(argument) or "time." in ast.unparse(argument) for argument in call.args
    )
