"""Days and wall-clock times as other apps write them, in a dozen orders and twenty languages.

Nothing is guessed: a date such as 3/4/2031 is refused, unless the caller knows whether the day or the month comes
first. Times have no zone; they are the user's (imports contract, 3).

dateparser was tried for the names of months: it silently takes some of them (Italian and Portuguese "set", Polish
"paź") for the present month. A table that refuses what it does not know is safer here.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Final

from questlog.importing.values import plain_spaces

# The shortest beginnings of the months' names that are unique in each language, from January; / separates two forms.
_MONTHS: Final = {
    "ca": "gen febr març abr maig juny jul ag set oct nov des",
    "cs": "led úno bře dub kvě čvn/červen čvc/červenec srp zář říj lis pro",
    "da, nb": "jan feb mar apr maj/mai jun jul aug sep okt nov dec/des",
    "de": "jan/jän feb mär/mrz apr mai jun jul aug sep okt nov dez",
    "el": "ιαν φεβ μαρ απρ μαι/μαϊ ιουν ιουλ αυγ σεπ οκτ νοε δεκ",
    "en": "jan feb mar apr may jun jul aug sep oct nov dec",
    "es": "ene feb mar abr may jun jul ago sep/set oct nov dic",
    "fi": "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
    "fr": "janv fév mars avr mai juin juil août sept oct nov déc",
    "hu": "jan feb már ápr máj jún júl aug sze okt nov dec",
    "id": "jan feb mar apr mei jun jul agu/agt/ags sep okt nov des",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "nl": "jan feb mrt/maart apr mei jun jul aug sep okt nov dec",
    "pl": "sty lut mar kwi maj/maja cze lip sie wrz paź lis gru",
    "pt": "jan fev mar abr mai jun jul ago set out nov dez",
    "ro": "ian feb mar apr mai iun iul aug sep oct noi/nov dec",
    "ru": "янв фев мар апр май/мая июн июл авг сен окт ноя дек",
    "sv": "jan feb mar apr maj jun jul aug sep okt nov dec",
    "tr": "oca şub mar nis may haz tem ağu eyl eki kas ara",
    "uk": "січ лют бер кві тра чер лип сер вер жов лис гру",
}
# Words beside day, month and year: "5 de dez. de 2031", "5 дек. 2031 г.", "5.12.2031 klo 6.05".
_FILLERS: Final = frozenset({"de", "del", "d", "г", "р", "klo", "kl", "at", "um", "a", "alle", "om", "года", "року"})
_AFTERNOON: Final = frozenset({"pm", "오후", "下午", "午後", "μμ"})
_MERIDIEM: Final = re.compile(
    r"(?i)(오전|오후|上午|下午|午前|午後|(?<![^\W\d_])(?:[ap]\.?\s?m|[πμ]\.?\s?μ)(?![^\W\d_]))\.?"
)
_CLOCK: Final = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?!\d)")
# A time of day without a colon (6.05, 6h05) is accepted only at the end, after a space.
_DOTTED_CLOCK: Final = re.compile(r"(?<=\s)(\d{1,2})[.h](\d{2})()$")
_NUMBERED_MONTH: Final = re.compile(r"(?<!\d)(\d{1,2})\s?[月월]")
_ISO_DAY: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_WORD: Final = re.compile(r"[^\W\d_]+")
_NUMBER: Final = re.compile(r"\d+")
_YEARS: Final = range(1900, 2200)


class AmbiguousDate(ValueError):
    """Day and month could change places."""


def day_of(text: str) -> date | None:
    """A day written year first (2031/02/03, 2031-2-3); None for nothing. ValueError for any other order, or no day."""
    text = plain_spaces(text)
    if not text:
        return None
    found = _ISO_DAY.fullmatch(text)
    if not found:
        raise ValueError(f"has a date that cannot be read: {text[:30]}; a day is written YYYY-MM-DD")
    return _day(int(found[1]), int(found[3]), int(found[4]), text)


def moment_of(text: str, *, day_first: bool | None = None) -> datetime:
    """A day and a time of day, without a zone.

    Takes years of four digits first or last, months as numbers or names, 12 and 24 hours. `day_first` says which of two
    numbers is the day where both may be; without it AmbiguousDate is raised. ValueError for what is no such time.
    """
    text = plain_spaces(text)
    rest, hour, minute, second = _clock(text[:80])
    year, month, day = _date(rest, text, day_first=day_first)
    at = _day(year, month, day, text)
    if not (hour < 24 and minute < 60 and second < 60):
        raise ValueError(_unread(text))
    return datetime.combine(at, time(hour, minute, second))


def day_comes_first(texts: Iterable[str]) -> bool | None:
    """Whether numbered dates of one file have the day before the month, if any of them shows it."""
    shown: set[bool] = set()
    for text in texts:
        day = _clock(plain_spaces(text)[:80])[0]
        numbers = _NUMBER.findall(day)
        if len(numbers) == 3 and len(numbers[2]) == 4 and not _WORD.search(day):
            first, second = int(numbers[0]), int(numbers[1])
            if (first > 12) != (second > 12):
                shown.add(first > 12)
    return shown.pop() if len(shown) == 1 else None


def month_of(word: str) -> int | None:
    """The month a name or abbreviation stands for in any of the languages, or None."""
    folded = _folded(word)
    for length in range(len(folded), 1, -1):
        if month := _STEMS.get(folded[:length]):
            return month
    return None


def _folded(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _stems() -> dict[str, int]:
    stems: dict[str, int] = {}
    for names in _MONTHS.values():
        for month, forms in enumerate(names.split(), 1):
            stems |= {_folded(form): month for form in forms.split("/")}
    return stems


_STEMS: Final = _stems()


def _clock(text: str) -> tuple[str, int, int, int]:
    """What is left of the text without its time, and the hour, minute and second (midnight where there is none)."""
    meridiem = _MERIDIEM.search(text)
    if meridiem:
        text = f"{text[: meridiem.start()]} {text[meridiem.end() :]}".strip()
    found = _CLOCK.search(text) or _DOTTED_CLOCK.search(text)
    if not found:
        return text, 0, 0, 0
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if meridiem:
        half = re.sub(r"[.\s]", "", meridiem[1].lower())
        # 13 PM and the like become an hour above 23, which is refused later.
        hour = hour % 12 + (12 if half in _AFTERNOON else 0) if hour <= 12 else hour + 24
    return f"{text[: found.start()]} {text[found.end() :]}".strip(), hour, minute, second


def _date(rest: str, text: str, *, day_first: bool | None) -> tuple[int, int, int]:
    """Year, month and day."""
    if numbered := _NUMBERED_MONTH.search(rest):
        numbers = _NUMBER.findall(rest[: numbered.start()] + " " + rest[numbered.end() :])
        return _around_month(int(numbered[1]), numbers, text)
    words = [word for word in _WORD.findall(rest) if word.casefold() not in _FILLERS and word != "T"]
    numbers = _NUMBER.findall(rest)
    if words:
        months = [month_of(word) for word in words]
        if len(months) != 1 or months[0] is None:
            raise ValueError(f"has a date whose month is not known: {text[:40]}")
        return _around_month(months[0], numbers, text)
    if len(numbers) != 3:
        raise ValueError(_unread(text))
    first, second, third = map(int, numbers)
    if len(numbers[0]) == 4:
        return first, second, third
    if len(numbers[2]) != 4:
        raise ValueError(_unread(text))
    if first <= 12 and second <= 12 and first != second and day_first is None:
        raise AmbiguousDate(f"has a date whose day and month could change places: {text[:40]}")
    in_order = first > 12 or (second <= 12 and day_first is not False)
    return (third, second, first) if in_order else (third, first, second)


def _around_month(month: int, numbers: list[str], text: str) -> tuple[int, int, int]:
    years = [int(number) for number in numbers if len(number) == 4]
    days = [int(number) for number in numbers if len(number) <= 2]
    if len(numbers) != 2 or len(years) != 1 or len(days) != 1:
        raise ValueError(_unread(text))
    return years[0], month, days[0]


def _day(year: int, month: int, day: int, text: str) -> date:
    try:
        found = date(year, month, day)
    except ValueError:
        raise ValueError(f"has a date that the calendar does not: {text[:40]}") from None
    if year not in _YEARS:
        raise ValueError(f"has a date too far from now: {text[:40]}")
    return found


def _unread(text: str) -> str:
    return f"has a date that cannot be read: {text[:40]}"
