"""Statistics and history by the user's days (training contract, 1.6)."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.exercise.rules import streaks
from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.exercise.training import BENCH, PLANK, SQUAT, complete, counted_weeks, kept_weeks, log, start, trained

# A Thursday; in New York it is the day before.
NIGHT = datetime.fromisoformat("2031-05-08T03:00:00+00:00")


@pytest.fixture
def night(clock: Clock) -> Clock:
    clock.freeze()
    clock.set(NIGHT)
    return clock


def minutes(user: User, clock: Clock, length: int, *sets: dict[str, Any]) -> str:
    """A completed session of so many minutes, with the sets at its start."""
    session = start(user)
    for values in sets or ({},):
        log(user, **values)
    clock.advance(f"PT{length}M")
    complete(user)
    return session


def test_without_training_everything_is_zero(user: User, night: Clock) -> None:
    data = user.get("/exercise/stats", query={"weeks": 2}).data
    assert data == {
        **{f"{name}_7d": 0 for name in ("workouts", "sets", "minutes", "volume_kg", "records")},
        **{f"total_{name}": 0 for name in ("workouts", "sets", "minutes", "volume_kg")},
        "current_streak_weeks": 0,
        "longest_streak_weeks": 0,
        "weeks": [
            {"week_start": day, "workouts": 0, "sets": 0, "minutes": 0, "volume_kg": 0}
            for day in ("2031-04-28", "2031-05-05")
        ],
        "muscles": [],
    }
    assert user.get("/exercise/history").data == {"from": "2031-04-09", "to": "2031-05-08", "days": []}


def test_what_counts_on_which_day(new_user: NewUser, night: Clock) -> None:
    user = new_user(settings={"timezone": "America/New_York"})
    night.set("2031-05-01T03:59:00+00:00")  # the 30th of April there
    minutes(user, night, 30, {"reps": 5, "weight_kg": 100})
    night.set("2031-05-01T04:00:00+00:00")
    minutes(user, night, 30, {"reps": 5, "weight_kg": 100.1}, {"exercise_id": PLANK, "duration_seconds": 60})
    minutes(user, night, 1, {"reps": 5, "is_warmup": True})  # no working set: it does not count
    night.set(NIGHT)
    session = start(user)
    log(user, BENCH)
    data = user.get("/exercise/stats").data
    assert (data["workouts_7d"], data["sets_7d"], data["minutes_7d"], data["volume_kg_7d"]) == (1, 2, 30, 500.5)
    assert data["records_7d"] == 2
    assert (data["total_workouts"], data["total_sets"], data["total_minutes"]) == (2, 3, 60)
    assert data["total_volume_kg"] == 1_000.5
    assert (len(data["weeks"]), data["weeks"][-1]["week_start"]) == (12, "2031-05-05")
    assert data["weeks"][-2] == {
        "week_start": "2031-04-28",
        "workouts": 2,
        "sets": 3,
        "minutes": 60,
        "volume_kg": 1_000.5,
    }
    assert (data["current_streak_weeks"], data["longest_streak_weeks"]) == (1, 1)
    history = user.get("/exercise/history", query={"days": 8}).data
    assert (history["from"], history["to"]) == ("2031-04-30", "2031-05-07")
    assert history["days"] == [
        {"date": "2031-04-30", "workouts": 1, "sets": 1, "minutes": 30, "volume_kg": 500},
        {"date": "2031-05-01", "workouts": 1, "sets": 2, "minutes": 30, "volume_kg": 500.5},
    ]
    assert len(user.get("/exercise/history", query={"days": 7}).data["days"]) == 1
    # The day is kept as it was when it was written.
    user.put("/user/settings", {"timezone": "UTC"})
    days = user.get("/exercise/history").data["days"]
    assert [day["date"] for day in days] == ["2031-04-30", "2031-05-01"]
    user.delete(f"/exercise/sessions/{session}")


def test_muscles_of_the_last_week(user: User, night: Clock) -> None:
    trained(user, {"exercise_id": SQUAT}, {"exercise_id": SQUAT, "is_warmup": True, "reps": 5}, {"exercise_id": BENCH})
    shown = {one["muscle"]: one["sets"] for one in user.get("/exercise/stats").data["muscles"]}
    assert shown == {
        **dict.fromkeys(("quadriceps", "chest"), 1),
        **dict.fromkeys(("calves", "glutes", "hamstrings", "lower back", "shoulders", "triceps"), 0.5),
    }
    counts = [one["sets"] for one in user.get("/exercise/stats").data["muscles"]]
    assert counts == sorted(counts, reverse=True)
    night.advance("P7D")
    assert user.get("/exercise/stats").data["muscles"] == []


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [
        ([], (0, 0)),
        ([0], (1, 1)),
        ([-1], (1, 1)),
        ([-2], (0, 1)),
        ([-3, -2, -1, 0], (4, 4)),
        ([-9, -8, -7, -1], (1, 3)),
        ([-9, -8, -3], (0, 2)),
    ],
)
def test_streaks_of_weeks(weeks: list[int], expected: tuple[int, int]) -> None:
    monday = date(2031, 5, 5)
    assert streaks([monday + timedelta(weeks=week) for week in weeks], monday) == expected


@given(st.sets(st.integers(-60, 0)))
def test_streaks_are_runs_of_weeks(weeks: set[int]) -> None:
    monday = date(2031, 5, 5)
    current, longest = streaks([monday + timedelta(weeks=week) for week in sorted(weeks)], monday)
    runs = {week: next(n for n in range(1, 99) if week - n not in weeks) for week in weeks}
    assert longest == max(runs.values(), default=0)
    assert current == runs.get(0, runs.get(-1, 0))


def test_bad_input_names_its_field(user: User) -> None:
    for query in ({"weeks": 0}, {"weeks": 53}, {"weeks": "x"}):
        user.get("/exercise/stats", query=query).invalid("weeks")
    for query in ({"days": 0}, {"days": 367}):
        user.get("/exercise/history", query=query).invalid("days")


def test_a_session_that_is_moved_counts_in_its_new_week(user: User, database: Database, clock: Clock) -> None:
    clock.set("2031-05-08T12:00:00+00:00")
    session = trained(user)["session_id"]
    trained(user)
    user.patch(f"/exercise/sessions/{session}", {"started_at": "2031-04-20T12:00:00Z"})
    assert [str(week["week_start"]) for week in kept_weeks(database, user)] == ["2031-04-14", "2031-05-05"]
    assert kept_weeks(database, user) == counted_weeks(database, user)
    user.delete(f"/exercise/sessions/{session}")
    assert [str(week["week_start"]) for week in kept_weeks(database, user)] == ["2031-05-05"]
