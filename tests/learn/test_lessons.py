from typing import Any
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Client, Database, User
from tests.learn.conftest import LESSON, lesson_id, right_answers
from tests.support.client import Answer

LESSON_FIELDS = {
    "id",
    "topic_id",
    "topic_key",
    "key",
    "title",
    "description",
    "duration_minutes",
    "difficulty",
    "xp_reward",
    "coin_reward",
    "status",
    "has_quiz",
    "has_audio",
    "best_quiz_score",
}


def keys(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text
    return [lesson["key"] for lesson in answer.json]


def test_the_list_has_no_envelope(user: User) -> None:
    lessons = user.get("/learn/lessons").json
    assert isinstance(lessons, list)
    assert set(lessons[0]) == LESSON_FIELDS
    assert keys(user.get("/learn/lessons"))[:4] == [
        "one_thing_at_a_time",
        "plan_the_day",
        "deep_work_blocks",
        "how_habits_form",
    ]
    assert lessons[0]["status"] == "not_started"
    assert (lessons[0]["has_quiz"], lessons[0]["has_audio"], lessons[0]["best_quiz_score"]) == (True, False, None)


def test_the_list_is_narrowed(user: User) -> None:
    def found(**query: str) -> list[str]:
        return keys(user.get("/learn/lessons", query=query))

    everything = found()
    assert found(q="INTERVALS") == ["intervals_by_name"]
    assert found(q="two undisturbed hours") == ["deep_work_blocks"], "descriptions are searched too"
    assert found(q="100%") == found(q="_") == found(q="\\") == found(q="nowhere to be found") == []
    assert found(q="") == found(q="  ") == everything
    assert found(topic="music-theory") == everything[-4:]
    assert found(topic=str(uuid4())) == found(topic="nothing") == []
    assert found(difficulty="advanced") == ["when_habits_break", "noticing_thoughts", "chord_functions"]
    assert found(difficulty="advanced", topic="habits", q="breaks") == ["when_habits_break"]
    user.post("/learn/lessons/start_small/start")
    user.post("/learn/lessons/plan_the_day/complete")
    assert found(status="in_progress") == ["start_small"]
    assert found(status="completed") == ["plan_the_day"]
    assert len(found(status="not_started")) == len(everything) - 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"difficulty": "hard"}, "difficulty"),
        ({"status": "review"}, "status"),
        ({"status": "done"}, "status"),
        ({"q": "x" * 201}, "q"),
    ],
)
def test_bad_filters_are_named(user: User, query: dict[str, str], field: str) -> None:
    user.get("/learn/lessons", query=query).invalid(field)


def test_a_lesson_with_its_text_and_quiz(user: User, database: Database) -> None:
    lesson = user.get(LESSON).data
    assert set(lesson) == LESSON_FIELDS | {"content_markdown", "quiz_json", "audio_url", "progress"}
    [row] = database.query("SELECT content_markdown, quiz_json FROM learn_lessons WHERE key = 'one_thing_at_a_time'")
    assert lesson["content_markdown"] == row["content_markdown"]
    shown = lesson["quiz_json"]["questions"]
    assert set(lesson["quiz_json"]) == {"questions"}
    assert [set(question) for question in shown] == [{"id", "prompt", "options", "multiple"}] * len(shown)
    assert [question["prompt"] for question in shown] == [one["prompt"] for one in row["quiz_json"]["questions"]]
    assert lesson["audio_url"] is None
    assert lesson["progress"] == {
        "status": "not_started",
        "started_at": None,
        "completed_at": None,
        "quiz_score": None,
        "attempts": 0,
    }


def test_a_lesson_goes_by_key_or_id(user: User) -> None:
    for name in ("one-thing-at-a-time", "one_thing-at_a-time", lesson_id(), lesson_id().upper()):
        assert user.get(f"/learn/lessons/{name}").data["key"] == "one_thing_at_a_time"
        assert user.post(f"/learn/lessons/{name}/start").data["status"] in ("in_progress", "completed")
        assert user.post(f"/learn/lessons/{name}/complete").data["lesson_id"] == lesson_id()


def unknown(user: Client, name: str) -> list[Answer]:
    path = f"/learn/lessons/{name}"
    return [
        user.get(path),
        user.post(f"{path}/start"),
        user.post(f"{path}/complete"),
        user.post(f"{path}/complete", {"answers": []}),
    ]


@pytest.mark.parametrize(
    "name", ["8d3f7b52-6f0e-4b57-9c0a-3f6f2a1f0b11", "nothing", "one thing", "%27%3B--", "One_Thing_At_A_Time"]
)
def test_what_names_no_lesson_is_not_found(user: User, name: str) -> None:
    for answer in unknown(user, name):
        answer.refused(404, "not_found")


def test_strangers_are_refused(stranger: Client) -> None:
    for answer in [*unknown(stranger, "one_thing_at_a_time"), stranger.get("/learn/lessons")]:
        answer.refused(401, "unauthorized")


def test_starting(user: User, other: User) -> None:
    progress = user.post(f"{LESSON}/start").data
    assert progress["started_at"] is not None
    assert {**progress, "started_at": None} == {
        "status": "in_progress",
        "started_at": None,
        "completed_at": None,
        "quiz_score": None,
        "attempts": 0,
    }
    lesson = user.get(LESSON).data
    assert (lesson["status"], lesson["progress"]) == ("in_progress", progress)
    assert user.post(f"{LESSON}/start").data == progress, "it was started once"
    assert other.get(LESSON).data["status"] == "not_started"


def test_starting_a_completed_lesson_changes_nothing(user: User) -> None:
    completed = user.post(f"{LESSON}/complete").data["progress"]
    assert user.post(f"{LESSON}/start").data == completed
    assert user.get(LESSON).data["status"] == "completed"


def test_a_recording_is_fetched_from_the_bucket(
    user: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = {
        "R2_ENDPOINT": "https://r2.test",
        "R2_BUCKET": "b",
        "R2_ACCESS_KEY_ID": "id",
        "R2_SECRET_ACCESS_KEY": "key",
    }
    for name, value in bucket.items():
        monkeypatch.setenv(name, value)
    database.query("UPDATE learn_lessons SET audio_r2_key = 'lessons/one thing.mp3' WHERE id = %s", lesson_id())
    try:
        lesson = user.get(LESSON).data
        assert lesson["has_audio"] is True
        assert lesson["audio_url"].startswith(
            "https://r2.test/b/lessons/one%20thing.mp3?X-Amz-Algorithm=AWS4-HMAC-SHA256&"
        )
        assert "X-Amz-Expires=21600&" in lesson["audio_url"]
    finally:
        database.query("UPDATE learn_lessons SET audio_r2_key = NULL WHERE id = %s", lesson_id())


def test_no_answer_is_told_before_it_is_given(user: User, database: Database) -> None:
    """Every page of the courses, searched for what only a graded completion may show."""
    rows = database.query("SELECT key, quiz_json FROM learn_lessons")
    explanations = [one["explanation"] for row in rows for one in row["quiz_json"]["questions"]]
    drills = [drill["key"] for drill in user.get("/learn/drills").data["drills"]]
    topics = [topic["key"] for topic in user.get("/learn/topics").data["topics"]]
    lessons = [f"/learn/lessons/{row['key']}" for row in rows]
    pages = [
        user.get(path)
        for path in ("/learn", "/learn/lessons", "/learn/topics", "/learn/drills", "/learn/review", "/learn/progress")
    ]
    pages += [user.get(f"/learn/topics/{key}{part}") for key in topics for part in ("", "/lessons", "/drills")]
    pages += [user.get(path) for path in lessons]
    pages += [user.post(f"{path}/start") for path in lessons]
    pages += [user.post(f"{path}/complete", {"quiz_score": 100}) for path in lessons]
    pages += [user.get(path) for path in lessons]
    pages += [user.get(f"/learn/drills/{key}") for key in drills]
    for page in pages:
        assert page.status == 200
        text = page.text
        assert '"right"' not in text
        assert '"explanation"' not in text
        assert not [explanation for explanation in explanations if explanation in text]
    graded = user.post(f"{LESSON}/complete", {"answers": right_answers(database)}).text
    [lesson] = [row for row in rows if row["key"] == "one_thing_at_a_time"]
    assert all(one["explanation"] in graded for one in lesson["quiz_json"]["questions"])


def test_a_quiz_that_could_not_be_graded_is_refused_by_the_database(database: Database) -> None:
    good: dict[str, Any] = {"id": "a", "prompt": "?", "options": ["x", "y", "z"], "multiple": True, "right": [0, 2]}

    def fits(*questions: Any) -> bool:
        [row] = database.query("SELECT is_quiz(%s) AS fits", Jsonb({"questions": list(questions)}))
        return bool(row["fits"])

    assert fits(good)
    assert fits(good | {"explanation": None}, good | {"id": "b", "explanation": "because"})
    assert fits(good | {"multiple": False, "right": [1]})
    changes: list[dict[str, Any]] = [
        {"right": []},
        {"right": [3]},
        {"right": [-1]},
        {"right": [0.5]},
        {"right": [0, 0]},
        {"right": ["0"]},
        {"right": 0},
        {"multiple": False},
        {"multiple": 1},
        {"options": ["x"]},
        {"options": ["x", 1, "z"]},
        {"options": ["x", "", "z"]},
        {"options": ["x"] * 9},
        {"options": {"a": 1}},
        {"prompt": ""},
        {"prompt": "x" * 1001},
        {"prompt": None},
        {"id": ""},
        {"id": 1},
        {"explanation": 1},
        {"explanation": "x" * 1001},
    ]
    for change in changes:
        assert not fits(good | change), change
    assert not fits(good, good), "an id names one question"
    assert not fits()
    assert not fits("text")
    [row] = database.query(
        "SELECT is_quiz('{}') OR is_quiz('[]') OR is_quiz('{\"questions\": 1}') OR is_quiz('null') AS fits"
    )
    assert row["fits"] is False
