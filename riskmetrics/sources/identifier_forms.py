"""Identifiers of securities in the place of symbols: ISIN and CUSIP, with their check digits."""

import re

from riskmetrics.sources.vocabulary import load_vocabulary

SUPPORTED_ADVICE = "only shares, funds and options on them are supported"
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d")
_CUSIP = re.compile(r"(?=.*\d)[0-9A-Z]{6}[0-9A-Z*@#]{2}\d")
_CUSIP_FORM = re.compile(r"\d{3}[0-9A-Z]{5}\d|[A-Z]\d{4}[0-9A-Z]{3}\d")
"""Form of a CUSIP or CINS with the digits at their start, which no symbol has."""


def is_foreign_isin(text: str) -> bool:
    """Return whether an ISIN is of a country whose shares are not listed in the United States.

    Their receipts have an ISIN of the United States. Shares of other countries, such as Ireland,
    are listed in New York themselves.

    Examples
    --------
    >>> is_foreign_isin("INE002A01018"), is_foreign_isin("IE00B4BNMY34")
    (True, False)
    """
    return is_isin(text) and text[:2] in load_vocabulary().markets["unlisted_isin_countries"]


def is_isin(text: str) -> bool:
    """Return whether a text is an ISIN with a valid check digit.

    Examples
    --------
    >>> is_isin("US0378331005"), is_isin("US0378331006")
    (True, False)
    """
    if not _ISIN.fullmatch(text):
        return False
    digits = [int(digit) for sign in text for digit in str(int(sign, 36))]
    # every second digit is doubled, from the check digit on, which is not
    total = sum(
        digit if place % 2 else sum(divmod(2 * digit, 10))
        for place, digit in enumerate(reversed(digits), 1)
    )
    return total % 10 == 0


def is_cusip(text: str) -> bool:
    """Return whether a text is a CUSIP with a valid check digit.

    Examples
    --------
    >>> is_cusip("037833100"), is_cusip("037833101")
    (True, False)
    """
    if not _CUSIP.fullmatch(text):
        return False
    values = [int(sign, 36) if sign.isalnum() else 36 + "*@#".index(sign) for sign in text]
    total = sum(sum(divmod(value * (1 + place % 2), 10)) for place, value in enumerate(values[:8]))
    return (10 - total % 10) % 10 == values[8]


def is_debt_cusip(text: str) -> bool:
    """Return whether a CUSIP is that of a debt issue: places 7 and 8 have a letter.

    Examples
    --------
    >>> is_debt_cusip("912797LX3"), is_debt_cusip("037833100")
    (True, False)
    """
    return bool(_CUSIP.fullmatch(text)) and not text[6:8].isdigit()


def describe_identifier(plain: str) -> str:
    """Return what a text in the place of a symbol is, if it is an identifier or a number.

    Examples
    --------
    >>> describe_identifier("US0378331005").partition(".")[0], describe_identifier("AAPL")
    ('an ISIN, not a symbol', '')
    >>> describe_identifier("US0378331006")
    'no symbol, and as an ISIN or CUSIP its check digit is wrong. Correct it'
    """
    if is_debt_cusip(plain):
        return f"the CUSIP of a bond: {SUPPORTED_ADVICE}"
    if is_isin(plain) or is_cusip(plain):
        kind = "an ISIN" if is_isin(plain) else "a CUSIP"
        column = "ISIN" if is_isin(plain) else "CUSIP"
        return (
            f"{kind}, not a symbol. Add a column Symbol with the ticker, or import profiles with a"
            f" column {column}"
        )
    if plain and not re.search("[A-Z]", plain):
        return (
            "a number, not a symbol. Check which column has the symbols; one of digits needs the"
            " code of its listing, such as 0700.HK"
        )
    if _ISIN.fullmatch(plain) or _CUSIP_FORM.fullmatch(plain):
        return "no symbol, and as an ISIN or CUSIP its check digit is wrong. Correct it"
    return ""
