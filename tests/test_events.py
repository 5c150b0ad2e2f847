"""The events that `sam local invoke -e` takes, through the real handlers."""

import json
from pathlib import Path

import pytest

from questlog.identity import session_cookie_name

from tests.conftest import User
from tests.support.client import ROOT, group_of, invoke

EVENTS = sorted((ROOT / "events").glob("*.json"))
GROUPS = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}


def test_every_group_has_its_event() -> None:
    assert {event.stem for event in EVENTS} >= GROUPS


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_an_event_is_answered(path: Path, user: User) -> None:
    event = json.loads(path.read_text("utf-8"))
    assert event["version"] == "2.0"
    assert group_of(event["rawPath"]) == path.stem
    # The session in the file is nobody's; here it is a real one.
    event["cookies"] = [f"{session_cookie_name()}={user.token}"]
    answer = invoke(event)
    assert answer.status == 200, answer.text
