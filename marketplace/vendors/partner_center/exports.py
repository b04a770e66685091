"""The files of usage and reconciliation, as the second version of the vendor's billing interface offers them.

A request is accepted, an operation makes the files, a manifest names them. Pure: bodies in, values out.
"""

from collections.abc import Mapping
from typing import Any

from marketplace.vendors.errors import VendorAnswerUnreadable, VendorRefused
from marketplace.vendors.partner_center.client import VENDOR
from marketplace.vendors.partner_center.faults import remedy_for
from marketplace.vendors.values import FileKind, FileRequest, FilesOnOffer

_ROOT = "v1.0/reports/partners/billing"
_FORMAT = "compressedJSON"
_SUCCEEDED, _FAILED = "succeeded", "failed"


def path_of(request: FileRequest) -> str:
    """Give the path files are asked for at."""
    kind = "usage" if request.kind is FileKind.USAGE else "reconciliation"
    return f"{_ROOT}/{kind}/{'billed' if request.invoice else 'unbilled'}/export"


def body_of(request: FileRequest) -> dict[str, Any]:
    """Write which files."""
    if request.invoice:
        return {"invoiceId": request.invoice, "attributeSet": "full"}
    period = "last" if request.is_last_month else "current"
    return {"currencyCode": request.currency, "billingPeriod": period, "attributeSet": "full"}


def files_of(operation: Mapping[str, Any]) -> FilesOnOffer | None:
    """Read an operation: None while it runs. Raises `VendorRefused` where it failed."""
    status = str(operation.get("status", "")).casefold()
    if status == _FAILED:
        error = operation.get("error") or {}
        code = str(error.get("code", "failed"))
        raise VendorRefused(
            vendor=VENDOR, words=str(error.get("message", "")), code=code, remedy=remedy_for(code)
        )
    if status != _SUCCEEDED:
        return None
    manifest = operation.get("resourceLocation") or {}
    if not str(manifest.get("dataFormat", "")).startswith(_FORMAT):
        raise VendorAnswerUnreadable(vendor=VENDOR, reason=f"files as {manifest.get('dataFormat')}")
    names = tuple(str(blob["name"]) for blob in manifest.get("blobs", ()))
    if len(names) != int(manifest.get("blobCount", -1)):
        raise VendorAnswerUnreadable(vendor=VENDOR, reason="a manifest that names fewer files than it counts")
    return FilesOnOffer(
        reference=str(manifest.get("id", "")),
        root=str(manifest["rootDirectory"]).rstrip("/"),
        token=str(manifest.get("sasToken", "")).lstrip("?"),
        names=names,
        version=str(manifest.get("schemaVersion", "")),
    )
