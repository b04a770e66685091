"""A small month whose every amount was worked out by hand: the files that are imported, and what must come out."""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

PERIOD = "2024-09"

RESELLERS = """\
reference,legal_name,country,vat_number,registration_number,partner_id,currency,billing_mode,email
R1,Rigel SARL,FR,,,,EUR,resale,accounts@rigel.example
R2,Rokuro KK,JP,,,,JPY,resale,
"""
CUSTOMERS = """\
reference,reseller,legal_name,country,vat_number,registration_number,currency,email
C1,R1,Castor SA,FR,,,EUR,
C2,R1,Cedar Inc,US,,,USD,
C3,R2,Kuwait Tankers,KW,,,KWD,
C4,R1,Chalet AG,CH,,,CHF,
C5,R1,Centimes SA,FR,,,EUR,
C6,R1,Crédits SA,FR,,,EUR,
C7,R1,Comptoir SA,FR,,,EUR,
"""
ACCOUNTS = """\
vendor,account,customer,valid_from,valid_until
cloud,a1,C1,2024-01-01,
cloud,a2,C2,,
cloud,a3,C3,,
cloud,a4,C4,,
cloud,a5,C5,,
cloud,a6,C6,,
cloud,a7,C7,,2024-09-15
cloud,a7,C1,2024-09-15,
"""
RULES = """\
hop,reseller,customer,subscription,vendor,product,sku,basis,percent,unit_price,currency,valid_from,valid_until
wholesale,,,,,,,cost,12.5,,,2024-01-01,
wholesale,R1,C5,,,,,cost,0,,,2024-01-01,
wholesale,R1,C6,,,,,cost,0,,,2024-01-01,
wholesale,R2,,,cloud,Storage,,list,-10,,,2024-01-01,
retail,R1,,,,,,cost,20,,,2024-01-01,
retail,R1,C2,,,,,list,-5,,,,
retail,R2,,,cloud,Compute,vm,fixed,,0.0153,USD,2024-01-01,2024-09-16
retail,R2,,,cloud,Compute,vm,fixed,,0.02,USD,2024-09-16,
"""
FX = """\
month,from,to,rate
2024-09,USD,EUR,0.9012345
2024-09,USD,JPY,143.21
2024-09,USD,KWD,0.3055
2024-09,JPY,KWD,0.00213
2024-09,EUR,USD,1.1096
"""
USAGE = """\
account,product,sku,meter,usage_date,quantity,unit,list_unit_price,cost,currency
a1,Compute,vm,hours,2024-09-01,10,Hours,0.2,1.005,USD
a1,Compute,vm,hours,2024-09-02,0.0000001,Hours,0.2,0.00000002,USD
a1,Compute,vm,hours,2024-09-02,0.0000001,Hours,0.2,0.00000002,USD
a1,Storage,blob,,2024-09-03,5,GB,,-2.50,USD
a1,Support,free,,2024-09-03,1,Month,,0,USD
a2,Compute,vm,hours,2024-09-04,7,Hours,0.2,1.3,USD
a2,"=HYPERLINK(""http://x"")",@sku,+meter,2024-09-04,7,-Hours,,1.3,USD
a3,Compute,vm,hours,2024-09-15,700.5,Hours,0.02,9.99,USD
a3,Compute,vm,hours,2024-09-16,100,Hours,0.02,1.50,USD
a3,Storage,blob,,2024-09-06,12,GB,0.5,5,USD
a4,Storage,blob,,2024-09-15,1,GB,0.5,0.77,USD
a5,Alpha,,,2024-09-10,1,Units,,0.005,EUR
a5,Beta,,,2024-09-10,1,Units,,0.005,EUR
a5,Gamma,,,2024-09-10,1,Units,,0.005,EUR
a6,Refund,,,2024-09-10,-1,Units,,-0.005,EUR
a7,Backup,,,2024-09-14,2,GB,,4.00,GBP
a7,Backup,,,2024-09-15,3,GB,,6.00,EUR
nobody,Storage,blob,,2024-09-15,1,GB,0.5,3.335,USD
a1,Storage,blob,,2024-09-15,many,GB,0.5,3,USD
"""
#: Vendor tax, a credit, a correction and a purchase that a commitment covers, as FOCUS says them.
FOCUS = """\
BilledCost,BillingAccountId,BillingCurrency,BillingPeriodStart,ChargeCategory,ChargeClass,ChargePeriodStart,\
ChargePeriodEnd,SubAccountId,ServiceName,SkuId,SkuPriceId,PricingQuantity,PricingUnit,ListCost,CommitmentDiscountId
1.10,B2,USD,2024-09-01T00:00:00Z,Tax,,2024-09-01T00:00:00Z,2024-10-01T00:00:00Z,a2,VAT,,,,,,
-0.40,B2,USD,2024-09-01T00:00:00Z,Credit,,2024-09-01T00:00:00Z,2024-10-01T00:00:00Z,a2,Rebate,,,,,-0.40,
-0.30,B2,USD,2024-09-01T00:00:00Z,Usage,Correction,2024-08-31T00:00:00Z,2024-09-01T00:00:00Z,a2,Compute,vm,,-1,Hours,-0.35,
2.20,B2,USD,2024-09-01T00:00:00Z,Usage,,2024-09-05T00:00:00Z,2024-09-06T00:00:00Z,a2,Compute,vm,,2,Hours,4.00,ri-1
"""

_USD_EUR, _USD_JPY = Fraction("0.9012345"), Fraction("143.21")
_EUR_USD, _JPY_KWD, _USD_KWD = Fraction("1.1096"), Fraction("0.00213"), Fraction("0.3055")
_WHOLESALE, _RETAIL = Fraction("1.125"), Fraction("1.2")


class Expected(NamedTuple):
    """One statement line: what names it, its exact amount by hand, and what is billed for it."""

    customer: str
    product: str
    charge: str
    basis: str
    exact: Fraction
    amount: str


def _f(text: str) -> Fraction:
    return Fraction(text)


_COMPUTE_1 = _f("1.00500004") * _WHOLESALE * _USD_EUR  # 1.018958...
_STORAGE_1 = _f("-2.5") * _WHOLESALE * _USD_EUR  # -2.534722...
_BACKUP_1 = _f("6") * _WHOLESALE  # 6.75
_COMPUTE_2 = _f("1.3") * _WHOLESALE * _USD_EUR  # 1.318055..., and the same for the formula
_CREDIT_2 = _f("-0.4") * _WHOLESALE * _USD_EUR  # -0.405555...
_CORRECTION_2 = _f("-0.3") * _WHOLESALE * _USD_EUR  # -0.304166...
_COMMITTED_2 = _f("2.2") * _WHOLESALE * _USD_EUR  # 2.230555...
_COMPUTE_3 = _f("11.49") * _WHOLESALE * _USD_JPY  # 1851.16..., one line, though two retail rules share it
_STORAGE_3 = _f("6") * _f("0.9") * _USD_JPY  # 773.334
_STORAGE_4 = _f("0.77") * _WHOLESALE * _USD_EUR  # 0.780694...
_HALF = _f("0.005")

WHOLESALE = [
    # C1: 5.234236... is 5.23; floors 1.01, -2.54, 0.00, 6.75 make 5.22, the one cent more goes to .8958.
    Expected("C1", "Compute", "", "cost", _COMPUTE_1, "1.02"),
    Expected("C1", "Storage", "", "cost", _STORAGE_1, "-2.54"),
    Expected("C1", "Support", "", "cost", _f("0"), "0.00"),
    Expected("C1", "Backup", "", "cost", _BACKUP_1, "6.75"),
    # C2: 4.156944... is 4.16; floors 1.31, 1.31, -0.41, -0.31, 2.23 make 4.13; three cents more go to the fractions
    # .80, .80 and .58 before .44 and .05.
    Expected("C2", "Compute", "", "cost", _COMPUTE_2, "1.32"),
    Expected("C2", '=HYPERLINK("http://x")', "", "cost", _COMPUTE_2, "1.32"),
    Expected("C2", "Rebate", "Credit", "cost", _CREDIT_2, "-0.41"),
    Expected("C2", "Compute", "Correction", "cost", _CORRECTION_2, "-0.30"),
    Expected("C2", "Compute", "committed", "cost", _COMMITTED_2, "2.23"),
    # C3, in yen: 2624.502... is 2625; floors 1851, 773 make 2624; the yen goes to .334.
    Expected("C3", "Compute", "", "cost", _COMPUTE_3, "1851"),
    Expected("C3", "Storage", "", "list", _STORAGE_3, "774"),
    Expected("C4", "Storage", "", "cost", _STORAGE_4, "0.78"),
    # C5: 0.015 is 0.02, halves away from zero; of three equal parts the first two in order get a cent.
    Expected("C5", "Alpha", "", "cost", _HALF, "0.01"),
    Expected("C5", "Beta", "", "cost", _HALF, "0.01"),
    Expected("C5", "Gamma", "", "cost", _HALF, "0.00"),
    # C6: -0.005 is -0.01, halves away from zero.
    Expected("C6", "Refund", "", "cost", -_HALF, "-0.01"),
]
RETAIL = [
    # C1: 6.281084... is 6.28; floors 1.22, -3.05, 0.00, 8.10 make 6.27; the cent goes to .8334 of the storage.
    Expected("C1", "Compute", "", "cost", _COMPUTE_1 * _RETAIL, "1.22"),
    Expected("C1", "Storage", "", "cost", _STORAGE_1 * _RETAIL, "-3.04"),
    Expected("C1", "Support", "", "cost", _f("0"), "0.00"),
    Expected("C1", "Backup", "", "cost", _BACKUP_1 * _RETAIL, "8.10"),
    # C2, list less 5 % where a list price applies, else at cost: 4.485034... is 4.49; floors 1.33, 1.46, -0.46, -0.34,
    # 2.47 make 4.46; three cents more go to the fractions .9996 (credit), .75 (correction) and .5024.
    Expected("C2", "Compute", "", "list", _f("1.4") * _f("0.95"), "1.33"),
    Expected("C2", '=HYPERLINK("http://x")', "", "cost", _COMPUTE_2 * _EUR_USD, "1.46"),
    Expected("C2", "Rebate", "Credit", "cost", _CREDIT_2 * _EUR_USD, "-0.45"),
    Expected("C2", "Compute", "Correction", "list", _f("-0.35") * _f("0.95"), "-0.33"),
    Expected("C2", "Compute", "committed", "cost", _COMMITTED_2 * _EUR_USD, "2.48"),
    # C3, in thousandths of a dinar: 5.532443... is 5.532; floors 3.274, 0.611, 1.647 make it.
    Expected("C3", "Compute", "until 2024-09-16", "fixed", _f("700.5") * _f("0.0153") * _USD_KWD, "3.274"),
    Expected("C3", "Compute", "from 2024-09-16", "fixed", _f("100") * _f("0.02") * _USD_KWD, "0.611"),
    Expected("C3", "Storage", "", "cost", _STORAGE_3 * _JPY_KWD, "1.647"),
    # C5: 0.018 is 0.02; the fractions are equal again.
    Expected("C5", "Alpha", "", "cost", _HALF * _RETAIL, "0.01"),
    Expected("C5", "Beta", "", "cost", _HALF * _RETAIL, "0.01"),
    Expected("C5", "Gamma", "", "cost", _HALF * _RETAIL, "0.00"),
    # C6: -0.006 is -0.01.
    Expected("C6", "Refund", "", "cost", -_HALF * _RETAIL, "-0.01"),
]

FILES = {
    "resellers.csv": RESELLERS,
    "customers.csv": CUSTOMERS,
    "accounts.csv": ACCOUNTS,
    "rules.csv": RULES,
    "fx.csv": FX,
    "usage.csv": USAGE,
    "focus.csv": FOCUS,
}


def write_files(folder: Path) -> None:
    """Write the month's files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
