"""Price lists as Microsoft writes them, for tests to write theirs."""

import csv
import io

HEADER = (
    *("ProductTitle", "ProductId", "SkuId", "SkuTitle", "Publisher", "SkuDescription", "UnitOfMeasure"),
    *("TermDuration", "BillingPlan", "Market", "Currency", "UnitPrice", "PricingTierRangeMin"),
    *("PricingTierRangeMax", "EffectiveStartDate", "EffectiveEndDate", "Tags", "ERP Price"),
)
AZURE_HEADER = (
    *("ProductTitle", "ProductId", "SkuId", "SkuTitle", "Publisher", "SkuDescription", "UnitOfMeasure"),
    *("TermDuration", "Market", "Currency", "UnitPrice", "PricingTierRangeMin", "PricingTierRangeMax"),
    *("EffectiveStartDate", "EffectiveEndDate", "MeterIds", "MeterType", "Tags"),
)
# The example of the vendor's documentation.
ROW = {
    "ProductTitle": "Advanced Communications",
    "ProductId": "CFQ7TTC0HDK0",
    "SkuId": "0001",
    "SkuTitle": "Advanced Communications",
    "Publisher": "Microsoft Corporation",
    "SkuDescription": 'Calls, "quoted"',
    "UnitOfMeasure": "",
    "TermDuration": "P1Y",
    "BillingPlan": "Annual",
    "Market": "FR",
    "Currency": "EUR",
    "UnitPrice": "115.2",
    "PricingTierRangeMin": "",
    "PricingTierRangeMax": "",
    "EffectiveStartDate": "2/1/2019 12:00:00 AM",
    "EffectiveEndDate": "12/31/9999 11:59:59 PM",
    "Tags": "License",
    "ERP Price": "144",
}
STEP = {
    **ROW,
    "ProductId": "DZH318Z0BQ3Q",
    "ProductTitle": "Bandwidth",
    "TermDuration": "payG-1",
    "Currency": "USD",
    "MeterIds": "9995d93a-7d35-4d3f-9c69-7a7fea447ef4",
    "MeterType": "1 GB",
    "Tags": "Azure;Consumption",
}


def sheet(
    *rows: dict[str, str], header: tuple[str, ...] = HEADER, base: dict[str, str] | None = None
) -> bytes:
    """Write rows, each with what differs from the example."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, header, extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**(base or ROW), **row} for row in rows)
    return file.getvalue().encode()


def azure_sheet(*rows: dict[str, str]) -> bytes:
    """Write steps of consumption."""
    return sheet(*rows, header=AZURE_HEADER, base=STEP)


MATRIX_HEADER = (
    *(
        "ProductTitle",
        "ProductId",
        "SkuId",
        "SkuTitle",
        "ProvisioningId",
        "ProvisioningString",
        "MinLicenses",
    ),
    *("MaxLicenses", "AssetOwnershipLimit", "AssetOwnershipLimitType", "ProductSkuPreRequisites"),
    *("ProductSkuConversion", "Description", "AllowedCountries"),
)


def matrix(*rows: dict[str, str]) -> bytes:
    """Write an offer matrix."""
    base = {**dict.fromkeys(MATRIX_HEADER, ""), **{key: ROW[key] for key in ("ProductId", "SkuId")}}
    return sheet(*rows, header=MATRIX_HEADER, base=base)
