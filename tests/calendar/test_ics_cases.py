"""Calendar files of the field, each with what must come of it for users in four time zones.

tests/calendar/ics/README.md says what the cases mean.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from questlog.recurrence.times import date_of

from functions.calendar import importing
from tests.conftest import Database, NewUser, User
from tests.support.effort import at_most

FOLDER = Path(__file__).parent / "ics"
COUNTS = ("imported", "updated", "unchanged", "removed", "skipped")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC")


def named(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.json"))


class Case:
    """A case on its way through its steps, as a user in one of its zones."""

    def __init__(self, name: str, zone: str, user: User, clock_today: Callable[[], date]) -> None:
        self.case: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
        self.name = name
        self.expected: dict[str, Any] = self.case["zones"][zone]
        self.user = user
        self._today = clock_today
        self._saved: dict[str, str] = {}
        self._last: dict[str, Any] = {}

    def run(self) -> None:
        for step in self.case.get("steps", [] if "generate" in self.case else [{"import": f"{self.name}.ics"}]):
            self._take(self._filled_in(step))
        if "generate" in self.case:
            self._import(generated(self.case["generate"]))
        hold(self.expected, self._last)
        if self.expected.get("occurrences") is not None:
            self._list(self.expected["from"], self.expected["to"], self.expected["occurrences"])

    def _take(self, step: dict[str, Any]) -> None:
        match step:
            case {"import": file}:
                content_type = step.get("content_type", self.case["content_type"])
                self._import((FOLDER / file).read_bytes(), content_type)
                hold(step.get("counts", {}), self._last)
            case {"settings": settings}:
                assert self.user.put("/user/settings", settings).status == 200
            case {"list": bounds}:
                self._list(bounds["from"], bounds["to"], step["occurrences"])
            case {"days": days}:
                for day, titles in days.items():
                    found = self.user.get("/calendar", query={"date": day}).data["events"]
                    assert sorted(event["title"] for event in found) == sorted(titles), day
            case {"week": day}:
                found = self.user.get("/calendar/week", query={"date": day}).data["events"]
                assert sorted(event["title"] for event in found) == sorted(step["titles"]), day
            case {"plan": day}:
                plan = self.user.post("/daily-plan", {"action": "generate", "date": day}).json["plan"]
                workouts = [item["title"] for item in plan["items"] if item["type"] == "workout"]
                assert sorted(workouts) == sorted(step["workouts"]), day
            case _:
                self._request(step)

    def _request(self, step: dict[str, Any]) -> None:
        [method] = {"post", "patch", "delete"} & set(step)
        body = step.get("json")
        answer = self.user.request(method.upper(), step[method], query=step.get("query"), body=body)
        assert answer.status == 200, (step, answer.text)
        for field, value in step.get("expect", {}).items():
            assert answer.data[field] == value, (step, field)
        if "save" in step:
            self._saved[step["save"]] = answer.data["id"]

    def _import(self, content: bytes, content_type: str | None = None) -> None:
        headers = {"content-type": content_type or self.case["content_type"]}
        self._last = self.user.post("/calendar/import", content, headers=headers).data

    def _list(self, since: str, until: str, occurrences: list[Mapping[str, Any]]) -> None:
        events = self.user.get("/calendar", query={"start_date": since, "end_date": until}).data["events"]
        assert [event["start_time"] for event in events] == sorted(event["start_time"] for event in events)
        found = sorted(({**event, "completed": event["completed_at"] is not None} for event in events), key=by_start)
        expected = sorted(occurrences, key=by_start)
        assert [event["title"] for event in found] == [occurrence["title"] for occurrence in expected]
        for event, occurrence in zip(found, expected, strict=True):
            assert {field: event[field] for field in occurrence} == occurrence

    def _filled_in(self, step: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(step)
        for name, value in self._saved.items():
            text = text.replace(f"{{{name}}}", value)
        text = re.sub(r"\{id:([^}]+)\}", lambda match: self._series_of(match[1]), text)
        text = re.sub(r"\{today\+(\d+)\}", lambda match: str(self._today() + timedelta(days=int(match[1]))), text)
        filled: dict[str, Any] = json.loads(text)
        return filled

    def _series_of(self, title: str) -> str:
        query = {"start_date": self.expected["from"], "end_date": self.expected["to"]}
        events = self.user.get("/calendar", query=query).data["events"]
        return next(str(event["series_id"]) for event in events if event["title"] == title)


def by_start(occurrence: Mapping[str, Any]) -> tuple[str, str]:
    return occurrence["start_time"], occurrence["title"]


def hold(expected: Mapping[str, Any], outcome: dict[str, Any]) -> None:
    """The counts of an import; what is not expected is free."""
    for name in COUNTS:
        if name in expected:
            assert outcome[name] == expected[name], (name, outcome)
    if "problems" in expected:
        assert len(outcome["problems"]) == expected["problems"], outcome


def generated(recipe: Mapping[str, Any]) -> bytes:
    """The document of a case that is too large to lie there."""
    events = []
    for n in range(recipe["events"]):
        day = date(1910, 1, 1) + timedelta(days=17 * n)
        if (day.month, day.day) == (2, 29):
            day = day.replace(day=28)
        events.append(recipe["event"].replace("{n}", str(n)).replace("{date}", f"{day:%Y%m%d}"))
    document: str = recipe["head"] + "".join(events) + recipe["foot"]
    return document.encode()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", named(FOLDER))
def test_gives_the_occurrences_beside_it(name: str, zone: str, new_user: NewUser, database: Database) -> None:
    user = new_user(settings={"timezone": zone})

    def today() -> date:
        [row] = database.query("SELECT clock() AS now")
        settings = user.get("/user/settings").data
        return date_of(row["now"] - timedelta(hours=settings["day_start_hour"]), settings["timezone"])

    case = Case(name, zone, user, today)
    case.run()
    for event_type, times in case.case.get("paid", {}).items():
        paid = "SELECT id FROM points_ledger WHERE user_id = %s AND event_type = %s"
        assert len(database.query(paid, user.id, event_type)) == times


def test_a_large_document_costs_little() -> None:
    case = json.loads((FOLDER / "37-large-yearly-counts.json").read_text("utf-8"))
    document = generated(case["generate"])
    with at_most(case["max_cpu_seconds"]):
        calendars = importing.parsed(document, None)
        _, outcome = importing.imported(calendars, "UTC", [], [])
    assert outcome.imported == case["generate"]["events"]
