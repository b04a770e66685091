"""A realistic month: daily rated usage of many customers, Zipf-like, and the terms to price it by. Seeded."""

import json
from decimal import Decimal
from pathlib import Path

import duckdb
from sqlalchemy import text

from marketplace.core.db import Database

RESELLERS, CUSTOMERS, METERS = 4_000, 120_000, 8_000

# The 55 columns of the portal's file; those that matter have values, the rest stay as they often are: blank.
_FILE = """
    COPY (
        SELECT '0e195b37-4574-4539-bc42-0e539b9684c0' AS PartnerId, 'Wholesaler' AS PartnerName,
               printf('tenant-%06d', customer) AS CustomerId, 'Customer ' || customer AS CustomerName,
               printf('customer%06d.example', customer) AS CustomerDomainName, 'FR' AS CustomerCountry,
               '6034453' AS MPNID, '' AS ResellerMPNID, 'G2024097301' AS InvoiceNumber,
               printf('DZH318Z0B%03d', meter % 400) AS ProductId, printf('%04X', meter) AS SkuId,
               'DZH318Z08B80' AS AvailabilityId, 'SKU ' || meter AS SkuName, 'Product ' || (meter % 400) AS ProductName,
               'Microsoft' AS PublisherName, 'NA' AS PublisherId, 'Azure plan' AS SubscriptionDescription,
               printf('subscription-%06d', customer) AS SubscriptionId, '9/1/2024' AS ChargeStartDate,
               '9/30/2024' AS ChargeEndDate, printf('9/%d/2024', day) AS UsageDate, '1 Hour' AS MeterType,
               'Compute' AS MeterCategory, printf('meter-%05d', meter) AS MeterId, '' AS MeterSubCategory,
               'Meter ' || meter AS MeterName, 'EU West' AS MeterRegion, '1 Hour' AS Unit, 'EUWest' AS ResourceLocation,
               'Microsoft.Compute' AS ConsumedService, 'group' AS ResourceGroup,
               printf('/subscriptions/%d/resourceGroups/group/providers/vm-%d', customer, i % 50) AS ResourceURI,
               'new' AS ChargeType, (0.02 + meter * 0.000123)::DECIMAL(12, 6) AS UnitPrice, quantity AS Quantity,
               '1 Hour' AS UnitType, (quantity * 0.0123456)::DECIMAL(18, 10) AS BillingPreTaxTotal,
               'EUR' AS BillingCurrency, (quantity * 0.0134)::DECIMAL(18, 10) AS PricingPreTaxTotal,
               'USD' AS PricingCurrency, '' AS ServiceInfo1, '' AS ServiceInfo2, '{{"env": "prod"}}' AS Tags,
               '' AS AdditionalInfo, (0.02 + meter * 0.000123)::DECIMAL(12, 6) AS EffectiveUnitPrice,
               '0.9187' AS PCToBCExchangeRate, '9/1/2024' AS PCToBCExchangeRateDate, '' AS EntitlementId,
               '' AS EntitlementDescription, '15' AS PartnerEarnedCreditPercentage, '0' AS CreditPercentage,
               '' AS CreditType, '' AS BenefitOrderId, '' AS BenefitId, '' AS BenefitType
        FROM (
            SELECT i, customer, ((customer * 7 + floor(power(random(), 2) * 5) * 13)::INTEGER % {meters}) AS meter,
                   (1 + random() * 29)::INTEGER AS day, (random() * 1000)::DECIMAL(12, 6) AS quantity
            FROM (SELECT i, least({customers}, ({customers} * power(random(), 3))::INTEGER + 1) AS customer
                  FROM range({lines}) t(i))
        )
    ) TO '{path}' (FORMAT csv, HEADER true)
"""


def write_usage(path: Path, *, lines: int) -> None:
    """Write a daily rated usage file of so many lines."""
    with duckdb.connect() as engine:
        engine.execute("SELECT setseed(0.42)")
        engine.execute(_FILE.format(path=path, lines=lines, customers=CUSTOMERS, meters=METERS))


def repeat_usage(database: Database, lake: Path, *, times: int) -> None:
    """Make the imported month so many times as long: its rows again, their days moved on within the month."""
    with database.owner_transaction() as session, duckdb.connect() as engine:
        query = text("SELECT id, lake_files, accepted, cost FROM delivery_slice WHERE is_current")
        for identity, files, accepted, cost in session.execute(query).all():
            paths = list(files)
            for number in range(1, times):
                for file in files:
                    copy = str(Path(file).with_name(f"again-{number}-{Path(file).name}"))
                    engine.execute(_AGAIN.format(source=lake / file, target=lake / copy, moved=number * 6))
                    paths.append(copy)
            values = {
                "id": identity,
                "files": json.dumps(paths),
                "accepted": accepted * times,
                "cost": json.dumps({currency: f"{Decimal(one) * times:f}" for currency, one in cost.items()}),
            }
            session.execute(text(_LONGER), values)


_AGAIN = """
    COPY (SELECT * REPLACE (DATE '2024-09-01' + ((day(usage_date) - 1 + {moved}) % 30)::INTEGER AS usage_date)
          FROM read_parquet('{source}', hive_partitioning = false)) TO '{target}' (FORMAT parquet, COMPRESSION zstd)
"""
_LONGER = """
    UPDATE delivery_slice SET lake_files = CAST(:files AS jsonb), accepted = :accepted, cost = CAST(:cost AS jsonb)
    WHERE id = :id
"""


def write_terms(database: Database) -> None:
    """Fill parties, mappings and rules.

    A wholesale rule a reseller (a fifth changes mid-month), retail by reseller and, for a sixth of the customers, own.
    """
    with database.owner_transaction() as session:
        for statement in _TERMS:
            session.execute(text(statement), {"resellers": RESELLERS, "customers": CUSTOMERS})
        for table in ("reseller", "customer", "vendor_account", "price_rule_scope"):
            session.execute(text(_NEXT_ID.format(table=table)))


# The rows above name their ids themselves, so that they can name each other; what comes after them counts on.
_NEXT_ID = "SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
_TERMS = (
    "INSERT INTO reseller (id, public_id, reference, legal_name, country, vat_number, registration_number, partner_id,"
    " currency, billing_mode, email) SELECT i, gen_random_uuid(), 'R' || lpad(i::text, 5, '0'), 'Reseller ' || i, 'FR',"
    " '', '', '', 'EUR', 'resale', '' FROM generate_series(1, :resellers) i",
    "INSERT INTO customer (id, public_id, reference, reseller_id, legal_name, country, vat_number, registration_number,"
    " currency, email) SELECT i, gen_random_uuid(), 'C' || lpad(i::text, 6, '0'),"
    " (:resellers * power(((i * 7919) % 10007) / 10007.0, 2))::int % :resellers + 1, 'Customer ' || i, 'FR', '', '',"
    " 'EUR', '' FROM generate_series(1, :customers) i",
    "INSERT INTO vendor_account (id, vendor, account) SELECT i, 'microsoft', 'tenant-' || lpad(i::text, 6, '0')"
    " FROM generate_series(1, :customers) i",
    "INSERT INTO account_mapping (public_id, vendor_account_id, customer_id) SELECT gen_random_uuid(), i, i"
    " FROM generate_series(1, :customers) i",
    "INSERT INTO price_rule_scope (id, hop, reseller_id, customer_id, subscription, vendor, product, sku)"
    " SELECT i, 'wholesale', i, NULL::bigint, '', '', '', '' FROM generate_series(1, :resellers) i UNION ALL"
    " SELECT :resellers + i, 'retail', i, NULL, '', '', '', '' FROM generate_series(1, :resellers) i UNION ALL"
    " SELECT 2 * :resellers + i, 'retail', NULL, i, '', '', '', '' FROM generate_series(1, :customers / 6) i",
    "INSERT INTO price_rule (public_id, scope_id, basis, percent, valid_from, valid_until, created_by)"
    " SELECT gen_random_uuid(), i, 'list', -12.5, NULL::date, CASE WHEN i % 5 = 0 THEN date '2024-09-15' END, ''"
    " FROM generate_series(1, :resellers) i UNION ALL"
    " SELECT gen_random_uuid(), i, 'list', -10, date '2024-09-15', NULL, ''"
    " FROM generate_series(5, :resellers, 5) i UNION ALL"
    " SELECT gen_random_uuid(), :resellers + i, 'cost', 18, NULL, NULL, '' FROM generate_series(1, :resellers) i"
    " UNION ALL SELECT gen_random_uuid(), 2 * :resellers + i, 'cost', 20, NULL, NULL, ''"
    " FROM generate_series(1, :customers / 6) i",
)
