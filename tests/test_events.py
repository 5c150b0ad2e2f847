"""The events that `sam local invoke -e` takes, through the real handlers."""

import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from questlog.identity import session_cookie_name

from local.template import Function, Schedule, functions
from tests.conftest import Database, NewUser
from tests.support import bucket
from tests.support.client import ROOT, group_of, invoke, log_in

EVENTS = sorted((ROOT / "events").glob("*.json"))
SCHEDULES = sorted((ROOT / "events" / "schedules").glob("*.json"))
GROUPS = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}


def test_every_group_has_its_event() -> None:
    assert {event.stem for event in EVENTS} >= GROUPS


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_an_event_is_answered(path: Path, new_user: NewUser) -> None:
    user = new_user(role="admin")
    event = json.loads(path.read_text("utf-8"))
    assert event["version"] == "2.0"
    assert group_of(event["rawPath"]) == path.stem
    # The session in the file is nobody's; here it is a real one.
    event["cookies"] = [f"{session_cookie_name()}={user.token}"]
    answer = invoke(event)
    assert answer.status == 200, answer.text


def test_every_schedule_has_its_event() -> None:
    """Named after the function and the schedule, and with the input that the template gives it."""
    events = {path.stem: json.loads(path.read_text("utf-8")) for path in SCHEDULES}
    assert events.keys() == {f"{one.group}_{schedule.name.lower()}" for one, schedule in scheduled()}
    for function, schedule in scheduled():
        if schedule.input is not None:
            assert events[f"{function.group}_{schedule.name.lower()}"] == json.loads(schedule.input)


@pytest.mark.parametrize("path", SCHEDULES, ids=lambda path: path.stem)
def test_a_schedule_is_run(path: Path, database: Database) -> None:
    [handler] = {one.handler for one, _ in scheduled() if path.stem.startswith(f"{one.group}_")}
    module, _, name = handler.rpartition(".")
    bucket.serve()
    log_in(handler.split(".")[1])
    # Too late to begin anything: what other tests left is theirs.
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 0)
    done = getattr(importlib.import_module(module), name)(json.loads(path.read_text("utf-8")), context)
    assert set(done.values()) == {0}


def scheduled() -> list[tuple[Function, Schedule]]:
    return [(function, schedule) for function in functions() for schedule in function.schedules]
