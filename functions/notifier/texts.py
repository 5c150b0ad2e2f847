"""The texts of all messages.

`facts` come from looking at a reminder (code/notifications.sql); `zone` is the user's time zone.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from questlog.recurrence.times import wall_clock

# What fits on a lock screen, and far into the 3 KiB of a pushed message.
_LONGEST_NAME: Final = 120
_LONGEST_TITLE: Final = 300
_LONGEST_BODY: Final = 500
_NAMED_HABITS: Final = 3


class Text(NamedTuple):
    """A message: its title, its body, and where in the app it leads."""

    title: str
    body: str
    path: str


def text_of(kind: str, facts: Mapping[str, Any], zone: str) -> Text:
    """The text of a message."""
    text = _text_of(kind, facts, zone)
    return text._replace(title=shortened(text.title, _LONGEST_TITLE), body=shortened(text.body, _LONGEST_BODY))


def shortened(text: str, longest: int) -> str:
    """Text of one line, cut with an ellipsis where it is longer.

    A name may consist of control characters that are spaces to Python: then an ellipsis is all that can be shown.
    """
    line = " ".join(text.split()) or "…"
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def _text_of(kind: str, facts: Mapping[str, Any], zone: str) -> Text:
    match kind:
        case "habit":
            text = Text(shortened(facts["name"], _LONGEST_NAME), "It is time for this habit.", "/habits")
        case "event":
            text = _event(facts, zone)
        case "daily":
            text = _daily(facts)
        case "streak":
            text = _streak(facts)
        case "reviews":
            text = _reviews(facts)
        case "quest":
            text = _quest(facts, zone)
        case "test":
            text = Text("Notifications work", "This is the message that you asked for.", "/hub")
        case _:  # a note of the inbox: an export that is ready, an answer to a report
            text = Text(facts["title"], facts["text"] or "You find it in your inbox.", "/hub")
    return text


def _event(facts: Mapping[str, Any], zone: str) -> Text:
    start = wall_clock(datetime.fromisoformat(facts["start"]), facts["zone"] or zone)
    when = f"{start:%A}, all day" if facts["all_day"] else f"{start:%A, %H:%M}"
    place = f" · {shortened(facts['location'], _LONGEST_NAME)}" if facts["location"] else ""
    return Text(shortened(facts["title"], _LONGEST_NAME), f"{when}{place}", "/planner")


def _daily(facts: Mapping[str, Any]) -> Text:
    habits: list[str] = facts["habits"]
    parts = []
    if habits:
        named = ", ".join(shortened(name, _LONGEST_NAME) for name in habits[:_NAMED_HABITS])
        more = f" and {len(habits) - _NAMED_HABITS} more" if len(habits) > _NAMED_HABITS else ""
        parts.append(f"{_counted(len(habits), 'habit')}: {named}{more}")
    if facts["tasks"]:
        parts.append(f"{_counted(facts['tasks'], 'item')} of your plan")
    if facts["reviews"]:
        parts.append(_counted(facts["reviews"], "review"))
    return Text("Your day", ". ".join(parts) + ".", "/hub")


def _streak(facts: Mapping[str, Any]) -> Text:
    days = _counted(facts["days"], "day")
    return Text(f"Your streak of {days} ends tonight", "Anything you complete before the day ends keeps it.", "/hub")


def _reviews(facts: Mapping[str, Any]) -> Text:
    count = facts["count"]
    verb = "is" if count == 1 else "are"
    return Text("Time to review", f"{_counted(count, 'review')} {verb} due.", "/learn")


def _quest(facts: Mapping[str, Any], zone: str) -> Text:
    end = wall_clock(datetime.fromisoformat(facts["expires_at"]), zone)
    return Text(shortened(facts["title"], _LONGEST_NAME), f"This quest expires on {end:%A at %H:%M}.", "/quests")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
