"""The queries of attribution: from rows of the lake to sums per day, owners, rules, groups and lines.

They add and never multiply. Names in braces are filled in with our own constants and literals alone.
"""

from collections.abc import Sequence

from marketplace.billing.terms import RuleSpan
from marketplace.rating.rule_choice import SCOPE_COLUMNS, specificity


def choice_query(rules: Sequence[RuleSpan]) -> str:
    """Write the query that finds the winning rule of each hop for everything rules tell apart.

    Each set of filled columns that rules really use becomes one join; the most specific that matched wins.
    """
    keys = _told_apart(rules)
    joins, picks = [], []
    for hop in ("wholesale", "retail"):
        aliases = []
        for number, filled in enumerate(_filled_sets(rules, hop)):
            alias = f"{hop}{number}"
            equal = "".join(f" AND {alias}.{column} = k.{column}" for column in filled)
            joins.append(
                f"LEFT JOIN rule {alias} ON {alias}.hop = '{hop}' AND {alias}.filled = '{','.join(filled)}'"
                f"{equal} AND b.starts >= {alias}.starts AND b.starts < {alias}.ends"
            )
            aliases.append(alias)
        for field, nothing in (("rule_id", "NULL::BIGINT"), ("basis", "NULL::VARCHAR")):
            chosen = ", ".join(f"{alias}.{field}" for alias in aliases)
            picks.append(f"{f'coalesce({chosen})' if aliases else nothing} AS {hop}_{field}")
    distinct = ", ".join(["t.price_bucket AS bucket", *(_qualified(column) for column in keys)])
    return _CHOICES.format(picks=", ".join(picks), distinct=distinct, joins=" ".join(joins))


def number_of_subject(attempt: int) -> str:
    """Write what a row's subject is known by: a digest of all that tells rows apart, another one at each attempt.

    It stands for fourteen columns when days are summed. Whether it tells apart all that they do has to be seen.
    """
    return f"hash({attempt}, {', '.join(_TELLING)})"


def subjects_query(number: str, *, has_moves: bool) -> str:
    """Write the query that lists what rows are about, each with its number.

    `moved` is the subscription where it has an owner of its own, else blank: most go with their account, and where all
    do nobody need look.
    """
    moved, owners = ("coalesce(v.subscription, '')", _OWN_OWNERS) if has_moves else ("''", "")
    return f"""
        CREATE OR REPLACE TEMP TABLE subject AS
        SELECT s.*, {moved} AS moved
        FROM (SELECT *, {number} AS subject FROM (SELECT DISTINCT {", ".join(_TELLING)} FROM usage_row)) s {owners}
    """


def day_sums_query(number: str) -> str:
    """Write the query that sums rows by subject and day."""
    return f"""
        CREATE TEMP TABLE day_sum AS
        SELECT {number} AS subject, usage_date, price_day, sum(quantity) AS quantity, sum(cost) AS cost,
               coalesce(sum(list_cost), 0) AS list_cost, count(*) AS rows,
               min(charge_from) AS charge_from, max(charge_until) AS charge_until
        FROM usage_row GROUP BY ALL
    """


def terms_query(rules: Sequence[RuleSpan]) -> str:
    """Write the query that gives everything owned its two rules."""
    same = "".join(f" AND c.{column} = {_qualified(column)}" for column in _told_apart(rules))
    return _TERMS.format(same=same)


def _told_apart(rules: Sequence[RuleSpan]) -> list[str]:
    """Give the columns that some rule names: others make no difference to the choice."""
    used = {column for rule in rules for column in rule.scope.filled}
    return [column for column in SCOPE_COLUMNS if column in used]


def _qualified(column: str) -> str:
    return f"o.{column}" if column.endswith("_id") else f"s.{column}"


def _filled_sets(rules: Sequence[RuleSpan], hop: str) -> list[tuple[str, ...]]:
    """Give the sets of filled columns that rules of a hop use, the most specific first."""
    return sorted({rule.scope.filled for rule in rules if rule.hop == hop}, key=specificity, reverse=True)


# What customers of one reseller had on some day, which may have been others' on the other days.
IS_OF_RESELLER = """
    (account IN (SELECT account FROM mapping WHERE vendor = {vendor} AND reseller_id = {reseller})
     OR subscription IN (SELECT subscription FROM moved WHERE vendor = {vendor} AND reseller_id = {reseller}))
"""
# Whether a list price applies to a row, as `rating.price.Listing`.
LISTING = """
    CASE WHEN is_committed OR lower(charge_category) NOT IN ('usage', 'purchase') THEN 2
         WHEN list_cost IS NULL AND list_unit_price IS NULL THEN 1 ELSE 0 END::TINYINT
"""
ROWS = """
    SELECT {vendor} AS vendor, billing_account, account, subscription, product, sku, meter, unit,
           charge_category, charge_type, currency, {listing} AS listing,
           CASE WHEN listing = 0 AND list_cost IS NULL THEN list_unit_price END AS list_price,
           CASE WHEN listing = 0 AND list_cost IS NULL THEN list_fx END AS list_fx,
           usage_date, {price_day} AS price_day, quantity, cost, list_cost, charge_from, charge_until
    FROM read_parquet([{files}], hive_partitioning = false){where}
"""
NO_ROWS = """
    SELECT '' AS vendor, '' AS billing_account, '' AS account, '' AS subscription, '' AS product, '' AS sku,
           '' AS meter, '' AS unit, '' AS charge_category, '' AS charge_type, '' AS currency,
           0::TINYINT AS listing, NULL::DECIMAL(38, 18) AS list_price, NULL::DECIMAL(38, 18) AS list_fx,
           DATE '2000-01-01' AS usage_date, DATE '2000-01-01' AS price_day, 0::DECIMAL(38, 18) AS quantity,
           0::DECIMAL(38, 18) AS cost, 0::DECIMAL(38, 18) AS list_cost,
           DATE '2000-01-01' AS charge_from, DATE '2000-01-01' AS charge_until
    WHERE false
"""
_TELLING = (
    *("vendor", "billing_account", "account", "subscription", "product", "sku", "meter", "unit"),
    *("charge_category", "charge_type", "currency", "listing", "list_price", "list_fx"),
)
_OWN_OWNERS = """
    LEFT JOIN (SELECT DISTINCT vendor, subscription FROM moved) v
        ON v.vendor = s.vendor AND v.subscription = s.subscription
"""
ARE_TOLD_APART = "SELECT count(DISTINCT subject) = count(*) FROM subject"
# The stretch of unchanging terms each usage day lies in, which says whose it is, and that of the day which chooses its
# price: another one for charges of subscriptions, whose price is held from the day their term began.
BUCKETS_OF_DAYS = """
    CREATE TEMP TABLE day_bucket AS
    SELECT usage_date, price_day, max(d.bucket) AS bucket, max(p.bucket) AS price_bucket
    FROM (SELECT DISTINCT usage_date, price_day FROM day_sum)
    JOIN bucket d ON d.starts <= usage_date JOIN bucket p ON p.starts <= price_day
    GROUP BY usage_date, price_day
"""
STRETCHES = """
    CREATE TEMP TABLE stretch AS
    SELECT d.subject, b.bucket, b.price_bucket, sum(d.cost) AS cost, sum(d.rows)::BIGINT AS rows,
           count(*) AS days, min(d.usage_date) AS first_day, max(d.usage_date) AS last_day
    FROM day_sum d JOIN day_bucket b USING (usage_date, price_day)
    GROUP BY d.subject, b.bucket, b.price_bucket
"""
OWNERS = """
    CREATE TEMP TABLE owner AS
    SELECT a.vendor, a.account, a.moved, a.bucket, coalesce(v.customer_id, m.customer_id) AS customer_id,
           coalesce(v.reseller_id, m.reseller_id) AS reseller_id, coalesce(v.chain, m.chain) AS chain
    FROM (SELECT DISTINCT s.vendor, s.account, s.moved, t.bucket FROM stretch t JOIN subject s USING (subject)) a
    JOIN bucket b ON b.bucket = a.bucket
    LEFT JOIN mapping m ON m.vendor = a.vendor AND m.account = a.account
        AND b.starts >= m.starts AND b.starts < m.ends
    LEFT JOIN moved v ON v.vendor = a.vendor AND v.subscription = a.moved
        AND b.starts >= v.starts AND b.starts < v.ends
"""
_OWNED = """
    stretch t JOIN subject s USING (subject)
    JOIN owner o ON o.vendor = s.vendor AND o.account = s.account AND o.moved = s.moved AND o.bucket = t.bucket
"""
_CHOICES = f"""
    CREATE TEMP TABLE choice AS
    SELECT k.*, {{picks}}
    FROM (SELECT DISTINCT {{distinct}} FROM {_OWNED}
          WHERE o.customer_id IS NOT NULL AND lower(s.charge_category) <> 'tax') k
    JOIN bucket b ON b.bucket = k.bucket {{joins}}
"""
# The basis a hop comes down to for a row: cost where there is no rule, or a list rule without a list price.
_EFFECTIVE = """
    CASE WHEN {hop}_basis IS NULL OR ({hop}_basis = 'list' AND s.listing <> 0) THEN 'cost' ELSE {hop}_basis END
"""
_WHOLESALE_BASIS = _EFFECTIVE.format(hop="c.wholesale")
_RETAIL_BASIS = _EFFECTIVE.format(hop="c.retail")
# Days and their amounts travel as texts with commas: they are stored, never computed with, on the way. Trailing
# noughts are dropped, which halves what is carried; a bare point at the end is still a number.
_TEXT = "rtrim({0}::VARCHAR, '0')"
# The sum that is priced where a basis is: of a list basis the quantity where rows have a list price, else the list
# cost they carry.
_PRICED_SUM = """
    CASE WHEN {basis} = 'cost' THEN d.cost WHEN {basis} = 'fixed' OR t.has_list_price THEN d.quantity
         ELSE d.list_cost END
"""
# What a subject is charged by over a stretch. Only a list rule tells list prices apart.
_TERMS = f"""
    CREATE TEMP TABLE terms AS
    SELECT t.subject, t.bucket, t.price_bucket, o.chain, c.wholesale_rule_id, c.retail_rule_id,
           {_WHOLESALE_BASIS} AS wholesale_basis, {_RETAIL_BASIS} AS retail_basis,
           coalesce(c.wholesale_basis = 'list' OR c.retail_basis = 'list', false) AS uses_list,
           s.list_price IS NOT NULL AS has_list_price
    FROM {_OWNED}
    JOIN choice c ON c.bucket = t.price_bucket{{same}}
    WHERE o.customer_id IS NOT NULL AND lower(s.charge_category) <> 'tax'
"""
# Documents are made some customers at a time, so that texts of days, which cannot leave memory, are few at once.
SLICES = """
    CREATE TEMP TABLE slice AS
    SELECT chain, (sum(days) OVER (ORDER BY reseller_id, customer_id) // $1)::INTEGER AS slice
    FROM (SELECT chain, sum(days) AS days
          FROM terms JOIN stretch USING (subject, bucket, price_bucket) GROUP BY chain)
    JOIN party USING (chain)
"""
TERMS_OF_SLICE = """
    CREATE OR REPLACE TEMP TABLE slice_terms AS
    SELECT * FROM terms WHERE chain IN (SELECT chain FROM slice WHERE slice = $1)
"""
# The days are in no order, but those of both sums in the same.
_CHARGED = f"""
    SELECT t.subject, t.bucket, t.price_bucket, sum(d.quantity) AS quantity, sum(d.cost) AS cost, sum(d.list_cost) AS list_cost,
           sum(d.rows) AS rows, min(d.charge_from) AS charge_from, max(d.charge_until) AS charge_until,
           string_agg(d.usage_date::VARCHAR, ',') AS days,
           string_agg({_TEXT.format(_PRICED_SUM.format(basis="t.wholesale_basis"))}, ',') AS wholesale_by_day,
           string_agg(CASE WHEN t.retail_basis <> 'cost'
                           THEN {_TEXT.format(_PRICED_SUM.format(basis="t.retail_basis"))} END, ',') AS retail_by_day
    FROM day_sum d JOIN day_bucket b USING (usage_date, price_day)
    JOIN slice_terms t ON t.subject = d.subject AND t.bucket = b.bucket AND t.price_bucket = b.price_bucket
    GROUP BY t.subject, t.bucket, t.price_bucket
"""
# Rows alike in all a line shows and currency under the same two rules; with a list rule, also in list price and rate.
GROUPS = f"""
    CREATE OR REPLACE TEMP TABLE usage_group AS
    SELECT t.chain, s.vendor, s.account, s.subscription, s.product, s.sku, s.meter, s.unit,
           s.charge_category, s.charge_type, s.currency AS row_currency, t.wholesale_rule_id, t.retail_rule_id,
           t.wholesale_basis, t.retail_basis,
           CASE WHEN t.uses_list THEN s.listing ELSE 0 END AS listing,
           CASE WHEN t.uses_list THEN s.list_price END AS list_price,
           CASE WHEN t.uses_list THEN s.list_fx END AS list_fx,
           sum(c.quantity) AS quantity, sum(c.cost) AS cost, sum(c.list_cost) AS list_cost,
           sum(c.rows)::BIGINT AS rows, min(c.charge_from) AS charge_from, max(c.charge_until) AS charge_until,
           string_agg(c.days, ',') AS days, string_agg(c.wholesale_by_day, ',') AS wholesale_by_day,
           string_agg(c.retail_by_day, ',') AS retail_by_day
    FROM ({_CHARGED}) c JOIN slice_terms t USING (subject, bucket, price_bucket) JOIN subject s USING (subject)
    GROUP BY ALL
"""
# One document a hop, reseller and customer, with the id of its statement and what ids of its lines begin with. The ids are
# those of `rating.statements.digest`. What a reseller's documents show lies together.
DOCUMENTS = """
    CREATE TEMP TABLE document AS
    SELECT *, row_number() OVER (ORDER BY reseller_id, customer_id, hop)::INTEGER AS document,
           concat_ws(chr(31), $1, hop, reseller, customer, currency) AS identity,
           left(sha256(concat_ws(chr(31), 'statement', $2, hop, reseller, customer, currency)), 32) AS statement_id
    FROM (SELECT 'wholesale' AS hop, reseller_currency AS currency, * FROM party
          UNION ALL SELECT 'retail', customer_currency, * FROM party)
    WHERE chain IN (SELECT chain FROM terms)
"""
_SUBJECT = "vendor, account, subscription, product, sku, meter, unit, charge_category, charge_type"
# Lines of both hops. `taken` is the basis that is priced: with the retail basis `cost` that of the wholesale rule. A
# wholesale line does not tell retail rules apart.
_LINES = f"""
    SELECT hop, chain, {_SUBJECT}, row_currency, rule_id, basis, upper_rule_id, upper_basis, taken,
           any_value(list_price) FILTER (WHERE taken = 'list') AS list_price,
           any_value(list_fx) FILTER (WHERE taken = 'list') AS list_fx,
           max(listing) AS listing, sum(quantity) AS quantity, sum(cost) AS cost, sum(amount) AS amount,
           sum(rows)::BIGINT AS source_rows, min(charge_from) AS charge_from, max(charge_until) AS charge_until,
           string_agg(days, ',') AS days, string_agg(day_basis, ',') AS day_basis,
           bool_and(taken = 'list') AND (min(list_price) <> max(list_price) OR min(list_fx) IS DISTINCT FROM max(list_fx)
                               OR count(list_price) NOT IN (0, count(*))) AS is_mixed,
           {{parts}} AS parts
    FROM (
        SELECT *, CASE WHEN taken = 'cost' THEN cost WHEN taken = 'fixed' OR list_price IS NOT NULL THEN quantity
                       ELSE list_cost END AS amount
        FROM (
            SELECT 'wholesale' AS hop, wholesale_rule_id AS rule_id, wholesale_basis AS basis,
                   NULL::BIGINT AS upper_rule_id, '' AS upper_basis, wholesale_basis AS taken,
                   wholesale_by_day AS day_basis, *
            FROM usage_group
            UNION ALL
            SELECT 'retail', retail_rule_id, retail_basis, wholesale_rule_id, wholesale_basis,
                   CASE retail_basis WHEN 'cost' THEN wholesale_basis ELSE retail_basis END,
                   CASE retail_basis WHEN 'cost' THEN wholesale_by_day ELSE retail_by_day END, *
            FROM usage_group
        )
    )
    {{where}}
    GROUP BY ALL
"""
_LIST_UNIT = f"""
    CASE WHEN list_price IS NOT NULL
         THEN concat_ws(' ', {_TEXT.format("list_price")}, {_TEXT.format("list_fx")}) END
"""
_PART_TYPE = "STRUCT(list_unit VARCHAR, amount VARCHAR, days VARCHAR, day_basis VARCHAR)"
_PART = f"""
    struct_pack(list_unit := {_LIST_UNIT}, amount := {_TEXT.format("amount")}, days := days, day_basis := day_basis)
"""
# Where list prices differ within a line, no single sum can be priced: such lines keep what has one price in `parts`.
ALL_LINES = "CREATE OR REPLACE TEMP TABLE line AS " + _LINES.format(parts=f"NULL::{_PART_TYPE}[]", where="")
MIXED_LINES = "INSERT INTO line " + _LINES.format(
    parts=f"list({_PART})",
    where="WHERE chain IN (SELECT chain FROM line WHERE is_mixed) AND taken = 'list'",
)
_RULES_OF_LINES = """
    LEFT JOIN rule_words r ON r.rule_id = l.rule_id
    LEFT JOIN rule_words u ON u.rule_id = l.upper_rule_id
"""
# What the formulas of lines depend on, numbered from nought.
KINDS = f"""
    CREATE OR REPLACE TEMP TABLE kind AS
    SELECT *, (row_number() OVER () - 1)::INTEGER AS kind
    FROM (SELECT DISTINCT l.hop, r.stands_for AS rule_id, u.stands_for AS upper_rule_id, l.listing, l.row_currency,
                 d.reseller_currency, d.customer_currency
          FROM line l JOIN document d ON d.hop = l.hop AND d.chain = l.chain {_RULES_OF_LINES})
"""
LINES_IN_ORDER = f"""
    SELECT l.* EXCLUDE (chain, taken, is_mixed, listing, list_price, list_fx)
           REPLACE ({_TEXT.format("quantity")} AS quantity, {_TEXT.format("cost")} AS cost,
                    '{{' || days || '}}' AS days, '{{' || day_basis || '}}' AS day_basis),
           CASE WHEN parts IS NULL THEN {_LIST_UNIT} END AS list_unit,
           d.document, d.reseller_id, d.customer_id, d.currency, d.statement_id, k.kind,
           left(sha256(concat_ws(chr(31), d.identity, {_SUBJECT}, coalesce(r.words, ''), basis,
                                 coalesce(u.words, ''), upper_basis, l.row_currency)), 32) AS group_id
    FROM line l
    JOIN document d ON d.hop = l.hop AND d.chain = l.chain {_RULES_OF_LINES}
    JOIN kind k ON k.hop = l.hop AND k.rule_id IS NOT DISTINCT FROM r.stands_for
        AND k.upper_rule_id IS NOT DISTINCT FROM u.stands_for AND k.listing = l.listing
        AND k.row_currency = l.row_currency AND k.reseller_currency = d.reseller_currency
        AND k.customer_currency = d.customer_currency
    ORDER BY d.document, {_SUBJECT}, coalesce(r.place, 0), basis, coalesce(u.place, 0), upper_basis, l.row_currency
"""
# Licence lines of the vendor's bill for subscriptions that are charged from their own histories: compared, not billed.
IS_COMPARED = """
    (file_kind = 'reconciliation' AND lower(charge_category) = 'purchase'
     AND subscription IN (SELECT subscription FROM own_subscription WHERE vendor = {vendor}))
"""
COMPARED = """
    SELECT {vendor} AS vendor, billing_account, currency, sum(cost) AS cost
    FROM read_parquet([{files}], hive_partitioning = false) WHERE {where} GROUP BY ALL
"""
LICENCE_LINES = """
    SELECT subscription, account, product, charge_type, charge_from, quantity, cost, currency
    FROM read_parquet([{files}], hive_partitioning = false)
    WHERE {where} AND file_kind = 'reconciliation' AND lower(charge_category) = 'purchase' AND subscription <> ''
"""
NO_LICENCES = """
    SELECT '' AS subscription, '' AS account, '' AS product, '' AS charge_type, DATE '2000-01-01' AS charge_from,
           0::DECIMAL(38, 18) AS quantity, 0::DECIMAL(38, 18) AS cost, '' AS currency WHERE false
"""
OWN_SUMS = """
    SELECT subscription, currency, sum(cost) AS cost
    FROM read_parquet([{files}], hive_partitioning = false) WHERE {where} GROUP BY ALL
"""
NO_SUMS = "SELECT '' AS subscription, '' AS currency, 0::DECIMAL(38, 18) AS cost WHERE false"
# The vendor's lines of subscriptions whose sums differ by half a cent or more, in any currency; one row without a
# line where only we charge.
DIFFERING_LINES = """
    WITH sums AS (SELECT subscription, currency, sum(cost) AS cost FROM billed GROUP BY ALL),
    differing AS (
        SELECT DISTINCT coalesce(b.subscription, o.subscription) AS subscription
        FROM sums b FULL JOIN own o ON o.subscription = b.subscription AND o.currency = b.currency
        WHERE b.subscription IS NULL OR o.subscription IS NULL OR abs(b.cost - o.cost) >= 0.005
    )
    SELECT d.subscription, b.account, b.product, b.charge_type, b.charge_from, b.quantity, b.cost, b.currency
    FROM differing d LEFT JOIN billed b ON b.subscription = d.subscription
    ORDER BY d.subscription, b.charge_from, b.charge_type, b.cost
"""
COSTS = f"""
    SELECT o.reseller_id, o.customer_id, s.vendor, s.currency, sum(t.cost)
    FROM {_OWNED}
    WHERE o.customer_id IS NOT NULL AND lower(s.charge_category) <> 'tax' GROUP BY ALL
"""
UNMAPPED = f"""
    SELECT s.vendor, s.billing_account, s.account, s.currency, sum(t.rows)::BIGINT, sum(t.cost) AS cost,
           min(t.first_day), max(t.last_day), arg_max(s.product, t.cost)
    FROM {_OWNED}
    WHERE o.customer_id IS NULL AND lower(s.charge_category) <> 'tax'
    GROUP BY ALL ORDER BY cost DESC, s.vendor, s.account, s.currency, s.billing_account
"""
TAX = """
    SELECT s.vendor, s.billing_account, s.currency, sum(t.cost), sum(t.rows)::BIGINT
    FROM stretch t JOIN subject s USING (subject)
    WHERE lower(s.charge_category) = 'tax' GROUP BY ALL
"""
OWNED = f"""
    SELECT s.vendor, s.billing_account, s.currency, sum(t.cost), sum(t.rows)::BIGINT
    FROM {_OWNED}
    WHERE o.customer_id IS NOT NULL AND lower(s.charge_category) <> 'tax' {{where}} GROUP BY ALL
"""
