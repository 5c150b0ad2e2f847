"""The first month of a new user, over the handlers: what they set up, learn and write down, and what it all pays."""

from typing import Any

from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.inbox.conftest import notify
from tests.learn.conftest import LESSON, card, deck, right_answers
from tests.onboarding.conftest import walk
from tests.support.clock import ahead
from tests.support.environment import TERMS
from tests.sync.conftest import poll
from tests.today.conftest import today
from tests.today.test_a_day import Purse, ledger

DAYS = 30
STREAKS = {3: (50, 15), 7: (150, 35), 30: (500, 150)}


def agreed(user: User) -> None:
    """The user has seen the terms, which hold the statement of age."""
    user.get("/onboarding").refused(403, "age_verification_required")
    assert user.post("/auth/accept-tos", {"accepted": True, "version": TERMS}).data["tos_accepted"] is True


def set_up(user: User) -> None:
    """The first run, from its offer to its end."""
    assert user.get("/onboarding").data["needs_onboarding"] is True
    user.post("/onboarding/start")
    assert today(user)["personalization"]["onboardingRoute"] == "/today"
    walk(user)
    assert user.get("/onboarding").data["progress"]["percent_complete"] == 100
    assert today(user)["personalization"] == {
        "interests": ["music", "focus"],
        "moduleWeights": {"quests": 1, "plan": 1},
        "nudgeIntensity": "gentle",
        "focusDuration": 45,
        "gamificationVisible": False,
        "onboardingActive": False,
    }
    assert [goal["title"] for goal in user.get("/goals").data["goals"]] == ["Write a song"]


def reviewed(user: User, purse: Purse) -> int:
    """How many cards were due, all of which the user knew."""
    due = user.get("/learn/cards/due").data["cards"]
    for one in due:
        data: dict[str, Any] = user.post(f"/learn/cards/{one['id']}/review", {"rating": 3}).data
        if data["xp_awarded"]:
            purse.note("review_session", data["xp_awarded"], data["coins_awarded"])
        for unlocked in data["achievements_unlocked"]:
            purse.note(f"achievement:{unlocked['key']}", unlocked["reward_xp"], unlocked["reward_coins"])
    return len(due)


def made(user: User, path: str, body: dict[str, Any]) -> str:
    """The id of what something was made into."""
    target_id: str = user.post(path, body).data["target"]["id"]
    return target_id


def notes(user: User, database: Database, purse: Purse) -> None:
    """What is noted down, and what becomes of it; in the end the inbox is empty."""
    entry = user.post("/infobase", {"title": "Parallel compression", "content": "Blend the crushed copy."}).data
    assert [one["id"] for one in user.get("/infobase", query={"search": "blending"}).data["entries"]] == [entry["id"]]

    idea = user.post("/ideas", {"title": "A bridge in five", "content": "Count it aloud.", "bpm": 90}).data["id"]
    quest = made(user, f"/ideas/{idea}/promote", {"to": "quest"})
    text = made(user, f"/ideas/{idea}/promote", {"to": "infobase"})
    task = made(user, f"/ideas/{idea}/promote", {"to": "plan"})
    assert made(user, f"/ideas/{idea}/promote", {"to": "quest"}) == quest
    assert user.get(f"/infobase/{text}").data["title"] == "A bridge in five"
    assert today(user)["planSummary"]["nextIncompleteItem"]["id"] == task
    purse.paid("quest_complete", f"/quests/{quest}/complete")

    first, second, third = (user.post("/user/inbox", {"title": title}).data["id"] for title in ("a", "b", "c"))
    notify(database, user)
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


def test_a_month(new_user: NewUser, clock: Clock, database: Database) -> None:
    user = new_user(consented=False)
    purse = Purse(user)
    agreed(user)
    set_up(user)
    purse.paid("lesson_complete", f"{LESSON}/complete", {"answers": right_answers(database)})
    words = deck(user)
    reviews = 0
    for day in range(1, DAYS + 1):
        card(user, words, f"word {day}")
        reviews += reviewed(user, purse)
        if day == 10:
            notes(user, database, purse)
        if day < DAYS:
            clock.advance("P1D")

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

    # And everyone who shows a number shows that one.
    xp, coins = sum(xp for _, xp, _ in expected), sum(coins for _, _, coins in expected)
    progress = poll(user)["progress"]
    assert (progress["total_xp"], progress["coins"], progress["streak_days"]) == (xp, coins, DAYS)
    assert progress["level"] == 1 + sum(xp >= floor for floor in (100, 382, 901, 1701))
    evening = today(user)
    assert (evening["data"]["xp_today"], evening["data"]["coins_today"]) == (15 + 500, 5 + 150)
    assert evening["data"]["streak"] == {"days": DAYS, "at_risk": False}
    assert evening["userState"]["firstDay"] is False
    assert evening["dynamicUIData"]["interestPrimer"]["type"] == "learn"
    stats = user.get("/learn/stats").data
    assert sum(one["reviews"] for one in stats["daily"]) == reviews
    assert database.query("SELECT * FROM ledger_audit") == []
