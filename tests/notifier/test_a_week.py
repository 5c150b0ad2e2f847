"""A week lived with the clock, worked out by hand: amounts, a limit, a holiday, an assistant, and reminders over the
change to summer time. Berlin puts its clocks forward on Sunday 2031-03-30: from UTC+1 to UTC+2.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Database, User
from tests.mcp.conftest import Assistant, listening, own_gateway, token_of
from tests.notifications.browsers import Browser
from tests.notifier.ticking import tick

__all__ = ["listening", "own_gateway"]


@pytest.fixture
def live_until(browser: Browser, clock: Clock, database: Database) -> Callable[[str], None]:
    """Move the clock to a moment, and have the sender tick each time that something is due on the way."""
    due = """
        SELECT least((SELECT min(due_at) FROM reminders),
                     (SELECT min(run_after) FROM notification_deliveries WHERE status = 'queued')) AS at
    """

    def until(moment: str) -> None:
        end = datetime.fromisoformat(moment)
        while (now := clock.now()) < end:
            [row] = database.query(due)
            clock.set(min(end, max(now, row["at"] or end)))
            tick()

    return until


def ledger(database: Database, user: User) -> list[tuple[Any, ...]]:
    rows = database.query(
        "SELECT to_char(local_date, 'Dy') AS day, event_type, xp, coins FROM points_ledger WHERE user_id = %s"
        " ORDER BY seq",
        user.id,
    )
    return [tuple(row.values()) for row in rows]


@pytest.mark.usefixtures("own_gateway")
def test_a_week(
    user: User, browser: Browser, clock: Clock, database: Database, live_until: Callable[[str], None]
) -> None:
    clock.set("2031-03-24T08:00:00Z")  # Monday, 09:00 in Berlin
    browser.subscribe(user)
    user.patch("/user/settings", {"timezone": "Europe/Berlin", "daily_reminder_time": None})
    amount = {"kind": "amount", "target_amount": 2, "unit": "l", "reminder_time": "20:00"}
    water = user.post("/habits", {"name": "Water", **amount}).data["id"]
    limit = {"kind": "amount", "direction": "at_most", "target_amount": 0}
    sweets = user.post("/habits", {"name": "Sweets", **limit}).data["id"]
    assistant = Assistant(token_of(user))
    assert user.post("/pauses", {"from": "2031-03-26", "to": "2031-03-27"}).data["days"] == 2

    # Monday: three quarters by the assistant, the rest after the reminder.
    assert assistant.done("log_amount", 1, habit_id=water, amount=1.5)["data"]["remaining"] == 0.5
    live_until("2031-03-24T19:30:00Z")
    first = user.post(f"/habits/{water}/log", {"amount": 0.5}).data
    assert (first["completed"], first["xp_awarded"], first["streak"]) == (True, 10, 1)
    user.post(f"/habits/{sweets}/kept").refused(409, "period_open")

    # Tuesday: the assistant plans the day and logs it all, so that nothing is to be reminded of.
    live_until("2031-03-25T07:00:00Z")
    assert assistant.done("plan_day", 2)["plan"]["items"]
    assert assistant.done("log_amount", 3, habit_id=water, amount=2)["data"]["new_streak"] == 2
    assert user.post(f"/habits/{sweets}/kept").data["xp_awarded"] == 10
    user.post(f"/habits/{sweets}/kept").refused(409, "already_completed")

    # Wednesday and Thursday: a holiday. Nothing is due, and no message comes.
    live_until("2031-03-26T10:00:00Z")
    resting = user.get(f"/habits/{water}").data
    assert (resting["due_today"], resting["paused_until"], resting["current_streak"]) == (False, "2031-03-27", 2)
    assert user.get("/streaks").json[0]["current_streak"] == 2

    # Friday: late, but in time. The streak went on over the holiday.
    live_until("2031-03-28T21:00:00Z")
    friday = user.post(f"/habits/{water}/log", {"amount": 2}).data
    assert (friday["new_streak"], friday["streak"]) == (3, 3)
    assert [one["key"] for one in friday["achievements_unlocked"]] == ["streak_3"]

    # Saturday: half of the water, and a sweet.
    live_until("2031-03-29T11:00:00Z")
    user.post(f"/habits/{water}/log", {"amount": 1})
    assert user.post(f"/habits/{sweets}/log", {}).data["within_limit"] is False

    # Sunday, in summer time: the day before is missed and the limit was passed.
    live_until("2031-03-30T06:00:00Z")
    sunday = assistant.done("log_amount", 4, habit_id=water, amount=2)["data"]
    assert (sunday["new_streak"], sunday["streak"]) == (1, 1)
    user.post(f"/habits/{sweets}/kept").refused(409, "limit_exceeded")

    live_until("2031-03-31T20:00:00Z")
    assert [(shown["title"], shown["path"]) for shown in browser.shown()] == [
        ("Water", "/habits"),  # Monday
        *(("Water", "/habits"), ("Your streak of 2 days ends tonight", "/hub")),  # Friday
        *(("Water", "/habits"), ("Your streak of 3 days ends tonight", "/hub")),  # Saturday
        *(("Water", "/habits"), ("Your streak of 1 day ends tonight", "/hub")),  # Monday
    ]
    sent = database.query(
        "SELECT to_char(created_at AT TIME ZONE 'UTC', 'Dy HH24:MI') AS at FROM notification_outbox"
        " WHERE user_id = %s ORDER BY seq",
        user.id,
    )
    # 20:00 in Berlin, and three hours before the day ends: an hour earlier in UTC from Sunday on.
    assert [row["at"] for row in sent] == [
        "Mon 19:00",
        *("Fri 19:00", "Fri 20:00"),
        *("Sat 19:00", "Sat 20:00"),
        *("Mon 18:00", "Mon 19:00"),
    ]
    assert ledger(database, user) == [
        *(("Mon", "habit_complete", 10, 5), ("Mon", "achievement", 25, 10)),  # the first habit
        *(("Tue", "habit_complete", 10, 5), ("Tue", "habit_complete", 10, 5)),  # water, and Monday without sweets
        *(("Fri", "habit_complete", 10, 5), ("Fri", "achievement", 50, 15)),  # three days
        ("Sun", "habit_complete", 10, 5),
    ]
    progress = assistant.done("progress", 5)
    assert (progress["xp"], progress["coins"], progress["level"]) == (125, 50, 2)
    water_now, sweets_now = (user.get(f"/habits/{one}").data for one in (water, sweets))
    assert (water_now["current_streak"], water_now["longest_streak"], water_now["amount_period"]) == (1, 3, 0)
    assert (sweets_now["current_streak"], sweets_now["due_today"]) == (1, False)
