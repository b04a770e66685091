"""The offer matrix that vendors publish beside their price lists: limits, what is needed beside, what to upgrade to.

Columns: Microsoft, Partner Center, "Pricing and offers" (October 2023).
"""

from collections.abc import Mapping

from catalog.price_files.rows import PriceFile, Relation, SkuLimits
from catalog.price_files.sheets import sku_reference
from catalog.words import RelationKind
from marketplace.core.cells import Entry, Unusable, filled
from marketplace.core.errors import N_, FaultyRow, Phrase

COLUMNS = (
    *("ProductTitle", "ProductId", "SkuId", "SkuTitle", "MinLicenses", "MaxLicenses", "AssetOwnershipLimit"),
    *("AssetOwnershipLimitType", "ProductSkuPreRequisites", "ProductSkuConversion"),
)
_NAMES = {name.casefold(): name for name in COLUMNS}
_LONGEST_SHOWN = 200
_NONE: tuple[tuple[str, str], ...] = ()


class MatrixReader:
    """Takes one row after the other."""

    def __init__(self, read: PriceFile, *, file: str) -> None:
        """Add to what was read so far."""
        self._read, self._file = read, file

    def take(self, number: int, cells: Mapping[str, str]) -> None:
        """Read a row: limits and relations, or rejects naming what is wrong."""
        entry = Entry(cells)
        sku = entry.take("productid", filled, ""), entry.take("skuid", sku_reference, "")
        least = entry.take("minlicenses", _units, None) or 1
        most = entry.take("maxlicenses", _units, None) or None
        if most is not None and most < least:
            entry.fault("maxlicenses", Phrase.of(N_("is below the least quantity of the row")))
        limit = entry.take("assetownershiplimit", _units, None)
        needed = entry.take("productskuprerequisites", _skus, _NONE)
        better = entry.take("productskuconversion", _skus, _NONE)
        self._read.rejects += [
            FaultyRow(self._file, number, _NAMES[column], value[:_LONGEST_SHOWN], reason)
            for column, value, reason in entry.faults
        ]
        if entry.is_faulty:
            return
        self._read.limits.append(
            SkuLimits(
                number=number,
                sku=sku,
                minimum_quantity=least,
                maximum_quantity=most,
                customer_limit=limit or None,
                is_addon=bool(needed),
            )
        )
        self._read.relations += [Relation(sku, RelationKind.PREREQUISITE, one) for one in needed]
        self._read.relations += [Relation(sku, RelationKind.UPGRADE, one) for one in better if one != sku]


def _units(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise Unusable(Phrase.of(N_("is not a whole number of units")))
    return int(text)


def _skus(text: str) -> tuple[tuple[str, str], ...]:
    """Read `CFQ7TTC0LDPB/0001,CFQ7TTC0LF8Q/0001`."""
    found = []
    for name in filter(None, (one.strip() for one in text.split(","))):
        product, slash, sku = name.partition("/")
        if not product or not slash:
            raise Unusable(Phrase.of(N_("does not name SKUs as CFQ7TTC0LDPB/0001, with commas between them")))
        found.append((product, sku_reference(sku)))
    return tuple(found)
