"""When each kind of thing is reminded of, and when it is not: NOON is a Wednesday, 2031-05-07 12:00 UTC."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.notifier import reminding
from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.jobs.accounts import bring, export_of
from tests.notifications.browsers import Browser
from tests.notifier.ticking import tick
from tests.support import bucket
from tests.support.clock import NOON


@pytest.fixture(autouse=True)
def _noon(noon: None) -> None:
    """Every test here begins at noon."""


@pytest.fixture
def reader(user: User, browser: Browser) -> User:
    """A user who is sent messages, and reminded of nothing yet."""
    browser.subscribe(user)
    return user


def habit(user: User, time: str | None = "18:30", **fields: Any) -> str:
    return str(user.post("/habits", {"name": "Stretch", "reminder_time": time, **fields}).data["id"])


def event(user: User, **fields: Any) -> dict[str, Any]:
    body = {"title": "Rehearsal", "start_time": "2031-05-08T18:00:00Z", "reminder_minutes": 30, **fields}
    made: dict[str, Any] = user.post("/calendar", body).data
    return made


def due(user: User, database: Database) -> dict[str, str]:
    """When the sender will look at each thing, in UTC."""
    rows = database.query(
        "SELECT source, to_char(due_at AT TIME ZONE 'UTC', 'DD HH24:MI') AS at FROM reminders WHERE user_id = %s",
        user.id,
    )
    return {row["source"]: row["at"] for row in rows}


def titles(browser: Browser) -> list[str]:
    """The titles of what was shown, without warnings of a streak: what is completed for a test begins one."""
    return [title for shown in browser.shown() if not (title := shown["title"]).startswith("Your streak")]


Run = Callable[[datetime], list[datetime]]


@pytest.fixture
def run(browser: Browser, clock: Clock, database: Database) -> Run:
    """Tick whenever something is due, up to a moment. Returns when what was sent that titles() counts."""
    next_due = """
        SELECT least((SELECT min(due_at) FROM reminders),
                     (SELECT min(run_after) FROM notification_deliveries WHERE status = 'queued')) AS at
    """

    def until(end: datetime) -> list[datetime]:
        sent: list[datetime] = []
        while (now := clock.now()) < end:
            [row] = database.query(next_due)
            clock.set(min(end, max(now, row["at"] or end)))
            before = len(titles(browser))
            tick()
            sent += [clock.now().replace(second=0, microsecond=0)] * (len(titles(browser)) - before)
        return sent

    return until


# Habits ---------------------------------------------------------------------------------------------------------------


def test_a_habit_at_its_time(reader: User, browser: Browser, clock: Clock, database: Database) -> None:
    habit(reader)
    assert due(reader, database)["habit"] == "07 18:30"
    clock.set(NOON + timedelta(hours=6, minutes=29))
    assert "messages" not in tick()
    clock.set(NOON + timedelta(hours=6, minutes=30))
    assert tick()["delivered"] == 1
    assert [(one["title"], one["path"]) for one in browser.shown()] == [("Stretch", "/habits")]
    # Of use until the day is over.
    assert 5 * 3600 < int(browser.arrived[0].headers["ttl"]) <= 5.5 * 3600
    assert due(reader, database)["habit"] == "08 18:30"


@pytest.mark.parametrize("what", ["complete", "skip", "archive", "delete", "time", "off", "channel"])
def test_no_habit_that_needs_none(reader: User, browser: Browser, clock: Clock, database: Database, what: str) -> None:
    made = habit(reader)
    match what:
        case "delete":
            reader.delete(f"/habits/{made}")
        case "time":
            reader.patch(f"/habits/{made}", {"reminder_time": None})
        case "off":
            reader.patch("/user/settings", {"notifications_enabled": False})
        case "channel":
            reader.patch("/user/settings", {"push_notifications": False})
        case _:
            reader.post(f"/habits/{made}/{what}")
    clock.set(NOON + timedelta(hours=6, minutes=31))
    tick()
    assert titles(browser) == []
    assert ("habit" in due(reader, database)) == (what in ("complete", "skip"))


def test_a_habit_is_reminded_of_again_when_it_is_wanted_again(
    reader: User, browser: Browser, clock: Clock, database: Database
) -> None:
    made = habit(reader)
    reader.post(f"/habits/{made}/archive")
    clock.set(NOON + timedelta(hours=7))
    tick()
    reader.post(f"/habits/{made}/restore")
    assert due(reader, database)["habit"] == "08 18:30"


def test_only_on_its_days(reader: User, run: Run, browser: Browser, clock: Clock) -> None:
    """Fridays and Sundays."""
    habit(reader, frequency="custom", custom_days=[0, 5])
    sent = run(NOON + timedelta(days=7))
    assert [f"{at:%a}" for at in sent] == ["Fri", "Sun"]


def test_a_changed_time_counts_from_now(reader: User, browser: Browser, clock: Clock, database: Database) -> None:
    made = habit(reader)
    reader.patch(f"/habits/{made}", {"reminder_time": "12:15"})
    assert due(reader, database)["habit"] == "07 12:15"
    reader.patch(f"/habits/{made}", {"reminder_time": "11:00"})
    assert due(reader, database)["habit"] == "08 11:00"


@pytest.mark.parametrize("name", ["\x1c", "\x1f \x1d", "\u2028\x1e\u2028"])
def test_a_name_that_shows_nothing_keeps_nobody_from_being_reminded(
    reader: User, browser: Browser, clock: Clock, *, other: User, name: str
) -> None:
    """These are spaces to Python and characters to the database; a message without a title would fail its batch."""
    browser.subscribe(other, "two")
    habit(other)
    habit(reader, name=name)
    reader.post("/quests", {"title": name, "category": "errands", "expires_at": "2031-05-08T18:30:00Z"})
    event(reader, title=name, location=name, start_time="2031-05-07T19:00:00Z")
    clock.set(NOON + timedelta(hours=6, minutes=30))
    assert tick()["delivered"] == 4
    assert sorted(titles(browser)) == ["Stretch", "…", "…", "…"]


@pytest.mark.parametrize("fails", ["looked_at", "text_of"])
def test_what_cannot_be_made_a_message_keeps_nothing_else_from_it(
    reader: User, browser: Browser, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, other: User, fails: str
) -> None:
    browser.subscribe(other, "two")
    habit(other)
    series(reader, start_time="2031-05-01T20:30:00", end_time="2031-05-01T21:30:00")
    tick()
    original = getattr(reminding, fails)

    def failing(*arguments: Any) -> Any:
        if fails == "looked_at" or arguments[0] == "event":
            raise ZeroDivisionError
        return original(*arguments)

    monkeypatch.setattr(reminding, fails, failing)
    clock.set(NOON + timedelta(hours=6, minutes=30))
    assert tick()["delivered"] == 1
    assert titles(browser) == ["Stretch"]


def test_who_is_suspended_is_not_reminded_and_who_is_readmitted_is_again(
    reader: User, browser: Browser, clock: Clock, *, database: Database, new_user: NewUser
) -> None:
    habit(reader)
    admin = new_user(role="admin")
    admin.patch(f"/admin/users/{reader.id}", {"approved": False})
    clock.set(NOON + timedelta(hours=6, minutes=30))
    tick()
    assert titles(browser) == []
    assert "habit" not in due(reader, database)
    admin.patch(f"/admin/users/{reader.id}", {"approved": True})
    assert due(reader, database)["habit"] == "08 18:30"
    assert due(admin, database) == {}


def test_who_wants_no_messages_has_no_reminders(user: User, database: Database) -> None:
    habit(user)
    event(user)
    assert due(user, database) == {}


def test_the_first_browser_plans_what_is_there(user: User, browser: Browser, database: Database) -> None:
    habit(user)
    event(user)
    user.patch("/user/settings", {"push_notifications": True, "daily_reminder_time": "07:00"})
    assert due(user, database) == {}
    browser.subscribe(user)
    assert due(user, database) == {
        "habit": "07 18:30",
        "event": "08 17:30",
        "daily": "08 07:00",
        "streak": "07 21:00",
        "reviews": "08 09:00",
    }


# Time -----------------------------------------------------------------------------------------------------------------


def test_a_new_zone_moves_the_reminders(reader: User, browser: Browser, clock: Clock, database: Database) -> None:
    habit(reader)
    reader.patch("/user/settings", {"daily_reminder_time": "07:00", "day_start_hour": 4})
    reader.patch("/user/settings", {"timezone": "America/New_York"})
    assert due(reader, database) == {
        "habit": "07 22:30",
        "daily": "08 11:00",
        "streak": "08 05:00",
        "reviews": "07 13:00",
    }


@pytest.mark.parametrize(
    "write",
    [
        lambda user, zone: user.put("/user/settings", {"timezone": zone}),
        lambda user, zone: user.post("/settings", {"key": "timezone", "value": zone}),
        lambda user, zone: user.patch("/settings", {"timezone": zone, "theme": "dark"}),
    ],
    ids=["PUT /user/settings", "POST /settings", "PATCH /settings"],
)
def test_whatever_route_changes_the_zone(
    reader: User, database: Database, clock: Clock, *, write: Callable[[User, str], Any]
) -> None:
    habit(reader)
    assert write(reader, "America/New_York").status == 200
    assert due(reader, database)["habit"] == "07 22:30"
    assert reader.delete("/settings/timezone").status == 204
    assert due(reader, database)["habit"] == "07 18:30"


def test_an_account_that_is_imported_is_reminded_of(
    user: User, other: User, browser: Browser, database: Database, *, clock: Clock
) -> None:
    """Reminders are in no export: they are planned for who has brought the account, in its zone."""
    bucket.serve()
    user.patch("/user/settings", {"push_notifications": True, "timezone": "Europe/Berlin"})
    habit(user)
    event(user)
    browser.subscribe(other)
    other.patch("/user/settings", {"push_notifications": False})
    assert bring(other, export_of(database, user).zipped())["status"] == "done"
    assert due(other, database) == {
        "habit": "07 16:30",
        "event": "08 17:30",
        "streak": "07 19:00",
        "reviews": "08 07:00",
    }


def test_a_zone_to_the_west_reminds_once_a_day(reader: User, run: Run, browser: Browser, clock: Clock) -> None:
    """It was said in Berlin; in New York the same day has the same time once more."""
    reader.patch("/user/settings", {"timezone": "Europe/Berlin"})
    habit(reader, "14:30")
    clock.set(NOON + timedelta(minutes=30))
    tick()
    assert titles(browser) == ["Stretch"]
    reader.patch("/user/settings", {"timezone": "America/New_York"})
    run(NOON + timedelta(hours=12))
    assert titles(browser) == ["Stretch"]
    run(NOON + timedelta(hours=31))
    assert titles(browser) == ["Stretch", "Stretch"]


@pytest.mark.parametrize(
    ("begin", "time", "expected"),
    [
        # Clocks go forward on 2031-03-30 at 01:00 UTC: 02:30 is not shown on that day.
        ("2031-03-29T12:00:00+00:00", "08:00", ["30 06:00", "31 06:00"]),
        ("2031-03-29T12:00:00+00:00", "02:30", ["30 01:30", "31 00:30"]),
        # And back on 2031-10-26: 02:30 is shown twice.
        ("2031-10-25T12:00:00+00:00", "08:00", ["26 07:00", "27 07:00"]),
        ("2031-10-25T12:00:00+00:00", "02:30", ["26 00:30", "27 01:30"]),
    ],
)
def test_a_change_of_the_clocks(
    reader: User, run: Run, browser: Browser, clock: Clock, *, begin: str, time: str, expected: list[str]
) -> None:
    clock.set(begin)
    reader.patch("/user/settings", {"timezone": "Europe/Berlin"})
    habit(reader, time)
    sent = run(datetime.fromisoformat(begin) + timedelta(hours=47))
    assert [f"{at:%d %H:%M}" for at in sent] == expected


def test_a_reminder_after_midnight_is_of_the_day_that_has_not_ended(
    reader: User, run: Run, browser: Browser, clock: Clock
) -> None:
    reader.patch("/user/settings", {"day_start_hour": 4})
    made = habit(reader, "01:00")
    reader.post(f"/habits/{made}/complete")
    run(NOON + timedelta(hours=14))
    assert titles(browser) == []
    run(NOON + timedelta(hours=38))
    assert titles(browser) == ["Stretch"]


def test_a_sender_that_stood_still_sends_no_storm(
    reader: User, browser: Browser, clock: Clock, database: Database
) -> None:
    """Three days: of the habit today's is said, of the day's list and of the streak nothing, being hours late."""
    reader.patch("/user/settings", {"daily_reminder_time": "09:00"})
    habit(reader, "10:00")
    event(reader)
    clock.set(NOON + timedelta(days=3))
    tick()
    assert titles(browser) == ["Stretch"]
    assert due(reader, database)["habit"] == "11 10:00"


def test_a_day_that_is_over_is_not_reminded_of(reader: User, browser: Browser, clock: Clock) -> None:
    habit(reader, "23:30")
    clock.set(NOON + timedelta(hours=13))
    tick()
    assert titles(browser) == []


# Quiet hours, and how many --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quiet", "sent"),
    [
        ({"from": "18:00", "to": "19:00"}, False),
        ({"from": "18:30", "to": "19:00"}, False),
        ({"from": "18:00", "to": "18:30"}, True),
        ({"from": "22:00", "to": "07:00"}, True),
        ({"from": "12:00", "to": "11:00"}, False),
    ],
)
def test_quiet_hours(reader: User, browser: Browser, clock: Clock, quiet: dict[str, str], sent: bool) -> None:
    reader.patch("/user/settings", {"quiet_hours": quiet})
    habit(reader)
    clock.freeze()
    clock.set(NOON + timedelta(hours=6, minutes=30))
    tick()
    assert (titles(browser) == ["Stretch"]) == sent


def test_quiet_hours_are_the_users_own(reader: User, run: Run, browser: Browser, clock: Clock) -> None:
    reader.patch("/user/settings", {"timezone": "Asia/Tokyo", "quiet_hours": {"from": "22:00", "to": "07:00"}})
    habit(reader, "06:30")
    habit(reader, "07:00", name="Walk")
    run(NOON + timedelta(hours=20))
    assert titles(browser) == ["Walk"]


def test_no_more_than_the_user_wants_on_a_day(reader: User, run: Run, browser: Browser, clock: Clock) -> None:
    reader.patch("/user/settings", {"max_notifications_per_day": 2})
    for number in range(3):
        habit(reader, name=f"Habit {number}")
    habit(reader, "20:00", name="Later")
    run(NOON + timedelta(hours=11))
    assert len(titles(browser)) == 2
    assert "Later" not in titles(browser)
    run(NOON + timedelta(hours=35))
    assert len(titles(browser)) == 4


def test_none_at_all(reader: User, run: Run, browser: Browser, clock: Clock) -> None:
    reader.patch("/user/settings", {"max_notifications_per_day": 0})
    habit(reader)
    run(NOON + timedelta(hours=11))
    assert titles(browser) == []
    assert reader.post("/notifications/test").data == {"queued": 1}
    tick()
    assert titles(browser) == ["Notifications work"]


def test_no_reminders_while_everything_is_paused(reader: User, run: Run, browser: Browser, clock: Clock) -> None:
    """But of an event: a flight leaves on holidays too."""
    reader.patch("/user/settings", {"daily_reminder_time": "08:00"})
    habit(reader)
    reader.post("/quests", {"title": "Bank", "category": "errands", "expires_at": "2031-05-10T08:00:00Z"})
    event(reader, title="Flight")
    reader.post("/pauses", {"from": "2031-05-07", "to": "2031-05-09"})
    assert [f"{at:%d %H:%M}" for at in run(NOON + timedelta(days=2, hours=11))] == ["08 17:30"]
    assert titles(browser) == ["Flight"]
    run(NOON + timedelta(days=3, hours=11))
    assert titles(browser) == ["Flight", "Your day", "Stretch"]


def test_no_reminder_of_a_paused_habit(reader: User, run: Run, browser: Browser, clock: Clock) -> None:
    paused = habit(reader)
    habit(reader, "18:45", name="Walk")
    reader.post("/pauses", {"habit_id": paused, "to": "2031-05-08"})
    run(NOON + timedelta(days=2, hours=11))
    assert titles(browser) == ["Walk", "Walk", "Stretch", "Walk"]


# The other kinds ------------------------------------------------------------------------------------------------------


def test_the_day_in_one_message(reader: User, run: Run, browser: Browser, clock: Clock) -> None:
    reader.patch("/user/settings", {"daily_reminder_time": "18:00"})
    run(NOON + timedelta(hours=7))
    assert titles(browser) == []
    for number in range(5):
        habit(reader, None, name=f"Habit {number}")
    run(NOON + timedelta(hours=31))
    [shown] = browser.shown()
    assert (shown["title"], shown["body"]) == ("Your day", "5 habits: Habit 0, Habit 1, Habit 2 and 2 more.")


def test_an_event_before_it(reader: User, run: Run, browser: Browser, clock: Clock, database: Database) -> None:
    reader.patch("/user/settings", {"timezone": "Europe/Berlin"})
    event(reader, location="Room 2")
    assert due(reader, database)["event"] == "08 17:30"
    sent = run(NOON + timedelta(days=2))
    assert [f"{at:%d %H:%M}" for at in sent] == ["08 17:30"]
    [shown] = browser.shown()
    assert (shown["title"], shown["body"], shown["path"]) == ("Rehearsal", "Thursday, 20:00 · Room 2", "/planner")
    assert "event" not in due(reader, database)


@pytest.mark.parametrize("what", ["complete", "delete", "later", "none"])
def test_no_event_that_needs_none(
    reader: User, run: Run, browser: Browser, clock: Clock, *, database: Database, what: str
) -> None:
    made = event(reader)["id"]
    match what:
        case "complete":
            reader.post(f"/calendar/{made}/complete")
        case "delete":
            reader.delete(f"/calendar/{made}")
        case "later":
            reader.patch(f"/calendar/{made}", {"start_time": "2031-05-10T18:00:00Z"})
            assert due(reader, database)["event"] == "10 17:30"
        case _:
            reader.patch(f"/calendar/{made}", {"reminder_minutes": None})
    assert run(NOON + timedelta(days=2)) == []


def test_a_moved_event_is_reminded_of_at_its_new_time(reader: User, run: Run, browser: Browser, clock: Clock) -> None:
    made = event(reader)["id"]
    assert len(run(NOON + timedelta(hours=29, minutes=45))) == 1
    reader.patch(f"/calendar/{made}", {"start_time": "2031-05-08T21:00:00Z"})
    sent = run(NOON + timedelta(days=2))
    assert [f"{at:%H:%M}" for at in sent] == ["20:30"]


def test_an_event_whose_reminder_has_passed_is_not_reminded_of(
    reader: User, run: Run, browser: Browser, clock: Clock
) -> None:
    """Who has just written it down knows."""
    event(reader, start_time="2031-05-07T12:20:00Z")
    assert run(NOON + timedelta(hours=1)) == []


def series(user: User, **fields: Any) -> str:
    body = {"timezone": "Europe/Berlin", "recurrence_rule": "FREQ=DAILY", "start_time": "2031-05-01T08:00:00"}
    return str(event(user, **{**body, "end_time": "2031-05-01T09:00:00", **fields})["id"])


def test_a_series_occurrence_by_occurrence(
    reader: User, run: Run, browser: Browser, clock: Clock, database: Database
) -> None:
    """One that is removed, one that is done, one that is moved; and it has begun before it was written down."""
    made = series(reader)
    tick()
    assert due(reader, database)["event"] == "08 05:30"
    reader.delete(f"/calendar/{made}_20310509T060000Z")
    reader.post(f"/calendar/{made}_20310510T060000Z/complete")
    reader.patch(f"/calendar/{made}_20310511T060000Z", {"start_time": "2031-05-11T15:00:00Z"})
    sent = run(NOON + timedelta(days=5))
    assert [f"{at:%d %H:%M}" for at in sent] == ["08 05:30", "11 14:30", "12 05:30"]


def test_a_series_over_a_change_of_the_clocks(reader: User, run: Run, browser: Browser, clock: Clock) -> None:
    clock.set("2031-03-28T12:00:00+00:00")
    series(reader, start_time="2031-03-01T08:00:00", end_time="2031-03-01T09:00:00")
    sent = run(datetime(2031, 3, 31, 12, tzinfo=UTC))
    assert [f"{at:%d %H:%M}" for at in sent] == ["29 06:30", "30 05:30", "31 05:30"]


def test_a_series_that_ends(reader: User, run: Run, browser: Browser, clock: Clock, database: Database) -> None:
    series(reader, recurrence_rule="FREQ=DAILY;COUNT=8")
    assert len(run(NOON + timedelta(days=3))) == 1
    assert "event" not in due(reader, database)


def test_of_missed_occurrences_only_one_that_is_not_over(reader: User, browser: Browser, clock: Clock) -> None:
    series(reader)
    tick()
    clock.set(NOON + timedelta(days=3) - timedelta(hours=5, minutes=30))
    assert tick()["delivered"] == 1
    clock.set(NOON + timedelta(days=6))
    assert "messages" not in tick()


def test_a_streak_that_ends_tonight(reader: User, run: Run, browser: Browser, clock: Clock, database: Database) -> None:
    made = habit(reader, None)
    reader.post(f"/habits/{made}/complete")
    run(NOON + timedelta(hours=32, minutes=59))
    assert browser.shown() == []
    clock.set(NOON + timedelta(hours=33))
    tick()
    run(NOON + timedelta(days=3))
    assert [shown["title"] for shown in browser.shown()] == ["Your streak of 1 day ends tonight"]


def test_reviews_that_are_due(reader: User, run: Run, browser: Browser, clock: Clock) -> None:
    deck = reader.post("/learn/decks", {"name": "Words"}).data["id"]
    card = reader.post(f"/learn/decks/{deck}/cards", {"front": "cat", "back": "Katze"}).data
    card_id = (card.get("cards") or [card])[0]["id"]
    reader.post(f"/learn/cards/{card_id}/review", {"rating": 4})
    sent = run(NOON + timedelta(days=16))
    assert sent
    assert {f"{at:%H:%M}" for at in sent} == {"09:00"}
    assert "1 review is due." in [shown["body"] for shown in browser.shown()]


def test_a_quest_before_it_expires(reader: User, run: Run, browser: Browser, clock: Clock, database: Database) -> None:
    quest = {"title": "Call the bank", "category": "errands", "expires_at": "2031-05-10T08:00:00Z"}
    made = reader.post("/quests", quest).data["id"]
    soon = reader.post("/quests", {**quest, "title": "Water", "expires_at": "2031-05-08T08:00:00Z"}).data["id"]
    done = reader.post("/quests", {**quest, "title": "Done"}).data["id"]
    reader.post(f"/quests/{done}/complete")
    sent = run(NOON + timedelta(days=4))
    assert [f"{at:%d %H:%M}" for at in sent] == ["08 05:00", "09 08:00"]
    assert titles(browser) == ["Water", "Call the bank"]
    assert browser.shown()[-1]["body"] == "This quest expires on Saturday at 08:00."
    assert "quest" not in due(reader, database)
    del made, soon


def test_feedback_that_was_answered(
    reader: User, browser: Browser, clock: Clock, database: Database, new_user: Any
) -> None:
    admin = new_user(role="admin")
    report = reader.post("/feedback", {"type": "bug", "title": "It rings", "description": "All night."}).data["id"]
    admin.put(f"/admin/feedback/{report}", {"admin_response": "Not any more."})
    assert tick()["delivered"] == 1
    [shown] = browser.shown()
    assert (shown["title"], shown["body"]) == ('Your report "It rings" was answered', "Not any more.")


def test_news_wait_for_the_end_of_the_quiet_hours(
    reader: User, run: Run, browser: Browser, clock: Clock, new_user: Any
) -> None:
    reader.patch("/user/settings", {"quiet_hours": {"from": "11:00", "to": "14:30"}})
    report = reader.post("/feedback", {"type": "bug", "title": "It rings", "description": "All night."}).data["id"]
    new_user(role="admin").put(f"/admin/feedback/{report}", {"admin_response": "Not any more."})
    sent = run(NOON + timedelta(hours=5))
    assert [f"{at:%H:%M}" for at in sent] == ["14:30"]


def test_a_note_that_was_read_is_not_sent(reader: User, browser: Browser, clock: Clock, new_user: Any) -> None:
    report = reader.post("/feedback", {"type": "bug", "title": "It rings", "description": "All night."}).data["id"]
    new_user(role="admin").put(f"/admin/feedback/{report}", {"admin_response": "Not any more."})
    reader.post("/user/inbox/read-all")
    tick()
    assert titles(browser) == []
