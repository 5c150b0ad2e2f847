"""Completing a lesson: states, the quiz and its grade, and what is paid."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from questlog.errors import Invalid

from functions.learn import grading
from functions.learn.models import QuizAnswer, StoredQuestion, StoredQuiz
from local.clock import Clock
from tests.conftest import Database, User, at_once
from tests.learn.conftest import LESSON, lesson_id, right_answers
from tests.market.shop import bought, earn, redeem
from tests.support.ledger import counter, payments

MULTIPLE = "/learn/lessons/plan_the_day"


def test_the_first_completion_pays(user: User, database: Database) -> None:
    answer = user.post(f"{LESSON}/complete").data
    progress = answer.pop("progress")
    [unlocked] = answer.pop("achievements_unlocked")
    assert unlocked["key"] == "first_lesson"
    assert answer == {
        "lesson_id": lesson_id(),
        "is_first_completion": True,
        "quiz_score": None,
        "quiz": None,
        "xp_awarded": 30,
        "coins_awarded": 15,
        "leveled_up": False,
        "new_level": 1,
        "streak": 1,
    }
    assert progress["status"] == "completed"
    assert progress["started_at"] == progress["completed_at"] is not None
    assert (progress["quiz_score"], progress["attempts"]) == (None, 1)
    [row] = database.query("SELECT * FROM points_ledger WHERE user_id = %s AND event_type = 'lesson_complete'", user.id)
    assert row["idempotency_key"] == f"lesson:{lesson_id()}"
    assert (row["source_type"], row["source_id"], row["skill_key"]) == ("lesson", UUID(lesson_id()), "knowledge")
    assert counter(database, user, "lessons_completed") == 1
    [streak] = database.query("SELECT * FROM user_streaks WHERE user_id = %s AND streak_type = 'learning'", user.id)
    assert streak["current_streak"] == 1


def test_later_ones_pay_nothing(user: User, database: Database, clock: Clock) -> None:
    first = user.post(f"{LESSON}/complete", {"quiz_score": 40}).data
    clock.advance("P3D")
    again = user.post(f"{LESSON}/complete").data
    assert (again["is_first_completion"], again["xp_awarded"], again["coins_awarded"]) == (False, 0, 0)
    assert again["achievements_unlocked"] == []
    assert again["quiz_score"] is None
    assert again["progress"] == {**first["progress"], "attempts": 2}, "the first date and the last score stay"
    assert payments(database, user, "lesson_complete") == [("lesson_complete", 30, 15)]


def test_a_started_lesson_keeps_its_start(user: User, clock: Clock) -> None:
    started = user.post(f"{LESSON}/start").data["started_at"]
    clock.advance("PT1H")
    progress = user.post(f"{LESSON}/complete").data["progress"]
    assert progress["started_at"] == started < progress["completed_at"]


def test_ten_at_once_pay_once(user: User, database: Database) -> None:
    answers = at_once(10, lambda: user.post(f"{LESSON}/complete").data)
    assert sorted(answer["is_first_completion"] for answer in answers) == [False] * 9 + [True]
    assert sum(answer["xp_awarded"] for answer in answers) == 30
    assert payments(database, user, "lesson_complete") == [("lesson_complete", 30, 15)]
    assert user.get(LESSON).data["progress"]["attempts"] == 10


def test_a_key_repeats_the_first_answer(user: User) -> None:
    key = {"Idempotency-Key": "lesson"}
    first = user.post(f"{LESSON}/complete", {"quiz_score": 70}, headers=key)
    again = user.post(f"{LESSON}/complete", {"quiz_score": 70}, headers=key)
    assert (again.data, again.headers["idempotent-replay"]) == (first.data, "true")
    assert user.get(LESSON).data["progress"]["attempts"] == 1


def test_a_boost_doubles_a_lesson(user: User, database: Database, clock: Clock) -> None:
    earn(database, user, 25)
    clock.freeze()
    redeem(user, bought(user, "xp_boost_1h"))
    headers = {"idempotency-key": "once"}
    first = user.post(f"{LESSON}/complete", headers=headers)
    assert (first.data["xp_awarded"], first.data["coins_awarded"]) == (60, 15)
    clock.advance("PT2H")
    assert user.post(f"{LESSON}/complete", headers=headers).data == first.data
    assert user.post(f"{LESSON}/complete").data["xp_awarded"] == 0
    assert payments(database, user, "lesson_complete") == [("lesson_complete", 60, 15)]
    # What is unlocked meanwhile pays its plain reward.
    [unlocked] = first.data["achievements_unlocked"]
    assert payments(database, user, "achievement") == [("achievement", unlocked["reward_xp"], unlocked["reward_coins"])]
    assert (unlocked["reward_xp"], unlocked["reward_coins"]) == (50, 15)
    assert user.get("/learn/progress").data["total_xp_earned"] == 60


def test_a_lesson_pays_what_its_row_says(user: User, database: Database) -> None:
    database.query(
        "UPDATE learn_lessons SET xp_reward = 0, coin_reward = 0, skill_key = 'focus', skill_star_reward = 2"
        " WHERE id = %s",
        lesson_id(),
    )
    try:
        answer = user.post(f"{LESSON}/complete").data
        assert (answer["is_first_completion"], answer["xp_awarded"], answer["coins_awarded"]) == (True, 0, 0)
        skills = database.query("SELECT skill_key, xp FROM user_skills WHERE user_id = %s", user.id)
        assert [(row["skill_key"], row["xp"]) for row in skills] == [("focus", 20)]
    finally:
        database.query(
            "UPDATE learn_lessons SET xp_reward = DEFAULT, coin_reward = DEFAULT, skill_key = DEFAULT,"
            " skill_star_reward = DEFAULT WHERE id = %s",
            lesson_id(),
        )


# Quiz --------------------------------------------------------------------------------------------------------------


def test_right_answers(user: User, database: Database) -> None:
    answers = right_answers(database)
    answer = user.post(f"{LESSON}/complete", {"answers": answers, "quiz_score": 3}).data
    assert answer["quiz_score"] == 100, "a graded score wins over the user's own"
    quiz = answer["quiz"]
    assert (quiz["score"], quiz["correct"], quiz["total"]) == (100, len(answers), len(answers))
    assert [result["question_id"] for result in quiz["results"]] == [one["question_id"] for one in answers]
    for result, sent in zip(quiz["results"], answers, strict=True):
        assert result["correct"] is True
        assert result["choices"] == result["right"] == sorted(sent["choices"])
        assert result["explanation"]
    assert answer["progress"]["quiz_score"] == 100
    assert user.get(LESSON).data["best_quiz_score"] == 100
    assert answer["xp_awarded"] == 30


def test_no_answers_at_all_are_all_wrong(user: User) -> None:
    answer = user.post(f"{LESSON}/complete", {"answers": []}).data
    quiz = answer["quiz"]
    assert (quiz["score"], quiz["correct"]) == (0, 0)
    assert all(result["choices"] == [] and not result["correct"] for result in quiz["results"])
    assert answer["xp_awarded"] == 30, "the score never changes what is paid"


def test_one_wrong_one_missing(user: User, database: Database) -> None:
    answers = right_answers(database)
    wrong = {"question_id": answers[0]["question_id"], "choices": [3]}
    quiz = user.post(f"{LESSON}/complete", {"answers": [wrong, *answers[2:]]}).data["quiz"]
    assert [result["correct"] for result in quiz["results"]] == [False, False, *[True] * (len(answers) - 2)]
    assert quiz["results"][0]["choices"] == [3]
    assert quiz["score"] == 50


def test_own_estimates_and_graded_scores(user: User, database: Database) -> None:
    assert user.post(f"{LESSON}/complete", {"quiz_score": 90}).data["quiz_score"] == 90
    assert user.get(LESSON).data["best_quiz_score"] is None, "the best counts graded scores alone"
    user.post(f"{LESSON}/complete", {"answers": right_answers(database)})
    user.post(f"{LESSON}/complete", {"answers": []})
    lesson = user.get(LESSON).data
    assert (lesson["best_quiz_score"], lesson["progress"]["quiz_score"]) == (100, 0)
    user.post(f"{LESSON}/complete", {"quiz_score": 0})
    assert user.get("/learn/lessons").json[0]["best_quiz_score"] == 100


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ([{"question_id": "nothing", "choices": [0]}], "answers.0.question_id"),
        ([{"question_id": "marks", "choices": [0]}, {"question_id": "marks", "choices": [0]}], "answers.1.question_id"),
        ([{"question_id": "marks", "choices": [4]}], "answers.0.choices"),
        ([{"question_id": "marks", "choices": [-1]}], "answers.0.choices"),
        ([{"question_id": "marks", "choices": [0, 1]}], "answers.0.choices"),
        ([{"question_id": "marks"}], "answers.0.choices"),
        ([{"choices": [0]}], "answers.0.question_id"),
        ([{"question_id": "marks", "choices": ["0"]}], "answers.0.choices.0"),
        ([{"question_id": "marks", "choices": 0}], "answers.0.choices"),
        ({}, "answers"),
        ([{"question_id": "marks", "choices": [0]}] * 101, "answers"),
    ],
)
def test_answers_that_cannot_be(user: User, answers: Any, field: str) -> None:
    user.post(f"{LESSON}/complete", {"answers": answers}).invalid(field)
    assert user.get(LESSON).data["status"] == "not_started", "nothing was done"


@pytest.mark.parametrize("score", [-1, 101, 50.5, "50", True])
def test_scores_that_cannot_be(user: User, score: Any) -> None:
    user.post(f"{LESSON}/complete", {"quiz_score": score}).invalid("quiz_score")


def test_the_same_choice_twice_is_one(user: User, database: Database) -> None:
    [marks] = [one for one in right_answers(database) if one["question_id"] == "marks"]
    answers = [{"question_id": "marks", "choices": marks["choices"] * 2}]
    results = user.post(f"{LESSON}/complete", {"answers": answers}).data["quiz"]["results"]
    assert [result["choices"] for result in results if result["correct"]] == [marks["choices"]]


def test_a_lesson_without_a_quiz_takes_no_answers(user: User, database: Database) -> None:
    [row] = database.query("SELECT quiz_json FROM learn_lessons WHERE id = %s", lesson_id())
    database.query("UPDATE learn_lessons SET quiz_json = NULL WHERE id = %s", lesson_id())
    try:
        lesson = user.get(LESSON).data
        assert (lesson["has_quiz"], lesson["quiz_json"]) == (False, None)
        user.post(f"{LESSON}/complete", {"answers": []}).invalid("answers")
        assert user.post(f"{LESSON}/complete", {"quiz_score": 5}).data["quiz_score"] == 5
    finally:
        database.query("UPDATE learn_lessons SET quiz_json = %s WHERE id = %s", Jsonb(row["quiz_json"]), lesson_id())


questions = st.lists(
    st.tuples(st.integers(2, 8), st.booleans(), st.data()).map(lambda drawn: drawn[:2]), min_size=1, max_size=12
)


@given(questions, st.data())
def test_a_grade_is_the_rounded_share_of_right_sets(shape: list[tuple[int, bool]], data: st.DataObject) -> None:
    stored, answers, correct = [], [], 0
    for index, (options, multiple) in enumerate(shape):
        choices = st.sets(st.integers(0, options - 1), min_size=1, max_size=options if multiple else 1)
        right, chosen = data.draw(choices), data.draw(st.none() | choices)
        stored.append(
            StoredQuestion(
                id=str(index),
                prompt="?",
                options=["x"] * options,
                multiple=multiple,
                right=list(right),
                explanation=None,
            )
        )
        if chosen is not None:
            answers.append(QuizAnswer(question_id=str(index), choices=list(chosen)))
        correct += chosen == right
    graded = grading.grade(StoredQuiz(questions=stored), data.draw(st.permutations(answers)))
    assert (graded["correct"], graded["total"]) == (correct, len(shape))
    assert graded["score"] == int(100 * correct / len(shape) + 0.5)
    assert [result["question_id"] for result in graded["results"]] == [question["id"] for question in stored]


def test_half_a_point_is_rounded_up() -> None:
    def score(correct: int, total: int) -> int:
        stored = [
            StoredQuestion(id=str(n), prompt="?", options=["x", "y"], multiple=False, right=[0]) for n in range(total)
        ]
        answers = [QuizAnswer(question_id=str(n), choices=[0]) for n in range(correct)]
        return grading.grade(StoredQuiz(questions=stored), answers)["score"]

    assert [score(1, 8), score(3, 8), score(1, 3), score(2, 3), score(1, 200)] == [13, 38, 33, 67, 1]


def test_all_that_is_wrong_is_named() -> None:
    stored = StoredQuiz(questions=[StoredQuestion(id="a", prompt="?", options=["x", "y"], multiple=False, right=[0])])
    answers = [QuizAnswer(question_id="b", choices=[]), QuizAnswer(question_id="a", choices=[2])]
    with pytest.raises(Invalid) as caught:
        grading.grade(stored, answers)
    assert [one["field"] for one in caught.value.details["fields"]] == ["answers.0.question_id", "answers.1.choices"]
