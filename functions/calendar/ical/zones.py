"""Finds the IANA zone for each time zone name of an iCalendar document (planning contract, 2, rule 13).

A name is an IANA one, in any case; else one of Windows; else the zone like the document's own VTIMEZONE (RFC 5545,
3.6.5); else an offset from UTC. A VTIMEZONE is never expanded beyond the years of the event.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property, lru_cache
from importlib import resources
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from questlog.ical.offsets import Change, changes_between
from questlog.recurrence.rule import rule_of
from questlog.recurrence.series import dates_of
from questlog.recurrence.times import wall_clock

from functions.calendar.ical.text import Component

# Zones are compared in these years at most: before, few rules are known, and after, the last ones hold for ever.
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2036
_OFFSET: Final = re.compile(r"(?:UTC|GMT|Z)?\s*([+-])(\d{1,2})(?::?(\d\d))?(?::?00)?", re.IGNORECASE)
_DISPLAY: Final = re.compile(r"\((?:UTC|GMT)([+-]\d\d:\d\d)?\)\s*(.+)", re.IGNORECASE)
_REGIONAL: Final = re.compile(r"(.+) time \(.+\)")
_TZID: Final = re.compile(r';TZID=(?:"([^"]*)"|([^";:]*))', re.IGNORECASE)
# Zones without a place in their name, and the equal zones that have one.
_WITH_PLACE: Final = {
    "CST6CDT": "America/Chicago",
    "EST5EDT": "America/New_York",
    "MST7MDT": "America/Denver",
    "PST8PDT": "America/Los_Angeles",
}
# Names of Windows for zones whose places the IANA database does not have.
_SHOWN_AS: Final = {
    "baja california": "America/Tijuana",
    "coordinated universal time": "UTC",
    "indiana (east)": "America/Indiana/Indianapolis",
    "west central africa": "Africa/Lagos",
}


Signature = tuple[timedelta, tuple[Change, ...]]
"""What zones are compared by, in some years: the offset at their beginning, and its changes."""


class Meaning(NamedTuple):
    """The zone that a name means, and a note for the user if it is only similar.

    `offset` is set if no zone has the offset of the wall-clock times: the zone is UTC then.
    """

    zone: str
    note: str | None = None
    offset: timedelta | None = None


class Zones:
    """The zones of one VCALENDAR. Times without a zone are in X-WR-TIMEZONE, else in the user's zone."""

    def __init__(self, calendar: Component, users_zone: str) -> None:
        self._calendar = calendar
        self._users_zone = users_zone
        named = calendar.first("X-WR-TIMEZONE")
        self._default = zone_of(named.text) if named else None
        self._meanings: dict[tuple[str, int], Meaning | None] = {}

    @property
    def floating(self) -> str:
        """The zone of times that name none."""
        return self._default or self._users_zone

    def meaning(self, name: str, wall: datetime) -> Meaning | None:
        """The zone that a name means at a wall-clock time; None if no zone can be found."""
        key = name, wall.year
        if key in self._meanings:
            return self._meanings[key]
        found = self._find(_plain(name), wall)
        # A zone with a note was chosen for the offset at this very time, so it holds for this time alone.
        if found is None or found.note is None:
            self._meanings[key] = found
        return found

    def midnight(self, at: datetime) -> date | None:
        """The date that begins at an instant in one of the document's zones; None where it is midnight in none."""
        for name in self._names:
            meaning = self.meaning(name, at.replace(tzinfo=None))
            if meaning is not None and (wall := wall_clock(at, meaning.zone)).time() == time.min:
                return wall.date()
        return None

    @cached_property
    def _names(self) -> list[str]:
        """The zones that are defined or named anywhere in the document."""
        lines = (line for part in self._calendar.parts for line in part.lines)
        named = [match[1] or match[2] for line in lines for match in _TZID.finditer(line)]
        return list(dict.fromkeys([*self._definitions, *named, *filter(None, [self._default])]))

    @cached_property
    def _definitions(self) -> dict[str, Component]:
        parts = [part for part in self._calendar.parts if part.name == "VTIMEZONE"]
        return {_plain(tzid.text): part for part in reversed(parts) if (tzid := part.first("TZID")) is not None}

    def _find(self, name: str, wall: datetime) -> Meaning | None:
        if (zone := zone_of(name)) is not None:
            return Meaning(zone)
        definition = self._definitions.get(name)
        if definition is not None and (observances := _observances(definition)):
            return self._matched(name, observances, wall)
        if match := _OFFSET.fullmatch(name):
            return _at_offset(_offset(match))
        if (match := _DISPLAY.fullmatch(name)) and (match := _OFFSET.fullmatch(match[1] or "+00:00")):
            return _at_offset(_offset(match), f"the time zone {name[:100]} is not known; its offset was taken")
        return None

    def _matched(self, name: str, observances: "list[_Observance]", wall: datetime) -> Meaning:
        """The IANA zone with the same offsets and changes in the years of a time, or with the offset at that time."""
        year = min(max(wall.year, _FIRST_YEAR), _LAST_YEAR)
        offset, changes = signature = _defined(observances, year)
        found = _zones_by_signature(year).get(signature)
        if found is not None:
            return Meaning(self._users_zone if self._users_zone in found else found[0])
        wall = wall.replace(year=year, day=min(wall.day, 28))
        for change in changes:
            if (wall - offset).replace(tzinfo=UTC) >= change.at:
                offset = change.offset
        return _at_offset(offset, f"no time zone is like {name[:100]}; its offset at the start was taken")


@lru_cache(maxsize=1024)
def zone_of(name: str) -> str | None:
    """The IANA zone that a name alone means: its own name in any case and behind any path, or one of Windows."""
    name = _plain(name).lower()
    parts = name.strip("/").split("/")
    for start in range(len(parts)):
        if (zone := _names().get("/".join(parts[start:]))) is not None:
            return zone
    return _windows_names().get(name) or _shown_by_windows(name)


class _Observance(NamedTuple):
    """STANDARD or DAYLIGHT of a VTIMEZONE: an offset and its onsets, which are in the local time before them."""

    start: datetime
    offset_before: timedelta
    offset: timedelta
    rule: str | None
    dates: list[datetime]

    def onsets(self, since: date, until: date) -> Iterator[Change]:
        """Those of its rule between two dates, and all others."""
        yield from (self._onset(wall) for wall in [self.start, *self.dates])
        if self.rule is not None:
            rule = rule_of(self.rule)
            last = rule.until_instant("UTC")
            for day in dates_of(rule, self.start.date(), since, until):
                onset = self._onset(datetime.combine(day, self.start.time()))
                if last is None or onset.at <= last:
                    yield onset

    def _onset(self, wall: datetime) -> Change:
        return Change((wall - self.offset_before).replace(tzinfo=UTC), self.offset)


def _observances(definition: Component) -> list[_Observance]:
    """The observances of a VTIMEZONE; none if one of them cannot be read."""
    found = []
    for part in definition.parts:
        start, before, after = (part.first(name) for name in ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO"))
        rule = part.first("RRULE")
        dates = ",".join(line.value for line in part.named("RDATE"))
        offsets = [_OFFSET.fullmatch(line.value) if line else None for line in (before, after)]
        try:
            walls = [_wall(text) for text in [start.value if start else "", *filter(None, dates.split(","))]]
            if rule is not None and rule.value:
                rule_of(rule.value)
        except ValueError:
            return []
        if offsets[0] is None or offsets[1] is None:
            return []
        text = rule.value if rule and rule.value else None
        found.append(_Observance(walls[0], _offset(offsets[0]), _offset(offsets[1]), text, walls[1:]))
    return found


def _defined(observances: list[_Observance], year: int) -> Signature:
    """The offsets of a VTIMEZONE in two years."""
    since, before = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)
    # The rule of an observance recurs every year; five years back there was one.
    reach = (since - timedelta(days=5 * 366)).date(), before.date()
    onsets = sorted(onset for observance in observances for onset in observance.onsets(*reach))
    first = min(observances, key=lambda observance: observance.start)
    offset = first.offset_before
    for onset in onsets:
        if onset.at <= since:
            offset = onset.offset
    changes, last = [], offset
    for onset in onsets:
        if since < onset.at < before and onset.offset != last:
            changes.append(onset)
            last = onset.offset
    return offset, tuple(changes)


@lru_cache(maxsize=_LAST_YEAR - _FIRST_YEAR + 1)
def _zones_by_signature(year: int) -> dict[Signature, list[str]]:
    """The IANA zones by their offsets in two years, the best known first."""
    since, before = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)
    found: dict[Signature, list[str]] = {}
    for zone in sorted({"UTC", *_places()}, key=_rank):
        offset = since.astimezone(ZoneInfo(zone)).utcoffset()
        assert offset is not None
        found.setdefault((offset, tuple(changes_between(zone, since, before))), []).append(zone)
    return found


def _at_offset(offset: timedelta, note: str | None = None) -> Meaning:
    """The zone that always has an offset; where there is none, UTC and the offset."""
    zones = _zones_by_signature(_LAST_YEAR).get((offset, ()))
    if zones is not None:
        return Meaning(zones[0], note)
    return Meaning(
        "UTC", note or f"no time zone always has the offset {offset / timedelta(hours=1):+g} h; UTC was taken", offset
    )


@cache
def _database() -> tuple[frozenset[str], dict[str, str]]:
    """The zones of the IANA database, and the names that are links to them."""
    zones, links = set(), {}
    for line in (resources.files("tzdata") / "zoneinfo" / "tzdata.zi").read_text("utf-8").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "Z":
            zones.add(rest.partition(" ")[0])
        elif kind == "L":
            target, _, name = rest.partition(" ")
            links[name] = target
    return frozenset(zones), links


def _places() -> list[str]:
    """The names of the zones that have a place in them."""
    return sorted(name for name in _database()[0] if "/" in name and name not in ("Etc/UTC", "Etc/GMT"))


def _rank(zone: str) -> tuple[int, bool, int, str]:
    """The sort key that puts the best known zones first: UTC, offsets, those with other names or a Windows name."""
    windows = min((len(name) for name, target in _windows_names().items() if target == zone), default=1_000)
    return (0 if zone == "UTC" else 1 if zone.startswith("Etc/") else 2), zone not in _linked(), windows, zone


@cache
def _linked() -> frozenset[str]:
    """The zones that have other names too."""
    return frozenset(_database()[1].values())


@cache
def _names() -> dict[str, str]:
    """IANA names in lower case, and the name that we use for each: UTC, or one with a slash."""
    zones, links = _database()
    names = {"z": "UTC"}
    for name in [*zones - {"Factory"}, *links]:
        zone = links.get(name, name)
        if zone in ("Etc/UTC", "Etc/GMT"):
            names[name.lower()] = "UTC"
        else:
            names[name.lower()] = name if "/" in name else _WITH_PLACE.get(zone, zone)
    return names


@cache
def _windows_names() -> dict[str, str]:
    return {name.lower(): _names().get(zone.lower(), zone) for name, zone in WINDOWS_TO_OLSON.items()}


@cache
def _by_place() -> dict[str, list[str]]:
    """Zones by the place in their name, in lower case."""
    places: dict[str, list[str]] = {}
    for name, zone in sorted(_names().items()):
        places.setdefault(name.rpartition("/")[2].replace("_", " "), []).append(zone)
    return places


def _shown_by_windows(name: str) -> str | None:
    """The zone that Windows shows as (UTC-05:00) Eastern Time (US & Canada), or (UTC+01:00) Amsterdam, Berlin, Bern."""
    match = _DISPLAY.fullmatch(name)
    if match is None:
        return None
    shown = match[2].strip()
    regional = _REGIONAL.fullmatch(shown)
    windows = f"{regional[1] if regional else shown} standard time"
    if (zone := _SHOWN_AS.get(shown) or _windows_names().get(windows)) is not None:
        return zone
    offset = _OFFSET.fullmatch(match[1] or "+00:00")
    for place in shown.split(","):
        for zone in _by_place().get(place.strip(), ()):
            if offset is not None and _standard_offset(zone) == _offset(offset):
                return zone
    return None


def _standard_offset(zone: str) -> timedelta:
    """The offset of a zone without summer time."""
    tz = ZoneInfo(zone)
    offsets = (datetime(_LAST_YEAR, month, 1, tzinfo=tz).utcoffset() for month in (1, 7))
    return min(offset for offset in offsets if offset is not None)


def _offset(match: re.Match[str]) -> timedelta:
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return -offset if match[1] == "-" else offset


def _wall(text: str) -> datetime:
    # Naive: its offset is TZOFFSETFROM of the observance.
    return datetime.strptime(text.strip().removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - see above


def _plain(name: str) -> str:
    return name.strip().strip('"').strip()
