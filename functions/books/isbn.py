"""International Standard Book Numbers (ISO 2108): checked, and made comparable."""

import re
from typing import Final

_NOTATION: Final = re.compile(r'^[="\s]+|[-\s"]+')
_TEN: Final = re.compile(r"[0-9]{9}[0-9X]")
_THIRTEEN: Final = re.compile(r"97[89][0-9]{10}")


def isbn13(text: str) -> str | None:
    """The number with 13 digits, of one written with 10 or 13, also as ="0123456789". None when the check fails."""
    number = _NOTATION.sub("", text.upper())
    if _TEN.fullmatch(number) and number[9] == _check_of_ten(number):
        thirteen = f"978{number[:9]}"
        return thirteen + _check_of_thirteen(thirteen)
    if _THIRTEEN.fullmatch(number) and number[12] == _check_of_thirteen(number):
        return number
    return None


def isbn10(thirteen: str) -> str | None:
    """The number with 10 digits of one with 13; None where there is none, as for all that begin with 979."""
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
