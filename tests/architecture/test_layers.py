"""Every part of the tree has its place in the layers."""

import pkgutil
import tomllib
from pathlib import Path

import marketplace

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
OUTSIDE = {"__main__", "migrations"}
"""The entry of the commands, and what Alembic runs."""


def test_no_capability_is_missing_from_the_layers() -> None:
    contracts = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    layers = " | ".join(contracts[0]["layers"]).replace("(", "").replace(")", "").split(" | ")

    parts = {package.name for package in pkgutil.iter_modules(marketplace.__path__)} - OUTSIDE

    assert {f"marketplace.{part}" for part in parts} <= set(layers)
