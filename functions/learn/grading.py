"""Quizzes and drills: grading answers, and what an attempt pays."""

from collections.abc import Sequence

from questlog.errors import Invalid

from functions.learn.models import GradedQuiz, Question, QuestionResult, Quiz, QuizAnswer, StoredQuestion, StoredQuiz


def without_answers(quiz: StoredQuiz) -> Quiz:
    """The quiz as a browser may see it before it has answered."""
    return Quiz(questions=[_without_answer(question) for question in quiz["questions"]])


def _without_answer(question: StoredQuestion) -> Question:
    return Question(
        id=question["id"], prompt=question["prompt"], options=question["options"], multiple=question["multiple"]
    )


def grade(quiz: StoredQuiz | None, answers: Sequence[QuizAnswer]) -> GradedQuiz:
    """Grade the answers; a question without one is wrong.

    Raises Invalid for answers that do not fit the quiz: an unknown or repeated question, an option that does not exist,
    several choices where one is asked for, or a lesson without a quiz.
    """
    if quiz is None:
        raise Invalid([("answers", "cannot be given: this lesson has no quiz")])
    questions = {question["id"]: question for question in quiz["questions"]}
    chosen: dict[str, QuizAnswer] = {}
    problems: list[tuple[str, str]] = []
    for index, answer in enumerate(answers):
        field, problem = _problem(questions.get(answer.question_id), answer, answered=answer.question_id in chosen)
        if problem:
            problems.append((f"answers.{index}.{field}", problem))
        chosen[answer.question_id] = answer
    if problems:
        raise Invalid(problems)
    results = [_result(question, chosen.get(question["id"])) for question in quiz["questions"]]
    correct = sum(result["correct"] for result in results)
    return GradedQuiz(score=_percent(correct, len(results)), correct=correct, total=len(results), results=results)


def _problem(question: StoredQuestion | None, answer: QuizAnswer, *, answered: bool) -> tuple[str, str | None]:
    """The field of an answer that is wrong, and what is wrong with it; None where nothing is."""
    if question is None:
        return "question_id", "names no question of this quiz"
    if answered:
        return "question_id", "was answered already"
    if any(not 0 <= choice < len(question["options"]) for choice in answer.choices):
        return "choices", f"must be indexes of options, 0 to {len(question['options']) - 1}"
    if not question["multiple"] and len(set(answer.choices)) > 1:
        return "choices", "must be one: this question has one right option"
    return "choices", None


def _result(question: StoredQuestion, answer: QuizAnswer | None) -> QuestionResult:
    choices = sorted(set(answer.choices)) if answer else []
    return QuestionResult(
        question_id=question["id"],
        correct=choices == sorted(question["right"]),
        choices=choices,
        right=sorted(question["right"]),
        explanation=question.get("explanation"),
    )


def _percent(part: int, whole: int) -> int:
    """The percentage, rounded half up, in whole numbers: floor(100 * part / whole + 0.5)."""
    return (200 * part + whole) // (2 * whole)


def drill_xp(score: int, xp_reward: int) -> int:
    """What an attempt pays: all from 80 on, half (at least 1) from 60 on, else 1."""
    if score >= 80:
        return xp_reward
    return max(1, xp_reward // 2) if score >= 60 else 1
