"""International Standard Book Numbers (ISO 2108): checked, and made comparable."""

import re
from typing import Final

_NOTATION: Final = re.compile(r'^[="\s]+|[-\s"]+')
_TEN: Final = re.compile(r"[0-9]{9}[0-9X]")
_THIRTEEN: Final = re.compile(r"97[89][0-9]{10}")


def isbn13(text: str) -> str | None:
    """The 13-digit form of a number with 10 or 13 digits, also of ="0123456789". None if the check digit is wrong."""
    number = _NOTATION.sub("", text.upper())
    if _TEN.fullmatch(number) and number[9] == _check_of_ten(number):
        thirteen = f"978{number[:9]}"
        return thirteen + _check_of_thirteen(thirteen)
    if _THIRTEEN.fullmatch(number) and number[12] == _check_of_thirteen(number):
        return number
    return None


def isbn10(thirteen: str) -> str | None:
    """The 10-digit form of a 13-digit number; None if it has none, as all that begin with 979."""
    if not thirteen.startswith("978"):
        return None
    number = thirteen[3:12]
    return number + _check_of_ten(number)


def _check_of_ten(number: str) -> str:
    total = sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), number[:9], strict=True))
    return "0123456789X"[-total % 11]


def _check_of_thirteen(number: str) -> str:
    total = sum((1, 3)[index % 2] * int(digit) for index, digit in enumerate(number[:12]))
    return str(-total % 10)
