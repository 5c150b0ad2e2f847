"""The requests that pay, take back or spend, each on its happy path, and a few that lead to a payment."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.stage import Stage
from tests.exercise import training
from tests.exercise.training import SQUAT
from tests.support import factories
from tests.support.client import Answer
from tests.support.users import User


@dataclass(frozen=True)
class Payment:
    """A request that pays. `prepare` makes what it is about and returns its id, so that each request pays."""

    prepare: Callable[[User], str]
    request: Callable[[User, str], Answer]


def paying_requests(stage: Stage) -> dict[str, Payment]:
    """The requests, by their routes."""
    return {
        **_focus(stage),
        **_habits(stage),
        **_quests(),
        **_goals_and_events(),
        **_market(),
        **_books(),
        **_training(),
        **_learning(stage),
        **_listening(),
        "POST /activity": Payment(lambda _: "", lambda user, _: user.post("/activity", {"event_type": "page_view"})),
    }


def _focus(stage: Stage) -> dict[str, Payment]:
    def a_session_near_its_end(user: User) -> str:
        session: str = factories.focus_session(user)["id"]
        stage.query(
            """
            UPDATE focus_sessions
               SET started_at = started_at - interval '24 min', ends_at = ends_at - interval '24 min'
             WHERE user_id = %s AND id = %s
            """,
            *(user.id, session),
        )
        return session

    return {
        "POST /focus": Payment(lambda _: "", lambda user, _: user.post("/focus")),
        "POST /focus/{session_id}/complete": Payment(
            a_session_near_its_end, lambda user, session: user.post(f"/focus/{session}/complete")
        ),
    }


def _habits(stage: Stage) -> dict[str, Payment]:
    def a_habit(user: User) -> str:
        return str(factories.habit(user)["id"])

    def a_completed_habit(user: User) -> str:
        habit = a_habit(user)
        assert user.post(f"/habits/{habit}/complete").status == 200
        return habit

    def an_amount(user: User) -> str:
        return str(factories.habit(user, kind="amount", target_amount=2)["id"])

    def a_kept_limit(user: User) -> str:
        """A habit whose limit was kept yesterday."""
        habit = str(factories.habit(user, kind="amount", target_amount=2, direction="at_most")["id"])
        stage.query("UPDATE habits SET created_on = created_on - 1 WHERE user_id = %s AND id = %s", *(user.id, habit))
        return habit

    return {
        "POST /habits/{habit_id}/complete": Payment(
            a_habit, lambda user, habit: user.post(f"/habits/{habit}/complete")
        ),
        "DELETE /habits/{habit_id}/complete": Payment(
            a_completed_habit, lambda user, habit: user.delete(f"/habits/{habit}/complete")
        ),
        "POST /habits/{habit_id}/log": Payment(
            an_amount, lambda user, habit: user.post(f"/habits/{habit}/log", {"amount": 2})
        ),
        "PUT /habits/{habit_id}/log": Payment(
            an_amount, lambda user, habit: user.put(f"/habits/{habit}/log", {"amount": 2})
        ),
        "POST /habits/{habit_id}/kept": Payment(a_kept_limit, lambda user, habit: user.post(f"/habits/{habit}/kept")),
    }


def _quests() -> dict[str, Payment]:
    def a_quest(user: User) -> str:
        return str(factories.quest(user)["id"])

    def an_accepted_quest(user: User) -> str:
        return str(factories.quest(user, accepted=True)["id"])

    def a_completed_quest(user: User) -> str:
        quest = a_quest(user)
        assert user.post(f"/quests/{quest}/complete").status == 200
        return quest

    return {
        "POST /quests/{quest_id}/complete": Payment(
            a_quest, lambda user, quest: user.post(f"/quests/{quest}/complete")
        ),
        "POST /quests/{quest_id}/progress": Payment(
            an_accepted_quest, lambda user, quest: user.post(f"/quests/{quest}/progress", {"increment": 1})
        ),
        "POST /quests/{quest_id}/reopen": Payment(
            a_completed_quest, lambda user, quest: user.post(f"/quests/{quest}/reopen")
        ),
    }


def _goals_and_events() -> dict[str, Payment]:
    def a_goal(user: User) -> str:
        return str(factories.goal(user)["id"])

    def a_milestone(user: User) -> str:
        milestone: str = factories.goal(user, "One", "Two")["milestones"][0]["id"]
        return milestone

    def an_event(user: User) -> str:
        return str(factories.event(user)["id"])

    def a_completed_event(user: User) -> str:
        event = an_event(user)
        assert user.post(f"/calendar/{event}/complete", {"completed": True}).status == 200
        return event

    return {
        "PATCH /goals/{goal_id}": Payment(
            a_goal, lambda user, goal: user.patch(f"/goals/{goal}", {"status": "completed"})
        ),
        "POST /goals/milestones/{milestone_id}/complete": Payment(
            a_milestone, lambda user, milestone: user.post(f"/goals/milestones/{milestone}/complete")
        ),
        "POST /calendar/{event_id}/complete": Payment(
            an_event, lambda user, event: user.post(f"/calendar/{event}/complete", {"completed": True})
        ),
        "POST /calendar/{event_id}/complete, taken back": Payment(
            a_completed_event, lambda user, event: user.post(f"/calendar/{event}/complete", {"completed": False})
        ),
    }


def _market() -> dict[str, Payment]:
    def a_reward(user: User) -> str:
        items = user.get("/market/items").data["items"]
        key: str = next(item["key"] for item in items if item["name"] == "An hour off")
        return key

    def buy(user: User, item: str) -> Answer:
        return user.post("/market/purchase", {"item_key": item})

    def a_purchase(user: User) -> str:
        assert buy(user, a_reward(user)).status == 200
        return str(user.get("/market/history", query={"page_size": 1}).data["purchases"][0]["id"])

    return {
        "POST /market/purchase": Payment(a_reward, buy),
        "POST /market/redeem": Payment(
            a_purchase, lambda user, purchase: user.post("/market/redeem", {"purchase_id": purchase})
        ),
        "POST /market/refund": Payment(
            a_purchase, lambda user, purchase: user.post("/market/refund", {"purchase_id": purchase})
        ),
    }


def _books() -> dict[str, Payment]:
    def a_book(user: User) -> str:
        book: str = user.get("/books", query={"status": "reading"}).data["books"][0]["id"]
        return book

    def a_book_read_to_its_last_page(user: User) -> str:
        book: str = user.post("/books", {"title": "Dune", "total_pages": 100}).data["id"]
        assert user.post(f"/books/{book}/sessions", {"pages_read": 99}).status == 200
        return book

    return {
        "POST /books/{book_id}/sessions": Payment(
            a_book, lambda user, book: user.post(f"/books/{book}/sessions", {"pages_read": 1})
        ),
        "PUT /books/{book_id}": Payment(
            a_book_read_to_its_last_page, lambda user, book: user.put(f"/books/{book}", {"status": "completed"})
        ),
    }


def _training() -> dict[str, Payment]:
    heavier = iter(range(200, 2_000))

    def a_running_session(user: User, **fields: Any) -> str:
        """A session without a set; one that ran already is abandoned."""
        running = user.get("/exercise/sessions/active").data
        if running is not None:
            assert user.post(f"/exercise/sessions/{running['id']}/abandon").status == 200
        return training.start(user, **fields)

    def a_trained_session(user: User) -> str:
        session = a_running_session(user)
        training.log(user, weight_kg=60, reps=5)
        return session

    def a_session_of_a_program(user: User) -> str:
        weeks = user.get("/exercise/programs/active").data["weeks"]
        slots = [slot for week in weeks for slot in week["workouts"]]
        session = a_running_session(user, program_workout_id=next(s["id"] for s in slots if s["status"] == "open"))
        training.log(user, weight_kg=60, reps=5)
        return session

    def log(user: User, weight_kg: int) -> Answer:
        return user.post("/exercise/sessions/log-set", {"exercise_id": SQUAT, "reps": 5, "weight_kg": weight_kg})

    def complete(user: User, _: str) -> Answer:
        return user.post("/exercise/sessions/complete")

    return {
        "POST /exercise/sessions/log-set": Payment(a_running_session, lambda user, _: log(user, 60)),
        "POST /exercise/sessions/log-set, a record": Payment(
            a_running_session, lambda user, _: log(user, next(heavier))
        ),
        "POST /exercise/sessions/complete": Payment(a_trained_session, complete),
        "POST /exercise/sessions/complete, of a program": Payment(a_session_of_a_program, complete),
    }


def _learning(stage: Stage) -> dict[str, Payment]:
    def a_new_lesson(user: User) -> str:
        return str(user.get("/learn/lessons", query={"status": "not_started"}).json[0]["key"])

    def a_drill_of_yesterday(user: User) -> str:
        [[key]] = stage.query(
            """
            SELECT d.key FROM user_drill_stats AS s JOIN learn_drills AS d ON d.id = s.drill_id
             WHERE s.user_id = %s ORDER BY s.last_attempt_day, d.key LIMIT 1
            """,
            user.id,
        )
        return str(key)

    def a_due_card(user: User) -> str:
        return str(user.get("/learn/cards/due", query={"limit": 1}).data["cards"][0]["id"])

    def a_review(user: User) -> str:
        card = a_due_card(user)
        assert review(user, card).status == 200
        return card

    def review(user: User, card: str) -> Answer:
        return user.post(f"/learn/cards/{card}/review", {"rating": 3})

    attempt = {"score": 90, "correct_count": 9, "total_count": 10, "time_seconds": 60}
    return {
        "POST /learn/lessons/{lesson}/complete": Payment(
            a_new_lesson, lambda user, lesson: user.post(f"/learn/lessons/{lesson}/complete", {"quiz_score": 80})
        ),
        "POST /learn/drills/{drill}/submit": Payment(
            a_drill_of_yesterday, lambda user, drill: user.post(f"/learn/drills/{drill}/submit", attempt)
        ),
        "POST /learn/cards/{card_id}/review": Payment(a_due_card, review),
        "POST /learn/reviews/undo": Payment(a_review, lambda user, _: user.post("/learn/reviews/undo")),
    }


def _listening() -> dict[str, Payment]:
    def a_session_with_answers(user: User) -> str:
        track = user.get("/reference/tracks", query={"page_size": 1}).json["data"][0]["id"]
        session = user.post("/reference/listening/sessions", {"track_id": track}).json
        answers = [{"id": item["id"], "checked": True} for item in session["items"]]
        heard = {"listened_ms_delta": 300_000, "items": answers}
        assert user.patch(f"/reference/listening/sessions/{session['id']}", heard).status == 200
        return str(session["id"])

    return {
        "POST /reference/listening/sessions/{session_id}/complete": Payment(
            a_session_with_answers,
            lambda user, session: user.post(f"/reference/listening/sessions/{session}/complete"),
        ),
    }
