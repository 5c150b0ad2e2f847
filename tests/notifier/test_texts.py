"""The texts of messages: short enough for a push service, and never empty."""

from typing import Any

import pytest

from functions.notifier.pushing import LARGEST_PAYLOAD, payload_of
from functions.notifier.texts import shortened, text_of

# The longest that the routes take of each kind, in characters of four bytes.
LONG = "\N{BELL WITH CANCELLATION STROKE}"
AT = "2031-05-09T08:00:00+00:00"
LONGEST: dict[str, dict[str, Any]] = {
    "habit": {"name": LONG * 120},
    "event": {"title": LONG * 200, "location": LONG * 300, "all_day": False, "start": AT, "zone": None},
    "daily": {"habits": [LONG * 120] * 200, "reviews": 10**6, "tasks": 10**3},
    "streak": {"days": 10**6},
    "reviews": {"count": 10**6},
    "quest": {"title": LONG * 200, "expires_at": AT},
    "test": {},
    "export": {"title": "Your export is ready", "text": None},
    "feedback": {"title": f'Your report "{LONG * 200}" was answered', "text": LONG * 5000},
}


@pytest.mark.parametrize("kind", LONGEST)
def test_the_longest_message_has_three_kibibytes(kind: str) -> None:
    """Beyond contract, 3.3. The database holds 300 and 1000 characters of title and body."""
    text = text_of(kind, LONGEST[kind], "America/Argentina/Buenos_Aires")
    assert 1 <= len(text.title) <= 300
    assert 1 <= len(text.body) <= 500
    payload = payload_of({**text._asdict(), "dedupe_key": "x" * 200})
    assert len(payload) <= LARGEST_PAYLOAD == 3 * 1024


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a", "a"),
        (" a\n\tb ", "a b"),
        ("abcde", "abcde"),
        ("abcdef", "abcd…"),
        ("abc def", "abc…"),
        ("", "…"),
        ("\x1c\x1f", "…"),
    ],
)
def test_one_line_of_some_length(text: str, shown: str) -> None:
    assert shortened(text, 5) == shown


@pytest.mark.parametrize("kind", ["feedback", "export"])
def test_a_note_without_a_text_says_where_it_is(kind: str) -> None:
    assert text_of(kind, {"title": "Done", "text": None}, "UTC").body == "You find it in your inbox."
