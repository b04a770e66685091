"""Currencies and their minor units, as ISO 4217 (list one) has them.

Babel's table differs from the standard for IQD, LAK and MGA (it prints what people use), so we keep the standard's.
"""

_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
        "CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD "
        "HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP "
        "MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD "
        "SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS "
        "VED VES WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_MINOR_UNITS = {code: decimals for decimals, codes in _DECIMALS.items() for code in codes.split()}

CURRENCIES = frozenset(_MINOR_UNITS)


class UnknownCurrency(ValueError):
    """The code is not a currency of ISO 4217."""


def is_currency(code: str) -> bool:
    """Whether ISO 4217 knows the code."""
    return code in _MINOR_UNITS


def minor_units(code: str) -> int:
    """Give the number of decimals of a currency: 2 for EUR, 0 for JPY, 3 for KWD."""
    try:
        return _MINOR_UNITS[code]
    except KeyError:
        raise UnknownCurrency(code) from None
