"""The courses and decks there are from the start: complete, playable, and no two of them alike."""

from collections import Counter
from typing import Any

import pytest

from database.migrate import MIGRATIONS
from tests.conftest import Database, User

TOPICS = {
    "productivity": "theory",
    "habits": "theory",
    "fitness_basics": "theory",
    "mindfulness": "practice",
    "music_theory": "theory",
}


@pytest.fixture
def lessons(database: Database) -> list[dict[str, Any]]:
    return database.query(
        "SELECT l.*, t.key AS topic FROM learn_lessons AS l JOIN learn_topics AS t ON t.id = topic_id ORDER BY l.key"
    )


@pytest.fixture
def questions(lessons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [question for lesson in lessons for question in lesson["quiz_json"]["questions"]]


def test_topics(user: User) -> None:
    topics = user.get("/learn/topics").data
    assert {topic["key"]: topic["category"] for topic in topics["topics"]} == TOPICS
    assert topics["total"] == 5
    for topic in topics["topics"]:
        assert topic["lesson_count"] >= 3
        assert topic["drill_count"] >= 1
        assert topic["description"]
        assert topic["icon"]


def test_lessons(lessons: list[dict[str, Any]]) -> None:
    assert len(lessons) >= 15
    assert {lesson["difficulty"] for lesson in lessons} == {"beginner", "intermediate", "advanced"}
    for lesson in lessons:
        assert 5 <= lesson["duration_minutes"] <= 15
        assert (lesson["xp_reward"], lesson["coin_reward"], lesson["skill_key"]) == (30, 15, "knowledge")
        assert 250 <= len(lesson["content_markdown"].split()) <= 600, lesson["key"]
        assert lesson["content_markdown"].startswith("## ")
        assert lesson["content_markdown"].count("\n## ") >= 2
        assert 3 <= len(lesson["quiz_json"]["questions"]) <= 5


def test_questions(questions: list[dict[str, Any]]) -> None:
    places: Counter[int] = Counter()
    for question in questions:
        assert len(set(question["options"])) == 4
        assert 1 <= len(set(question["right"])) <= 3
        assert set(question["right"]) <= {0, 1, 2, 3}
        assert question["multiple"] or len(question["right"]) == 1
        assert question["explanation"]
        places.update(question["right"])
    assert sum(question["multiple"] for question in questions) >= 2
    # No position is right much more often than another, so that guessing by place wins nothing.
    assert max(places.values()) <= 1.5 * min(places.values())


def test_nothing_is_said_twice(
    database: Database, lessons: list[dict[str, Any]], questions: list[dict[str, Any]]
) -> None:
    cards = database.query("SELECT front, back FROM starter_cards")
    drills = database.query("SELECT title, description, config_json::text AS config FROM learn_drills")
    for texts in (
        [lesson["title"] for lesson in lessons],
        [lesson["description"] for lesson in lessons],
        [lesson["content_markdown"] for lesson in lessons],
        [question["prompt"] for question in questions],
        [question["explanation"] for question in questions],
        [card["front"] for card in cards],
        [drill["title"] for drill in drills],
        [drill["description"] for drill in drills],
        [drill["config"] for drill in drills],
    ):
        assert len(set(texts)) == len(texts)


def test_drills(user: User) -> None:
    """Each can be played from its configuration alone."""
    drills = user.get("/learn/drills").data["drills"]
    assert len(drills) >= 10
    assert {drill["topic_key"] for drill in drills} == set(TOPICS)
    assert {"interval", "chord", "rhythm", "scale"} <= {drill["drill_type"] for drill in drills}
    assert {drill["xp_reward"] for drill in drills} == {5}
    for drill in drills:
        config = user.get(f"/learn/drills/{drill['key']}").data["config"]
        assert config["instructions"]
        assert config["rounds"] == len(config["prompts"]) >= 3
        for prompt in config["prompts"]:
            assert prompt["prompt"]
            assert len(set(prompt["choices"])) == len(prompt["choices"]) >= 3
            assert (
                0 <= prompt["answer"] < len(prompt["choices"]) if "answer" in prompt else prompt["target_seconds"] > 0
            )


def test_starter_decks(database: Database) -> None:
    cards = database.query("SELECT * FROM starter_cards")
    counts = Counter(card["deck_key"] for card in cards)
    assert set(counts) == {"music_intervals", "training_terms"}
    assert min(counts.values()) >= 25
    assert all(card["tags"] for card in cards)


def test_seeding_again_changes_nothing(database: Database) -> None:
    """A database that has the content may be seeded again: what administrators have edited stays."""
    [seeds] = MIGRATIONS.glob("*_learn_seeds.sql")
    before = database.query("SELECT l.*, xmin::text FROM learn_lessons AS l ORDER BY key")
    database.query(seeds.read_text().replace("%", "%%"))
    assert database.query("SELECT l.*, xmin::text FROM learn_lessons AS l ORDER BY key") == before
