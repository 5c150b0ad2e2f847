from uuid import uuid4

import pytest

from tests.conftest import Client, Database, User
from tests.learn.conftest import DRILL, LESSON, attempt, lesson_id
from tests.support.ledger import award

TOPIC_FIELDS = {
    "id",
    "key",
    "name",
    "description",
    "category",
    "icon",
    "lesson_count",
    "completed_count",
    "drill_count",
}


def test_topics_in_their_order(user: User) -> None:
    answer = user.get("/learn/topics").data
    assert [topic["key"] for topic in answer["topics"]] == [
        "productivity",
        "habits",
        "fitness_basics",
        "mindfulness",
        "music_theory",
    ]
    assert set(answer["topics"][0]) == TOPIC_FIELDS
    assert answer["topics"][0]["completed_count"] == 0


def test_what_was_completed_is_counted(user: User) -> None:
    user.post(f"{LESSON}/start")
    assert user.get("/learn/topics/productivity").data["completed_count"] == 0
    user.post(f"{LESSON}/complete")
    assert user.get("/learn/topics/productivity").data["completed_count"] == 1
    assert user.get("/learn/topics/habits").data["completed_count"] == 0


def test_a_topic_has_its_lessons_and_drills(user: User) -> None:
    topic = user.get("/learn/topics/music_theory").data
    assert set(topic) == TOPIC_FIELDS | {"lessons", "drills"}
    assert len(topic["lessons"]) == topic["lesson_count"]
    assert len(topic["drills"]) == topic["drill_count"]
    assert {lesson["topic_id"] for lesson in topic["lessons"]} == {topic["id"]}
    assert user.get("/learn/topics/music_theory/lessons").data == {
        "lessons": topic["lessons"],
        "total": topic["lesson_count"],
    }
    assert user.get("/learn/topics/music_theory/drills").data == {
        "drills": topic["drills"],
        "total": topic["drill_count"],
    }


@pytest.mark.parametrize("suffix", ["", "/lessons", "/drills"])
def test_a_topic_goes_by_key_or_id(user: User, suffix: str) -> None:
    topic_id = user.get("/learn/topics/music_theory").data["id"]
    by_key = user.get(f"/learn/topics/music_theory{suffix}").data
    for name in (topic_id, topic_id.upper(), "music-theory"):
        assert user.get(f"/learn/topics/{name}{suffix}").data == by_key
    for name in ("music", "Music_Theory", str(uuid4()), "music theory", "'", "%25"):
        user.get(f"/learn/topics/{name}{suffix}").refused(404, "not_found")


def test_a_key_that_matches_exactly_comes_first(user: User, database: Database) -> None:
    database.query("INSERT INTO learn_topics (key, name) VALUES ('two_words', 'Below'), ('two-words', 'Between')")
    try:
        assert user.get("/learn/topics/two-words").data["name"] == "Between"
        assert user.get("/learn/topics/two_words").data["name"] == "Below"
    finally:
        database.query("DELETE FROM learn_topics WHERE key IN ('two_words', 'two-words')")


def test_what_was_taken_off_is_nowhere(user: User, database: Database) -> None:
    """No list, no count, no page; what the user has done of it stays, and is back when the topic is."""
    user.post(f"{LESSON}/complete")
    attempt(user, path="/learn/drills/minute_by_feel")
    before = user.get("/learn").data
    database.query("UPDATE learn_topics SET is_active = false WHERE key = 'productivity'")
    try:
        after = user.get("/learn").data
        assert "productivity" not in [topic["key"] for topic in after["topics"]]
        assert after["progress"]["lessons_completed"] == after["progress"]["drills_practiced"] == 0
        assert after["progress"]["topics_started"] == 0
        assert after["progress"]["total_lessons"] == before["progress"]["total_lessons"] - 3
        assert after["progress"]["total_xp_earned"] == before["progress"]["total_xp_earned"]
        assert user.get("/learn/topics").data["total"] == 4
        user.get("/learn/topics/productivity").refused(404, "not_found")
        assert "productivity" not in {lesson["topic_key"] for lesson in user.get("/learn/lessons").json}
        assert "productivity" not in {drill["topic_key"] for drill in user.get("/learn/drills").data["drills"]}
        for path in (LESSON, f"/learn/lessons/{lesson_id()}", "/learn/drills/minute_by_feel"):
            user.get(path).refused(404, "not_found")
        user.post(f"{LESSON}/start").refused(404, "not_found")
        user.post(f"{LESSON}/complete").refused(404, "not_found")
    finally:
        database.query("UPDATE learn_topics SET is_active = true")
    assert user.get("/learn").data == before


@pytest.mark.parametrize(
    ("table", "key", "path"), [("lessons", "intervals_by_name", "lessons"), ("drills", "hear_intervals", "drills")]
)
def test_one_lesson_or_drill_taken_off(user: User, database: Database, table: str, key: str, path: str) -> None:
    counted = "lesson_count" if table == "lessons" else "drill_count"
    before = user.get("/learn/topics/music_theory").data
    database.query(f"UPDATE learn_{table} SET is_active = false WHERE key = %s", key)
    try:
        after = user.get("/learn/topics/music_theory").data
        assert after[counted] == before[counted] - 1
        assert key not in [one["key"] for one in after[table]]
        user.get(f"/learn/{path}/{key}").refused(404, "not_found")
    finally:
        database.query(f"UPDATE learn_{table} SET is_active = true WHERE key = %s", key)


def test_the_overview_of_a_new_user(user: User) -> None:
    answer = user.get("/learn").data
    assert answer["progress"] == {
        "topics_started": 0,
        "lessons_completed": 0,
        "total_lessons": len(user.get("/learn/lessons").json),
        "drills_practiced": 0,
        "total_xp_earned": 0,
        "current_streak_days": 0,
        "longest_streak_days": 0,
        "cards_reviewed_today": 0,
    }
    assert (answer["review_count"], answer["cards_due"]) == (0, 0)
    assert answer["topics"] == user.get("/learn/topics").data["topics"]
    assert answer["continue_lesson"] == user.get("/learn/lessons").json[0]
    assert user.get("/learn/progress").data == answer["progress"]


def test_the_lesson_to_go_on_with(user: User) -> None:
    lessons = user.get("/learn/lessons").json
    assert user.get("/learn").data["continue_lesson"]["key"] == lessons[0]["key"]
    user.post(f"/learn/lessons/{lessons[4]['key']}/start")
    user.post(f"/learn/lessons/{lessons[2]['key']}/start")
    going_on = user.get("/learn").data["continue_lesson"]
    assert (going_on["key"], going_on["status"]) == (lessons[2]["key"], "in_progress")
    user.post(f"/learn/lessons/{lessons[2]['key']}/complete")
    assert user.get("/learn").data["continue_lesson"]["key"] == lessons[4]["key"]
    user.post(f"/learn/lessons/{lessons[4]['key']}/complete")
    user.post(f"/learn/lessons/{lessons[0]['key']}/complete")
    assert user.get("/learn").data["continue_lesson"]["key"] == lessons[1]["key"]
    for lesson in lessons:
        user.post(f"/learn/lessons/{lesson['key']}/complete")
    assert user.get("/learn").data["continue_lesson"] is None


def test_progress_adds_up(user: User, other: User) -> None:
    user.post(f"{LESSON}/complete")
    user.post("/learn/lessons/start_small/start")
    attempt(user, 100, DRILL)
    attempt(user, 50, DRILL)
    assert user.get("/learn/progress").data == {
        "topics_started": 3,
        "lessons_completed": 1,
        "total_lessons": len(user.get("/learn/lessons").json),
        "drills_practiced": 1,
        "total_xp_earned": 35,
        "current_streak_days": 1,
        "longest_streak_days": 1,
        "cards_reviewed_today": 0,
    }
    assert other.get("/learn/progress").data["topics_started"] == 0


def test_xp_earned_is_the_ledgers_sum(user: User, database: Database) -> None:
    """Also with a boost running, which the ledger multiplies XP by."""
    award(database, user, "admin_adjustment", coins=25)
    boost = user.post("/market/purchase", {"item_key": "xp_boost_1h"}).data["purchase_id"]
    user.post("/market/redeem", {"purchase_id": boost})
    assert user.post(f"{LESSON}/complete").data["xp_awarded"] == 60
    user.post(f"{LESSON}/complete")
    attempt(user)
    [row] = database.query(
        "SELECT sum(xp)::int AS xp FROM points_ledger"
        " WHERE user_id = %s AND event_type IN ('lesson_complete', 'drill_complete', 'review_session')",
        user.id,
    )
    assert user.get("/learn/progress").data["total_xp_earned"] == row["xp"] == 70


@pytest.mark.parametrize(
    "path", ["/learn", "/learn/progress", "/learn/topics", "/learn/topics/habits", "/learn/lessons", "/learn/review"]
)
def test_strangers_see_nothing(stranger: Client, path: str) -> None:
    stranger.get(path).refused(401, "unauthorized")
    stranger.get(f"/api{path}").refused(401, "unauthorized")
