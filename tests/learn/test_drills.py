from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from functions.learn import grading
from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.learn.conftest import DRILL, attempt, drill_id
from tests.support.client import Answer
from tests.support.ledger import counter, payments

DRILL_FIELDS = {
    "id",
    "topic_id",
    "topic_key",
    "key",
    "title",
    "description",
    "drill_type",
    "difficulty",
    "duration_seconds",
    "xp_reward",
    "best_score",
    "current_streak",
    "attempts",
    "last_attempt_at",
}
GOOD: dict[str, Any] = {"score": 80, "correct_count": 8, "total_count": 10, "time_seconds": 30}


def drill(user: Client) -> dict[str, Any]:
    shown: dict[str, Any] = user.get(DRILL).data
    return shown


def test_the_list(user: User) -> None:
    def keys(**query: str) -> list[str]:
        answer = user.get("/learn/drills", query=query).data
        assert answer["total"] == len(answer["drills"])
        return [one["key"] for one in answer["drills"]]

    drills = user.get("/learn/drills").data["drills"]
    assert set(drills[0]) == DRILL_FIELDS
    assert drills[0]["key"] == "minute_by_feel"
    assert keys(drill_type="timing") == ["minute_by_feel", "tempo_count", "long_breath"]
    assert keys(topic="music-theory") == ["hear_intervals", "hear_triads", "count_rhythms", "complete_scales"]
    assert keys(topic="music-theory", drill_type="timing") == keys(topic=str(uuid4())) == []
    user.get("/learn/drills", query={"drill_type": "singing"}).invalid("drill_type")


def test_an_untouched_drill(user: User) -> None:
    shown = drill(user)
    assert set(shown) == DRILL_FIELDS | {"config", "average_score", "best_streak", "history"}
    assert shown["config"]["rounds"] == len(shown["config"]["prompts"])
    assert (shown["best_score"], shown["average_score"], shown["last_attempt_at"]) == (None, None, None)
    assert (shown["attempts"], shown["current_streak"], shown["best_streak"], shown["history"]) == (0, 0, 0, [])


def test_a_drill_goes_by_key_or_id(user: User) -> None:
    for name in ("hear-intervals", drill_id()):
        assert user.get(f"/learn/drills/{name}").data["key"] == "hear_intervals"
        assert user.post(f"/learn/drills/{name}/submit", GOOD).data["drill_id"] == drill_id()
    for name in ("hear", str(uuid4())):
        user.get(f"/learn/drills/{name}").refused(404, "not_found")
        user.post(f"/learn/drills/{name}/submit", GOOD).refused(404, "not_found")


def test_strangers_are_refused(stranger: Client) -> None:
    answers: list[Answer] = [stranger.get("/learn/drills"), stranger.get(DRILL), stranger.post(f"{DRILL}/submit", GOOD)]
    answers.append(stranger.post(f"{DRILL}/submit", {**GOOD, "correct_count": 11}))
    for answer in answers:
        answer.refused(401, "unauthorized")


def test_an_attempt_is_recorded_and_paid(user: User, database: Database) -> None:
    answer = attempt(user, 85)
    assert answer == {
        "drill_id": drill_id(),
        "score": 85,
        "is_new_best": True,
        "best_score": 85,
        "streak_continued": False,
        "new_streak": 1,
        "xp_awarded": 5,
        "coins_awarded": 0,
        "leveled_up": False,
        "new_level": 1,
        "achievements_unlocked": [],
        "streak": 1,
    }
    shown = drill(user)
    assert (shown["best_score"], shown["average_score"], shown["attempts"]) == (85, 85, 1)
    assert (shown["current_streak"], shown["best_streak"]) == (1, 1)
    [past] = shown["history"]
    assert past.pop("created_at") == shown["last_attempt_at"]
    assert past == {"score": 85, "correct_count": 8, "total_count": 10, "time_seconds": 42}
    [row] = database.query("SELECT * FROM points_ledger WHERE user_id = %s AND event_type = 'drill_complete'", user.id)
    assert row["idempotency_key"] == f"drill:{drill_id()}:{row['local_date']}"
    assert (row["source_type"], row["source_id"], row["skill_key"]) == ("drill", UUID(drill_id()), "knowledge")
    assert counter(database, user, "drills_completed") == 1


@pytest.mark.parametrize(("score", "xp"), [(100, 5), (80, 5), (79, 2), (60, 2), (59, 1), (0, 1)])
def test_what_a_score_pays(user: User, score: int, xp: int) -> None:
    assert attempt(user, score)["xp_awarded"] == xp


@pytest.mark.parametrize(
    ("score", "reward", "xp"), [(80, 0, 0), (60, 0, 1), (60, 1, 1), (60, 2, 1), (79, 9, 4), (79, 10, 5), (59, 500, 1)]
)
def test_half_a_reward_is_at_least_one(score: int, reward: int, xp: int) -> None:
    assert grading.drill_xp(score, reward) == xp


def test_the_first_attempt_of_a_day_pays(user: User, database: Database, clock: Clock) -> None:
    assert attempt(user, 40)["xp_awarded"] == 1
    later = attempt(user, 100)
    assert (later["xp_awarded"], later["coins_awarded"], later["achievements_unlocked"]) == (0, 0, [])
    assert payments(database, user, "drill_complete") == [("drill_complete", 1, 0)]
    assert counter(database, user, "drills_completed") == 1, "what pays nothing is not told to the ledger"
    clock.advance("P1D")
    assert attempt(user, 70)["xp_awarded"] == 2
    assert attempt(user, path="/learn/drills/hear_triads")["xp_awarded"] == 5, "each drill by itself"


def test_ten_at_once_pay_once(user: User, database: Database) -> None:
    scores = iter([100, 90, 80, 70, 60, 50, 40, 30, 20, 10])
    answers = at_once(10, lambda: attempt(user, next(scores)))
    assert sum(answer["xp_awarded"] > 0 for answer in answers) == 1
    assert len(payments(database, user, "drill_complete")) == 1
    shown = drill(user)
    assert (shown["attempts"], shown["best_score"], shown["average_score"]) == (10, 100, 55)
    ordinals = database.query("SELECT ordinal FROM drill_attempts WHERE user_id = %s ORDER BY ordinal", user.id)
    assert [row["ordinal"] for row in ordinals] == list(range(1, 11))


def test_a_key_repeats_the_first_answer(user: User) -> None:
    key = {"Idempotency-Key": "drill"}
    first = user.post(f"{DRILL}/submit", GOOD, headers=key).data
    assert user.post(f"{DRILL}/submit", GOOD, headers=key).data == first
    assert drill(user)["attempts"] == 1


def test_the_best_is_beaten_by_more(user: User) -> None:
    assert [attempt(user, score)["is_new_best"] for score in (50, 50, 49, 51)] == [True, False, False, True]
    assert attempt(user, 10)["best_score"] == 51
    assert drill(user)["average_score"] == pytest.approx((50 + 50 + 49 + 51 + 10) / 5)


def test_days_in_a_row(user: User, clock: Clock) -> None:
    def streak() -> tuple[bool, int]:
        answer = attempt(user)
        return answer["streak_continued"], answer["new_streak"]

    assert streak() == (False, 1)
    assert streak() == (True, 1), "the same day changes nothing"
    clock.advance("P1D")
    assert drill(user)["current_streak"] == 1
    assert streak() == (True, 2)
    clock.advance("P1D")
    assert streak() == (True, 3)
    clock.advance("P2D")
    shown = drill(user)
    assert (shown["current_streak"], shown["best_streak"]) == (0, 3), "a whole day was missed"
    assert user.get("/learn/drills", query={"drill_type": "interval"}).data["drills"][0]["current_streak"] == 0
    assert streak() == (False, 1)
    assert drill(user)["best_streak"] == 3


def test_days_are_the_users(new_user: NewUser, clock: Clock) -> None:
    """At three in the morning of the 2nd in Berlin it is the 1st for who begins days at four."""
    late = new_user(settings={"timezone": "Europe/Berlin", "day_start_hour": 4})
    early = new_user(settings={"timezone": "Europe/Berlin"})
    clock.set("2031-06-01T20:00:00Z")
    for user in (late, early):
        attempt(user)
    clock.set("2031-06-02T01:00:00Z")
    assert attempt(late)["new_streak"] == 1
    assert attempt(early)["new_streak"] == 2


def test_a_day_that_comes_twice_is_paid_once(user: User, database: Database) -> None:
    """A user who travels west lives through a date again."""
    user.put("/user/settings", {"timezone": "Pacific/Kiritimati"})
    attempt(user)
    user.put("/user/settings", {"timezone": "Etc/GMT+12"})
    again = attempt(user)
    assert (again["xp_awarded"], again["streak_continued"], again["new_streak"]) == (0, True, 1)
    user.put("/user/settings", {"timezone": "Pacific/Kiritimati"})
    assert attempt(user)["xp_awarded"] == 0
    assert len(payments(database, user, "drill_complete")) == 1


def test_the_history_shows_the_newest_twenty(user: User) -> None:
    for score in range(25):
        attempt(user, score)
    assert [past["score"] for past in drill(user)["history"]] == list(range(24, 4, -1))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"score": 101}, "score"),
        ({"score": -1}, "score"),
        ({"score": None}, "score"),
        ({"score": 80.5}, "score"),
        ({"correct_count": 11}, "correct_count"),
        ({"correct_count": -1}, "correct_count"),
        ({"total_count": 0, "correct_count": 0}, "total_count"),
        ({"total_count": 1001}, "total_count"),
        ({"time_seconds": -1}, "time_seconds"),
        ({"time_seconds": 86_401}, "time_seconds"),
        ({"time_seconds": "30"}, "time_seconds"),
    ],
)
def test_bad_input_is_named(user: User, change: dict[str, Any], field: str) -> None:
    user.post(f"{DRILL}/submit", {**GOOD, **change}).invalid(field)
    assert drill(user)["attempts"] == 0


def test_all_fields_are_required(user: User) -> None:
    user.post(f"{DRILL}/submit", {}).invalid(*GOOD)


def test_the_limits_are_admitted(user: User) -> None:
    for body in (
        {"score": 0, "correct_count": 0, "total_count": 1, "time_seconds": 0},
        {"score": 100, "correct_count": 1000, "total_count": 1000, "time_seconds": 86_400},
    ):
        assert user.post(f"{DRILL}/submit", body).status == 200


def test_attempts_are_never_changed(user: User, database: Database) -> None:
    attempt(user)
    for change in ("UPDATE drill_attempts SET score = 100", "DELETE FROM drill_attempts", "TRUNCATE drill_attempts"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.query(change)
