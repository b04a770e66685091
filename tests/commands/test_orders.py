"""`order place`: a file is ordered whole, checked without ordering, or refused by row."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from resellers.models.standing import Enrolment
from resellers.words import EnrolmentStatus, Programme
from tests.factories import make_customer, make_mapping, make_reseller
from tests.offer_factories import make_plan, make_sku
from tests.oracle.commands import Marketplace

HEAD = "customer,sku,term,billing_cycle,quantity,po_number\n"


@pytest.fixture
def installed(migrated: Marketplace) -> Marketplace:
    """An installation whose reseller R1 may sell to C1."""
    with migrated.session() as session:
        reseller = make_reseller(session, "R1")
        make_mapping(session, customer=make_customer(session, "C1", reseller=reseller), account="t1")
        session.add(
            Enrolment(
                reseller_id=reseller.id,
                vendor="microsoft",
                programme=Programme.INDIRECT_RESELLER.value,
                status=EnrolmentStatus.ACTIVE.value,
                partner_id="4847383",
                checked_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )
        make_plan(session, make_sku(session, reference="CFQ7TTC0LCHC"), cost="180")
    return migrated


def test_a_file_is_checked_then_ordered(installed: Marketplace, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(
        f"{HEAD}C1,CFQ7TTC0LCHC:0001,P1Y,monthly,10,PO-1\nC1,CFQ7TTC0LCHC:0001,P1Y,monthly,5,PO-2\n"
    )

    checked = installed.run("order", "place", str(file), "--dry-run")
    ordered = installed.run("order", "place", str(file))

    assert (checked["rows"], checked["orders"]) == (2, [])
    assert [(one["po_number"], one["state"], one["wholesale"]) for one in ordered["orders"]] == [
        ("PO-1", "provisioning", "1800.00 EUR"),
        ("PO-2", "provisioning", "900.00 EUR"),
    ]


def test_a_faulty_row_refuses_the_file_by_its_number(installed: Marketplace, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(f"{HEAD}C1,CFQ7TTC0LCHC:0001,P1Y,monthly,10,\nC9,CFQ7TTC0LCHC:0001,P1Y,monthly,1,\n")

    refused = installed.run("order", "place", str(file), code=1)

    assert "Row 2, customer “C9”" in str(refused)
