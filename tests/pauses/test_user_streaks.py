"""What a pause of everything is to the six streaks of a user: no day of it is missed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.pauses.conftest import pause
from tests.support import factories
from tests.support.clock import NOON, ahead
from tests.support.ledger import as_user, award, purchase

TYPES = ("daily_activity", "focus", "habit", "workout", "learning", "reading")
# An event for each streak but the daily one, which all of them move.
EVENTS = ("focus_complete", "habit_complete", "workout_complete", "lesson_complete", "reading_session")


@dataclass(frozen=True)
class Place:
    """Where a user lives, and the day on which a test begins there."""

    zone: str
    day_start: int
    begins: date

    def at(self, day: int, *, last_minute: bool = False) -> datetime:
        """The first or the last minute of a day of the user's, which is so many days after the first one."""
        midnight = datetime.combine(self.begins + timedelta(day + last_minute), time(self.day_start))
        return midnight.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC) - timedelta(minutes=last_minute)

    def day(self, day: int) -> str:
        return str(self.begins + timedelta(days=day))


PLACES = [
    Place("UTC", 0, NOON.date()),
    Place("Europe/Berlin", 3, date(2031, 3, 28)),  # the third day has 23 hours
    Place("America/New_York", 6, date(2031, 10, 31)),  # the third day has 25 hours
    Place("Pacific/Kiritimati", 0, date(2032, 2, 27)),  # the third day is the 29th of February
]


@dataclass(frozen=True)
class Case:
    """A user is active on the first two days, and again on the day `back`."""

    paused: tuple[int, int | None] | None
    shields: int
    back: int
    daily: int  # the daily streak that is shown on that day before
    others: int
    used: tuple[int, ...] = ()  # the days that shields are used for


CASES = [
    Case(None, 0, 2, daily=2, others=2),
    Case(None, 0, 3, daily=0, others=0),
    Case(None, 1, 3, daily=2, others=0, used=(2,)),
    Case((2, 3), 0, 4, daily=2, others=2),
    Case((2, 3), 5, 4, daily=2, others=2),
    Case((2, 3), 0, 5, daily=0, others=0),
    Case((2, 3), 1, 5, daily=2, others=0, used=(4,)),
    Case((3, 4), 1, 5, daily=2, others=0, used=(2,)),
    Case((3, 3), 2, 5, daily=2, others=0, used=(2, 4)),
    Case((3, 3), 1, 5, daily=0, others=0),
    Case((2, None), 0, 10, daily=2, others=2),
    Case((2, 20), 0, 6, daily=2, others=2),
    Case((2, 20), 0, 21, daily=2, others=2),
    Case((2, 20), 0, 22, daily=0, others=0),
    Case((0, 1), 0, 3, daily=0, others=0),
    Case((4, 9), 0, 3, daily=0, others=0),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.zone)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_days_that_are_paused_are_not_missed(
    new_user: NewUser, database: Database, clock: Clock, place: Place, case: Case
) -> None:
    clock.set(place.at(0))
    user = new_user(settings={"timezone": place.zone, "day_start_hour": place.day_start})
    if case.shields:
        purchase(database, user.id, "streak_shield", case.shields)
    for day in (0, 1):
        clock.set(place.at(day, last_minute=True) if day else place.at(day))
        be_active(database, user)
    if case.paused is not None:
        first, last = case.paused
        span = {"from": place.day(first)} | ({} if last is None else {"to": place.day(last)})
        assert user.post("/pauses", span).status == 200
    clock.set(place.at(case.back))
    shown = streaks(user)
    assert {kind: shown[kind]["current_streak"] for kind in TYPES} == {
        kind: case.daily if kind == "daily_activity" else case.others for kind in TYPES
    }
    assert shown["daily_activity"]["protected"] is bool(case.used)
    for kind in TYPES:
        alive = shown[kind]["current_streak"] > 0
        paused_today = case.paused is not None and case.paused[0] <= case.back <= (case.paused[1] or 99)
        assert (shown[kind]["active"], shown[kind]["at_risk"]) == (alive, alive and not paused_today), kind
        [row] = as_user(database, user, "SELECT effective_streak(%(kind)s) AS streak", kind=kind)
        assert row["streak"] == shown[kind]["current_streak"]
    assert user.get("/sync/progress").json["streak_days"] == case.daily
    assert user.get("/today/summary").data["streak"] == {
        "days": case.daily,
        "at_risk": shown["daily_activity"]["at_risk"],
    }

    be_active(database, user)
    after = streaks(user)
    assert after["daily_activity"]["current_streak"] == case.daily + 1
    assert {after[kind]["current_streak"] for kind in TYPES[1:]} == {case.others + 1}
    assert {after[kind]["longest_streak"] for kind in TYPES[1:]} == {max(case.others + 1, 2)}
    used = database.query("SELECT day FROM streak_shield_uses WHERE user_id = %s ORDER BY day", user.id)
    assert [str(row["day"]) for row in used] == [place.day(day) for day in case.used]


def be_active(database: Database, user: User) -> None:
    """Have all six streaks count this day."""
    as_user(
        database,
        user,
        "SELECT award(e, 'test', NULL, 1, 0, 'test:' || gen_random_uuid()) FROM unnest(%(events)s::text[]) AS e",
        events=list(EVENTS),
    )


def streaks(user: User) -> dict[str, dict[str, Any]]:
    return {shown["streak_type"]: shown for shown in user.get("/streaks").json}


def active_on(database: Database, user: User, clock: Clock, *days: int) -> None:
    for day in days:
        clock.set(NOON + timedelta(days=day))
        be_active(database, user)


def test_a_pause_of_a_habit_bridges_no_streak_of_the_user(user: User, database: Database, clock: Clock) -> None:
    active_on(database, user, clock, 0)
    pause(user, 1, 1, habit_id=factories.habit(user)["id"])
    clock.set(NOON + timedelta(days=2))
    assert {shown["current_streak"] for shown in streaks(user).values()} == {0}


def test_an_activity_on_a_paused_day_extends_the_users_streak(user: User, database: Database, clock: Clock) -> None:
    pause(user, 1, 4)
    active_on(database, user, clock, 0, 2, 4)
    assert {shown["current_streak"] for shown in streaks(user).values()} == {3}


def test_a_pause_of_another_user_helps_nobody(user: User, other: User, database: Database, clock: Clock) -> None:
    active_on(database, user, clock, 0)
    pause(other, 0, 5)
    clock.set(NOON + timedelta(days=2))
    assert streaks(user)["daily_activity"]["current_streak"] == 0


# Told afterwards ------------------------------------------------------------------------------------------------------


def test_a_broken_streak_that_nothing_followed_is_shown_again(user: User, database: Database, clock: Clock) -> None:
    active_on(database, user, clock, 0, 1, 2)
    clock.set(NOON + timedelta(days=6))
    assert streaks(user)["focus"]["current_streak"] == 0
    pause(user, 3, 5)
    assert {shown["current_streak"] for shown in streaks(user).values()} == {3}


def test_a_new_streak_is_joined_to_the_one_before(user: User, database: Database, clock: Clock) -> None:
    active_on(database, user, clock, 0, 1, 2, 5, 6, 7)
    assert streaks(user)["focus"]["current_streak"] == 3
    pause(user, 3, 4)
    assert {(s["current_streak"], s["longest_streak"]) for s in streaks(user).values()} == {(6, 6)}
    active_on(database, user, clock, 8)
    assert {shown["current_streak"] for shown in streaks(user).values()} == {7}


def test_what_lies_further_back_than_the_gap_stays_apart(user: User, database: Database, clock: Clock) -> None:
    active_on(database, user, clock, -20, -1, 0, 2, 4, 5)
    pause(user, 1, 3)  # two gaps
    assert {(s["current_streak"], s["longest_streak"]) for s in streaks(user).values()} == {(5, 5)}


def test_a_gap_that_is_paused_in_part_stays_one(user: User, database: Database, clock: Clock) -> None:
    active_on(database, user, clock, 0, 4)
    pause(user, 1, 2)
    assert {shown["current_streak"] for shown in streaks(user).values()} == {1}
    made = pause(user, 9, 9)
    user.patch(f"/pauses/{made['id']}", {"from": ahead(3), "to": ahead(3)})
    assert {shown["current_streak"] for shown in streaks(user).values()} == {2}


def test_a_gap_that_a_shield_bridged_is_none(user: User, database: Database, clock: Clock) -> None:
    active_on(database, user, clock, 0)
    purchase(database, user.id, "streak_shield", 1)
    active_on(database, user, clock, 2, 4)
    assert streaks(user)["daily_activity"]["current_streak"] == 1
    pause(user, 3, 3)
    shown = streaks(user)
    assert (shown["daily_activity"]["current_streak"], shown["focus"]["current_streak"]) == (3, 2)


def test_a_streak_without_a_gap_in_the_pause_is_not_counted_again(user: User, database: Database, clock: Clock) -> None:
    active_on(database, user, clock, 0, 1, 2, 3)
    pause(user, 1, 2)
    made = pause(user, 3, 3)
    user.patch(f"/pauses/{made['id']}", {"to": ahead(9)})
    assert {(s["current_streak"], s["longest_streak"]) for s in streaks(user).values()} == {(4, 4)}


def test_only_events_of_its_kind_count_when_a_streak_is_joined(user: User, database: Database, clock: Clock) -> None:
    active_on(database, user, clock, 0)
    award(database, user, "break_complete")
    clock.set(NOON + timedelta(days=1))
    award(database, user, "break_complete")
    award(database, user, "book_complete")
    active_on(database, user, clock, 3)
    pause(user, 2, 2)
    shown = streaks(user)
    assert (shown["daily_activity"]["current_streak"], shown["focus"]["current_streak"]) == (3, 1)


# Other zones ------------------------------------------------------------------------------------------------------


def test_a_zone_further_east_ends_no_streak_that_a_pause_holds(user: User, database: Database, clock: Clock) -> None:
    active_on(database, user, clock, 0)
    pause(user, 1, 2)
    clock.set((NOON + timedelta(days=3)).replace(hour=10, minute=30))
    user.put("/user/settings", {"timezone": "Pacific/Kiritimati"})  # the day after: the user never had this one
    assert streaks(user)["daily_activity"]["last_activity_date"] == ahead(3)
    assert {shown["current_streak"] for shown in streaks(user).values()} == {1}
    be_active(database, user)
    assert {shown["current_streak"] for shown in streaks(user).values()} == {2}


def test_settings_that_move_no_day_leave_a_paused_streak_as_it_is(user: User, database: Database, clock: Clock) -> None:
    active_on(database, user, clock, 0)
    pause(user, 1, 5)
    clock.set(NOON + timedelta(days=3))
    user.put("/user/settings", {"theme": "dark"})
    assert streaks(user)["daily_activity"]["last_activity_date"] == ahead(0)


def test_a_broken_streak_stays_broken_in_another_zone(user: User, database: Database, clock: Clock) -> None:
    active_on(database, user, clock, 0)
    pause(user, 1, 1)
    clock.set(NOON + timedelta(days=3))
    user.put("/user/settings", {"timezone": "Pacific/Kiritimati"})
    assert {shown["current_streak"] for shown in streaks(user).values()} == {0}


# Boards -----------------------------------------------------------------------------------------------------------


def test_the_board_shows_to_others_what_the_user_sees(new_user: NewUser, database: Database, clock: Clock) -> None:
    watcher, *users = (new_user(settings={"profile_public": True}) for _ in range(1 + len(CASES)))
    for user, case in zip(users, CASES, strict=True):
        user.put("/user/profile", {"name": user.email})
        if case.shields:
            purchase(database, user.id, "streak_shield", case.shields)
    for day in (0, 1):
        clock.set(NOON + timedelta(days=day))
        for user in users:
            be_active(database, user)
    for user, case in zip(users, CASES, strict=True):
        if case.paused is not None:
            pause(user, *case.paused)
    for day in sorted({case.back for case in CASES}):
        clock.set(NOON + timedelta(days=day))
        rows = watcher.get("/leaderboard/streaks", query={"limit": 100}).json
        seen = {row["name"]: row["value"] for row in rows}
        for user, case in zip(users, CASES, strict=True):
            if case.back == day:
                assert seen.get(user.email, 0) == case.daily, case
