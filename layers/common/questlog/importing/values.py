"""Numbers and texts as other apps and spreadsheets write them."""

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

# Spaces that only look different: no-break, narrow no-break, and the marks that set the direction of writing.
_ODD_SPACES: Final = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u200e": "", "\u200f": ""})
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,2})?")
# No weight, distance or duration is larger, and rounding a larger one to decimals would need more digits than are kept.
_LARGEST: Final = Decimal(10) ** 12
# Characters that Postgres cannot store (NUL, half of a surrogate pair) or that are invisible (the other controls).
_UNSTORABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# The accents of Latin, Greek and Cyrillic, and the apostrophe, which do not count when words are compared. The marks of
# other scripts do: there words differ by them alone.
_ACCENTS: Final = re.compile("[\u0300-\u036f'\u2019]")


def plain_spaces(text: str) -> str:
    """The text with single ordinary spaces between words and none around it."""
    return " ".join(text.translate(_ODD_SPACES).split())


def clean(text: str) -> str:
    """A text of several lines as it is stored: LF as line end, no control characters, no white space around it."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSTORABLE.sub("", text).strip()


def clean_line(text: str) -> str:
    """A name that can be stored: as `clean`, on one line, with single spaces."""
    return plain_spaces(_UNSTORABLE.sub("", text))


def fold(text: str) -> str:
    """A text as it is compared: without case, accents and punctuation, with single spaces."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    kept = [sign if sign.isalnum() or unicodedata.category(sign)[0] == "M" else " " for sign in plain]
    return " ".join("".join(kept).split())


def decimal_of(text: str) -> Decimal | None:
    """The number in a cell, with a point or a comma before the decimals; None for an empty cell.

    Where both occur, the last one is the decimal sign. ValueError for anything else.
    """
    text = plain_spaces(text)
    if not text:
        return None
    if "," in text:
        text = text.replace(",", "") if text.rfind(".") > text.rfind(",") else _with_point(text)
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        raise ValueError("is not a number")
    number = Decimal(text)
    if abs(number) > _LARGEST:
        raise ValueError("is too large")
    return number


def _with_point(text: str) -> str:
    whole, _, decimals = text.rpartition(",")
    return f"{whole.replace('.', '')}.{decimals}"


def integer_of(text: str) -> int | None:
    """The whole number in a cell, also written 5.0; None for an empty cell, ValueError for anything else."""
    number = decimal_of(text)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise ValueError("is not a whole number")
    return int(number)


def rounded(number: Decimal, places: int = 3) -> Decimal:
    """The number with so many decimals, half up, without trailing zeros."""
    exact = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact.normalize()
