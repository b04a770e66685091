"""Our FOCUS files before the FinOps Foundation's own validator: nothing fails that is not the validator's fault.

Its faults are written down upstream: a pair of rules about InvoiceId contradict each other, and the rule on marketplace
payments fires wherever the issuer of the invoice is not the provider, which is what a reseller is. It also wants
names in ASCII; a firm keeps its name as it is written.
"""

import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.commands.conftest import Month
from tests.commands.conftest import month as month  # noqa: PLC0414 - the fixture
from tests.commands.month import PERIOD
from tests.conformance.conftest import PERIODS, RealMonth
from tests.oracle.commands import Marketplace

pytestmark = pytest.mark.conformance

VALIDATOR = Path(__file__).parents[2] / ".venv-focus" / "bin" / "focus-validator"
#: The last is the sum of the rules of a column, one of which is the fault before it.
FAULTS_OF_THE_VALIDATOR = {"InvoiceId-C-004-C", "BilledCost-C-005-C", "BilledCost-C-000-M"}
ASCII_NAMES = "BillingAccountName-C-002-M"


def failed_rules(file: Path) -> set[str]:
    """Validate a file; give the rules it breaks. The validator finds its list of currencies from where it lies."""
    if not VALIDATOR.exists():
        pytest.skip("the FOCUS validator is not installed: run `make focus-validator` (it needs Python 3.12)")
    (home,) = VALIDATOR.parents[1].glob("lib/python3.*/site-packages")
    report = file.with_suffix(".xml")
    options = ["--validate-version", "1.2", "--block-download", "--output-type", "unittest"]
    ended = subprocess.run(
        [VALIDATOR, "--data-file", file, *options, "--output-destination", report],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert report.exists(), ended.stdout + ended.stderr
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314 - written by the program just run
    assert len(cases) > 500, "the validator looked at fewer rules than it has"
    return {
        str(case.get("name")).partition(" ")[0]
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    }


def focus_file(
    marketplace: Marketplace, folder: Path, period: str, hop: str, *options: str, kind: str
) -> Path:
    file = folder / f"focus.{kind}"
    arguments = ("statements", "export", period, "--hop", hop, "--format", "focus", "--output", file)
    marketplace.run(*arguments, *options)
    return file


@pytest.mark.parametrize("hop", ["wholesale", "retail"])
def test_the_export_of_the_real_month_passes(real: RealMonth, tmp_path: Path, hop: str) -> None:
    # As Parquet: in a CSV file the validator takes account numbers for numbers.
    file = focus_file(real.marketplace, tmp_path, PERIODS[0], hop, kind="parquet")

    assert failed_rules(file) <= FAULTS_OF_THE_VALIDATOR


def test_the_export_of_a_single_line_passes(real: RealMonth, tmp_path: Path) -> None:
    file = focus_file(real.marketplace, tmp_path, PERIODS[1], "retail", kind="csv")

    assert failed_rules(file) <= FAULTS_OF_THE_VALIDATOR


@pytest.mark.parametrize(("hop", "options"), [("wholesale", ["--buyer", "R2"]), ("retail", [])])
def test_credits_corrections_and_whole_yen_pass(
    month: Month, tmp_path: Path, hop: str, options: list[str]
) -> None:
    file = focus_file(month.marketplace, tmp_path, PERIOD, hop, *options, kind="csv")

    assert failed_rules(file) <= FAULTS_OF_THE_VALIDATOR | {ASCII_NAMES}
