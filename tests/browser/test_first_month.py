"""The first month of a new user, over HTTP through the gateway: they sign in, set up, learn, write down, and are paid.

The clock of the stack is moved to a noon, and from there day by day; the real identity provider of the stack signs in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tests.conftest import Answer, Client, User
from tests.learn.conftest import LESSON, card, deck
from tests.onboarding.conftest import walk
from tests.support.clock import NOON, ahead
from tests.support.stack import Stack
from tests.sync.conftest import poll
from tests.today.conftest import today
from tests.today.test_a_day import Purse, ledger

# One worker has the stack.
pytestmark = pytest.mark.xdist_group("browser")

DAYS = 30
STREAKS = {3: (50, 15), 7: (150, 35), 30: (500, 150)}
# The lesson's quiz, which becomes cards.
QUESTIONS = 4
GOOD = 3


@dataclass(frozen=True)
class Visitor(Client):
    """Who asks over HTTP, with the cookies that the answers set."""

    http: httpx.Client | None = None

    def request(self, method: str, path: str, *, body: Any = None, query: Any = None, **_: Any) -> Answer:
        assert self.http is not None
        answer = self.http.request(method, path, json=body, params=query)
        cookies = tuple(answer.headers.get_list("set-cookie"))
        return Answer(answer.status_code, dict(answer.headers), cookies, answer.text)


@dataclass(frozen=True)
class Member(Visitor, User):
    """The same, once signed in."""


@pytest.fixture
def http(running: Stack) -> Iterator[httpx.Client]:
    """A client whose stack is at a noon, and is put back to the real time afterwards."""
    with httpx.Client(base_url=running.gateway, timeout=120) as client:
        client.put("/__clock", json={"now": NOON.isoformat()}).raise_for_status()
        yield client
        client.put("/__clock", json={"now": None}).raise_for_status()


def signed_in(http: httpx.Client, frontend: str) -> Member:
    """Somebody whom nobody knew before, who has come by the provider's page."""
    stranger = Visitor(http=http)
    assert stranger.get("/auth/session").json == {"user": None, "expires_at": None}
    stranger.get("/today").refused(401, "unauthorized")
    to_provider = http.get("/auth/signin/google", params={"redirect_uri": "/today"})
    assert to_provider.status_code == 302, to_provider.text
    agreed = http.post(to_provider.headers["location"], data={"sub": "Ada Lovelace"})
    assert agreed.status_code == 302, agreed.text
    assert urlsplit(agreed.headers["location"]).path == "/auth/callback/google"
    back = http.get(agreed.headers["location"])
    assert (back.status_code, back.headers["location"]) == (302, f"{frontend}/today")
    user = stranger.get("/auth/session").json["user"]
    assert (user["name"], user["email"]) == ("Ada Lovelace", "ada-lovelace@questlog.test")
    assert user["tosAccepted"] is False
    return Member(http=http, id=user["id"], email=user["email"])


def agreed(user: Member) -> None:
    """The user has seen the terms, which hold the statement of age."""
    user.get("/onboarding").refused(403, "age_verification_required")
    assert user.post("/auth/accept-tos", {"accepted": True}).data["tos_accepted"] is True


def set_up(user: Member) -> None:
    """The first run, from its offer to its end."""
    assert user.get("/onboarding").data["needs_onboarding"] is True
    user.post("/onboarding/start")
    assert today(user)["personalization"]["onboardingRoute"] == "/today"
    walk(user)
    assert user.get("/onboarding").data["progress"]["percent_complete"] == 100
    assert user.get("/onboarding").data["needs_onboarding"] is False
    assert today(user)["personalization"] == {
        "interests": ["music", "focus"],
        "moduleWeights": {"quests": 1, "plan": 1},
        "nudgeIntensity": "gentle",
        "focusDuration": 45,
        "gamificationVisible": False,
        "onboardingActive": False,
    }
    assert [goal["title"] for goal in user.get("/goals").data["goals"]] == ["Write a song"]
    # Intervals as FSRS gives them, so that what follows can be worked out by hand.
    assert user.put("/learn/settings", {"fuzz": False}).data["fuzz"] is False


def lesson(user: Member, purse: Purse) -> list[dict[str, Any]]:
    """The first lesson: its quiz is all wrong, and then, as its result says, all right. Only the first time pays."""
    first = user.get("/learn").data["continue_lesson"]
    assert f"/learn/lessons/{first['key']}" == LESSON
    questions = user.get(LESSON).data["quiz_json"]["questions"]
    assert len(questions) == QUESTIONS
    assert user.post(f"{LESSON}/start").data["status"] == "in_progress"
    unanswered = purse.paid("lesson_complete", f"{LESSON}/complete", {"answers": []})
    assert (unanswered["is_first_completion"], unanswered["quiz_score"]) == (True, 0)
    right = [{"question_id": one["question_id"], "choices": one["right"]} for one in unanswered["quiz"]["results"]]
    again = user.post(f"{LESSON}/complete", {"answers": right}).data
    assert (again["is_first_completion"], again["quiz_score"], again["xp_awarded"]) == (False, 100, 0)
    assert user.get("/learn/progress").data["lessons_completed"] == 1
    return right


def reviewed(user: Member, purse: Purse) -> int:
    """How many cards were due, all of which the user knew."""
    due = user.get("/learn/cards/due").data["cards"]
    for one in due:
        data: dict[str, Any] = user.post(f"/learn/cards/{one['id']}/review", {"rating": GOOD}).data
        if data["xp_awarded"]:
            purse.note("review_session", data["xp_awarded"], data["coins_awarded"])
        for unlocked in data["achievements_unlocked"]:
            purse.note(f"achievement:{unlocked['key']}", unlocked["reward_xp"], unlocked["reward_coins"])
    return len(due)


def reviews_of(day: int) -> int:
    """How many reviews a day has: a card is reviewed twice on its first day, 2 days later, and 11 days after that.

    These are the intervals of FSRS-6 for "good" (contract of learn, 2.4.3: 0, 2, 11, then 46 days). There is a new word
    each day, and on the first day each question of the lesson.
    """
    words = 2 + (day >= 1 + 2) + (day >= 1 + 2 + 11)
    return words + QUESTIONS * {1: 2, 3: 1, 14: 1}.get(day, 0)


def made(user: Member, path: str, body: dict[str, Any]) -> str:
    """The id of what something was made into."""
    target_id: str = user.post(path, body).data["target"]["id"]
    return target_id


def notes(user: Member, database: str, purse: Purse) -> None:
    """What is noted down, and what becomes of it; in the end the inbox is empty."""
    entry = user.post("/infobase", {"title": "Parallel compression", "content": "Blend the crushed copy."}).data
    [found] = user.get("/infobase", query={"search": "blending"}).data["entries"]
    assert (found["id"], found["snippet"]) == (entry["id"], "<mark>Blend</mark> the crushed copy")

    idea = user.post("/ideas", {"title": "A bridge in five", "content": "Count it aloud.", "bpm": 90}).data["id"]
    quest = made(user, f"/ideas/{idea}/promote", {"to": "quest"})
    text = made(user, f"/ideas/{idea}/promote", {"to": "infobase"})
    task = made(user, f"/ideas/{idea}/promote", {"to": "plan"})
    assert made(user, f"/ideas/{idea}/promote", {"to": "quest"}) == quest
    assert user.get(f"/infobase/{text}").data["title"] == "A bridge in five"
    assert today(user)["planSummary"]["nextIncompleteItem"]["id"] == task
    purse.paid("quest_complete", f"/quests/{quest}/complete")

    first, second, third = (user.post("/user/inbox", {"title": title}).data["id"] for title in ("a", "b", "c"))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SELECT internal.notify_user(%s, 'Your export is ready', NULL, NULL)", [user.id])
    assert poll(user)["badges"]["unread_inbox"] == 1
    start_time = f"{ahead(40)}T09:00:00Z"
    event = made(user, f"/user/inbox/{first}/process", {"to": "calendar", "start_time": start_time})
    assert user.get(f"/calendar/{event}").data["title"] == "a"
    quest = made(user, f"/user/inbox/{second}/process", {"to": "quest"})
    purse.paid("quest_complete", f"/quests/{quest}/complete")
    user.delete(f"/user/inbox/{third}")
    for item in user.get("/user/inbox").data["items"]:
        user.patch(f"/user/inbox/{item['id']}", {"is_archived": True})
    inbox = user.get("/user/inbox").data
    assert (inbox["items"], inbox["total"], inbox["unread_count"]) == ([], 0, 0)
    assert poll(user)["badges"]["unread_inbox"] == 0


def advance(http: httpx.Client, by: str) -> None:
    http.put("/__clock", json={"advance": by}).raise_for_status()


def test_a_month(http: httpx.Client, running: Stack, frontend: str) -> None:
    user = signed_in(http, frontend)
    purse = Purse(user)
    agreed(user)
    set_up(user)
    lesson(user, purse)
    words = deck(user)
    assert user.post(f"{LESSON}/cards", {"deck_id": words}).data == {"created": QUESTIONS, "skipped": 0}
    for day in range(1, DAYS + 1):
        card(user, words, f"word {day}")
        count = reviewed(user, purse)
        advance(http, "PT10M")  # the learning step
        assert count + reviewed(user, purse) == reviews_of(day), day
        if day == 10:
            notes(user, running.database, purse)
        if day < DAYS:
            advance(http, "PT23H50M")

    # What the contract says such a month pays.
    expected = [("lesson_complete", 30, 15), ("achievement", 50, 15)]
    for day in range(1, DAYS + 1):
        expected.append(("review_session", 15, 5))
        if day in STREAKS:
            expected.append(("achievement", *STREAKS[day]))
        if day == 10:
            expected += [("quest_complete", 10, 5)] * 2
    assert ledger(user) == expected
    assert [(event.split(":")[0], xp, coins) for event, xp, coins in purse.rows] == expected

    # Everyone who shows a number shows that one: 30 + 50 + 30 x 15 + 50 + 150 + 500 + 2 x 10, and coins alike.
    xp, coins = 1250, 15 + 15 + 30 * 5 + 15 + 35 + 150 + 2 * 5
    progress = poll(user)["progress"]
    assert (progress["total_xp"], progress["coins"], progress["streak_days"]) == (xp, coins, DAYS)
    assert progress["level"] == 4  # 901 XP and not yet 1701
    evening = today(user)
    assert (evening["data"]["xp_today"], evening["data"]["coins_today"]) == (15 + 500, 5 + 150)
    assert evening["data"]["streak"] == {"days": DAYS, "at_risk": False}
    assert evening["userState"]["firstDay"] is False
    assert evening["dynamicUIData"]["interestPrimer"]["type"] == "learn"
    what_was_learned(user)

    with psycopg.connect(running.database) as connection:
        assert connection.execute("SELECT * FROM app.ledger_audit").fetchall() == []
    assert user.post("/auth/signout").status == 200
    user.get("/today").refused(401, "unauthorized")


def what_was_learned(user: Member) -> None:
    """Statistics and forecast of the last day, worked out from the intervals that reviews_of() names."""
    stats = user.get("/learn/stats", query={"days": DAYS}).data
    assert [day["date"] for day in stats["daily"]] == [ahead(day) for day in range(DAYS)]
    assert [day["reviews"] for day in stats["daily"]] == [reviews_of(day) for day in range(1, DAYS + 1)]
    assert [day["new"] for day in stats["daily"]] == [1 + QUESTIONS] + [1] * (DAYS - 1)
    # In state review: the one after 2 days of the words of days 1 to 28, the one 11 days later of days 1 to 17.
    in_review = 28 + 17 + QUESTIONS * 2
    assert stats["true_retention"] == {"reviews": in_review, "passed": in_review, "rate": 1.0}
    assert stats["cards"] == {
        "total": DAYS + QUESTIONS,
        "new": 0,
        "learning": 0,
        "review": DAYS + QUESTIONS,
        "relearning": 0,
        "suspended": 0,
        "mature": 17 + QUESTIONS,
    }
    assert (stats["reviews_today"], stats["new_today"]) == (reviews_of(DAYS), 1)
    assert user.get("/learn/progress").data["cards_reviewed_today"] == 3
    # Tomorrow the words of days 29 and 18, then those of 30 and 19, then one a day up to that of day 28; the others
    # come back 46 days after their last review.
    due = user.get("/learn/forecast", query={"days": DAYS}).data
    assert [day["due"] for day in due["days"]] == [0, 2, 2, *[1] * 9, *[0] * 18]
    assert (due["overdue"], due["total"]) == (0, 13)
