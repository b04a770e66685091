"""The files of usage and bills as the second billing interface lays them out: asked for, made, fetched."""

import gzip
import json
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, request

from marketplace.core.period import Period
from marketplace.vendors.simulator import bills, usage
from marketplace.vendors.simulator.answers import answer
from marketplace.vendors.simulator.desk import OWN_TENANT
from marketplace.vendors.simulator.documents import Operation
from marketplace.vendors.simulator.paths_of_vendor import desk, sent
from marketplace.vendors.simulator.refusals import Refused, not_found

blueprint = Blueprint("files", __name__)

_ROOT = "/v1.0/reports/partners/billing"
_ROWS_A_BLOB = 5000
_TOKEN = "sv=2024-11-04&sig=simulated"  # noqa: S105 - it opens nothing but made-up files


@blueprint.post(f"{_ROOT}/<kind>/<state>/export")
def export(kind: str, state: str) -> Response:
    """Begin to make files."""
    if kind not in {"usage", "reconciliation"} or state not in {"billed", "unbilled"}:
        raise not_found("Report", f"{kind}/{state}")
    body = sent()
    invoice = str(body.get("invoiceId", ""))
    if state == "billed" and invoice not in {one.number for one in bills.invoices(desk())}:
        raise not_found("Invoice", invoice)
    operation = Operation(
        id=desk().new_id("operation"),
        kind=kind,
        invoice=invoice,
        is_last_month=body.get("billingPeriod") == "last",
        ready_at=desk().now + timedelta(seconds=desk().world.provisioning_seconds),
    )
    desk().store.put(operation)
    place = f"{request.host_url}{_ROOT.lstrip('/')}/operations/{operation.id}"
    return answer({}, 202, Location=place)


@blueprint.get(f"{_ROOT}/operations/<name>")
def operation(name: str) -> Response:
    """Tell how far it is; at the end, what there is to fetch."""
    found = _operation(name)
    if desk().now < found.ready_at:
        return answer({"id": found.id, "status": "running"})
    count = -(-len(_rows(found)) // _ROWS_A_BLOB)
    names = [f"part-{number:05d}.json.gz" for number in range(count)]
    return answer(
        {
            "id": found.id,
            "status": "succeeded",
            "resourceLocation": {
                "id": found.id,
                "schemaVersion": "2",
                "dataFormat": "compressedJSON",
                "partitionType": "default",
                "eTag": found.id[:8],
                "partnerTenantId": OWN_TENANT,
                "rootDirectory": f"{request.host_url}blobs/{found.id}",
                "sasToken": _TOKEN,
                "blobCount": len(names),
                "blobs": [{"name": name, "partitionValue": str(i)} for i, name in enumerate(names)],
            },
        }
    )


@blueprint.get("/blobs/<name>/part-<int:number>.json.gz")
def blob(name: str, number: int) -> Response:
    """Give one file: JSON lines, packed."""
    if request.args.get("sig") != "simulated":
        raise Refused("403", "The signature is not valid.", 403)
    rows = _rows(_operation(name))[number * _ROWS_A_BLOB : (number + 1) * _ROWS_A_BLOB]
    return Response(_packed(rows), mimetype="application/gzip")


def _operation(name: str) -> Operation:
    found = desk().store.find(Operation, name)
    if found is None:
        raise not_found("Operation", name)
    return found


def _rows(found: Operation) -> list[dict[str, Any]]:
    if found.invoice:
        period, until = Period.from_number(int(found.invoice[1:])), None
    else:
        period = Period.of(desk().today)
        period = period.previous() if found.is_last_month else period
        until = desk().today
    if found.kind == "reconciliation":
        return bills.rows_of(desk(), period)
    rows = list(usage.daily_rows(desk(), period, until=until or period.end))
    if not found.invoice:
        # What is not billed yet has no invoice, and does not tell the reseller.
        rows = [{**row, "InvoiceNumber": "", "Tier2MpnId": ""} for row in rows]
    return rows


def _packed(rows: Iterable[dict[str, Any]]) -> bytes:
    lines = [json.dumps(row, default=_number, ensure_ascii=False) for row in rows]
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)


def _number(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(type(value).__name__)
