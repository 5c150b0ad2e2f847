"""Lessons and drills come back by FSRS-6, in whole days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from fsrs import Card, Rating, Scheduler, State
from hypothesis import given
from hypothesis import strategies as st

from functions.learn import scheduling
from functions.learn.models import ReviewItem
from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.learn.conftest import DRILL, LESSON, attempt

NOON = "2031-03-01T12:00:00Z"


def due_of(user: User, database: Database, kind: str = "lesson") -> date:
    [row] = database.query("SELECT due FROM learn_review_items WHERE user_id = %s AND item_type = %s", user.id, kind)
    due: datetime = row["due"]
    return due.astimezone(UTC).date()


def lessons_due(user: User) -> list[str]:
    return [lesson["key"] for lesson in user.get("/learn/review").data["lessons_due"]]


@pytest.mark.parametrize(
    ("score", "rating"),
    [
        (100, Rating.Easy),
        (90, Rating.Easy),
        (89, Rating.Good),
        (70, Rating.Good),
        (69, Rating.Hard),
        (50, Rating.Hard),
        (49, Rating.Again),
        (0, Rating.Again),
        (None, Rating.Good),
    ],
)
def test_what_a_score_says_of_the_memory(score: int | None, rating: Rating) -> None:
    assert scheduling.rating_of(score) == rating


@given(st.lists(st.tuples(st.integers(1, 400), st.none() | st.integers(0, 100)), min_size=1, max_size=12))
def test_the_schedule_is_the_packages(history: list[tuple[int, int | None]]) -> None:
    reference = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    at = datetime(2031, 1, 1, 8, tzinfo=UTC)
    card = Card(card_id=1, due=at)
    item = ReviewItem(stability=None, difficulty=None, reps=0, elapsed_days=None)
    for gap, score in history:
        if item["reps"] > 0:
            at += timedelta(days=gap)
            item = {**item, "elapsed_days": gap}
        card, _ = reference.review_card(card, scheduling.rating_of(score), at)
        following = scheduling.next_review(item, score)
        assert card.state == State.Review
        assert following == (card.stability, card.difficulty, (card.due - at).days)
        item = ReviewItem(
            stability=following.stability, difficulty=following.difficulty, reps=item["reps"] + 1, elapsed_days=None
        )


def test_nothing_waits_at_first(user: User, stranger: Client) -> None:
    assert user.get("/learn/review").data == {"lessons_due": [], "drills_due": [], "total_due": 0, "cards_due": 0}
    stranger.get("/learn/review").refused(401, "unauthorized")


def test_a_lesson_comes_back(user: User, database: Database, clock: Clock) -> None:
    clock.set(NOON)
    user.post(f"{LESSON}/complete", {"quiz_score": 95})
    assert due_of(user, database) == date(2031, 3, 9), "easy at the first time is eight days"
    clock.set("2031-03-08T23:59:59Z")
    assert lessons_due(user) == []
    clock.set("2031-03-09T00:00:00Z")
    answer = user.get("/learn/review").data
    [lesson] = answer["lessons_due"]
    assert (lesson["key"], lesson["status"]) == ("one_thing_at_a_time", "review")
    assert (answer["total_due"], answer["drills_due"]) == (1, [])
    assert user.get("/learn").data["review_count"] == 1
    assert user.get("/learn/lessons").json[0]["status"] == "completed", "review is said in this list alone"
    user.post(f"{LESSON}/complete", {"quiz_score": 95})
    assert lessons_due(user) == []
    assert due_of(user, database) > date(2031, 3, 20)


def test_a_drill_comes_back(user: User, database: Database, clock: Clock) -> None:
    clock.set(NOON)
    attempt(user, 75)
    assert due_of(user, database, "drill") == date(2031, 3, 3), "good at the first time is two days"
    clock.set("2031-03-03T01:00:00Z")
    answer = user.get("/learn/review").data
    assert ([drill["key"] for drill in answer["drills_due"]], answer["total_due"]) == (["hear_intervals"], 1)
    attempt(user, 10)
    assert user.get("/learn/review").data["total_due"] == 0
    assert due_of(user, database, "drill") == date(2031, 3, 4)


def test_a_day_schedules_once(user: User, database: Database, clock: Clock) -> None:
    """Whatever comes later on the day of the first completion changes nothing of when it comes back."""
    clock.set("2031-03-01T06:00:00Z")
    user.post(f"{LESSON}/complete", {"quiz_score": 0})
    assert due_of(user, database) == date(2031, 3, 2)
    clock.set("2031-03-01T23:00:00Z")
    user.post(f"{LESSON}/complete", {"quiz_score": 100})
    assert due_of(user, database) == date(2031, 3, 2)
    clock.set("2031-03-02T00:30:00Z")
    user.post(f"{LESSON}/complete", {"quiz_score": 100})
    assert due_of(user, database) > date(2031, 3, 3)
    [row] = database.query("SELECT reps FROM learn_review_items WHERE user_id = %s", user.id)
    assert row["reps"] == 2


def test_ten_at_once_schedule_once(user: User, database: Database) -> None:
    at_once(10, lambda: user.post(f"{LESSON}/complete", {"quiz_score": 95}).data)
    [row] = database.query("SELECT reps FROM learn_review_items WHERE user_id = %s", user.id)
    assert row["reps"] == 1


def test_nights_are_counted_and_not_hours(new_user: NewUser, database: Database, clock: Clock) -> None:
    """From ten in the evening to six in the morning is a day for the memory; at noon of one day it is none."""
    clock.set("2031-03-01T22:00:00Z")
    asleep, awake = new_user(), new_user(settings={"timezone": "America/New_York"})
    for user in (asleep, awake):
        attempt(user, 75)
    clock.set("2031-03-02T04:30:00Z")
    for user in (asleep, awake):
        attempt(user, 75)
    rows = {
        user.id: database.query("SELECT * FROM learn_review_items WHERE user_id = %s", user.id)[0]
        for user in (asleep, awake)
    }
    assert (rows[asleep.id]["reps"], rows[awake.id]["reps"]) == (2, 1)
    night = scheduling.next_review(
        ReviewItem(
            stability=rows[awake.id]["stability"], difficulty=rows[awake.id]["difficulty"], reps=1, elapsed_days=1
        ),
        75,
    )
    assert rows[asleep.id]["stability"] == night.stability
    assert rows[asleep.id]["difficulty"] == night.difficulty


def test_the_longest_overdue_come_first_and_twenty_at_most(user: User, database: Database, clock: Clock) -> None:
    clock.set(NOON)
    keys = [lesson["key"] for lesson in user.get("/learn/lessons").json]
    for score, key in [(75, keys[5]), (40, keys[7]), (95, keys[1])]:
        user.post(f"/learn/lessons/{key}/complete", {"quiz_score": score})
    clock.set("2031-04-01T12:00:00Z")
    assert lessons_due(user) == [keys[7], keys[5], keys[1]]
    [topic] = database.query("SELECT id FROM learn_topics WHERE key = 'habits'")
    database.query(
        "INSERT INTO learn_lessons (topic_id, key, title, duration_minutes, difficulty)"
        " SELECT %s, 'many-' || n, 'Many ' || n, 5, 'beginner' FROM generate_series(1, 22) AS n",
        topic["id"],
    )
    try:
        for number in range(1, 23):
            user.post(f"/learn/lessons/many-{number}/complete")
        clock.set("2031-05-01T12:00:00Z")
        answer = user.get("/learn/review").data
        assert (len(answer["lessons_due"]), answer["total_due"]) == (20, 25)
        assert lessons_due(user)[:3] == [keys[7], keys[5], keys[1]]
        assert user.get("/learn").data["review_count"] == 25
    finally:
        database.query("DELETE FROM user_lesson_progress WHERE user_id = %s", user.id)
        database.query("DELETE FROM learn_lessons WHERE key LIKE 'many-%%'")


def test_what_was_taken_off_does_not_wait(user: User, database: Database, clock: Clock) -> None:
    clock.set(NOON)
    user.post(f"{LESSON}/complete")
    attempt(user, path=DRILL)
    clock.advance("P30D")
    assert user.get("/learn/review").data["total_due"] == 2
    database.query("UPDATE learn_topics SET is_active = false WHERE key IN ('productivity', 'music_theory')")
    try:
        assert user.get("/learn/review").data["total_due"] == 0
        assert user.get("/learn").data["review_count"] == 0
    finally:
        database.query("UPDATE learn_topics SET is_active = true")


def test_other_users_reviews_are_theirs(user: User, other: User, clock: Clock) -> None:
    user.post(f"{LESSON}/complete")
    clock.advance("P30D")
    assert other.get("/learn/review").data["total_due"] == 0
