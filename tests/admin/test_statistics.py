"""The route of the whole place in numbers (platform contract, section 7)."""

from typing import Any

from tests.conftest import Database, NewUser, User
from tests.support import ledger
from tests.support.factories import focus_session, goal, habit, quest

NUMBERS = {
    "users": {"total_users", "tos_accepted", "admins", "active_7d", "active_30d"},
    "content": {
        *("exercises", "learn_topics", "learn_lessons", "learn_drills", "universal_quests", "user_quests"),
        "market_items",
    },
    "activity": {
        *("total_focus_sessions", "completed_focus", "total_focus_minutes", "total_events", "events_24h"),
        *("habit_completions", "total_goals", "total_ideas", "total_books", "reference_tracks"),
    },
    "gamification": {"total_coins_distributed", "total_xp_distributed", "achievements_earned", "total_purchases"},
}


def stats(admin: User) -> dict[str, Any]:
    answer = admin.get("/admin/stats")
    assert answer.status == 200, answer.text
    document: dict[str, Any] = answer.json
    assert set(document) == {*NUMBERS, "recent_users", "recent_events", "timestamp"}
    for part, names in NUMBERS.items():
        assert set(document[part]) == names
        assert all(type(number) is int for number in document[part].values())
    return document


def change(before: dict[str, Any], after: dict[str, Any], part: str) -> dict[str, int]:
    """Which numbers of a part moved, and by how much."""
    return {
        name: after[part][name] - before[part][name]
        for name in NUMBERS[part]
        if after[part][name] != before[part][name]
    }


def test_content(admin: User, user: User) -> None:
    before = stats(admin)
    assert before["content"]["exercises"] > 100
    assert before["content"]["market_items"] > 0
    quest(user)
    admin.post("/admin/quests", {"title": "Tidy up"})
    user.post("/exercise", {"name": "My own", "category": "strength"})
    after = stats(admin)
    assert change(before, after, "content") == {"user_quests": 1, "universal_quests": 1}


def test_activity(admin: User, user: User, other: User, database: Database) -> None:
    before = stats(admin)
    goal(user)
    assert other.post(f"/habits/{habit(other)['id']}/complete").status == 200
    assert user.post("/books", {"title": "Dune"}).status == 200
    assert user.post("/ideas", {"title": "A song"}).status == 200
    assert user.post("/activity", {"event_type": "walk"}).status == 200
    after = stats(admin)
    moved = change(before, after, "activity")
    # The habit paid, and so did an achievement; the walk was logged.
    events = database.query(
        "SELECT (SELECT count(*) FROM points_ledger WHERE user_id = ANY (%s))"
        "     + (SELECT count(*) FROM activity_events WHERE user_id = ANY (%(users)s)) AS total".replace(
            "%(users)s", "%s"
        ),
        *([user.id, other.id], [user.id, other.id]),
    )[0]["total"]
    assert events >= 2
    assert moved == {
        "total_goals": 1,
        "habit_completions": 1,
        "total_books": 1,
        "total_ideas": 1,
        "total_events": events,
        "events_24h": events,
    }


def test_focus(admin: User, user: User, database: Database) -> None:
    before = stats(admin)
    for status, seconds in (("completed", 1550), ("abandoned", 650)):
        database.query(
            "INSERT INTO focus_sessions"
            f" (user_id, duration_seconds, status, end_reason, actual_seconds, ended_at, {status}_at)"
            " VALUES (%s, 3000, %s, 'user', %s, clock(), clock())",
            *(user.id, status, seconds),
        )
    database.query("SELECT count_totals(%s)", user.id)
    focus_session(user, mode="break")
    moved = change(before, stats(admin), "activity")
    assert moved == {"total_focus_sessions": 2, "completed_focus": 1, "total_focus_minutes": 25 + 10}


def test_gamification_is_what_the_ledger_holds(admin: User, user: User, database: Database) -> None:
    before = stats(admin)
    ledger.award(database, user, xp=100, coins=40)
    ledger.award(database, user, xp=7, coins=5, key="taken-back")
    ledger.as_user(database, user, "SELECT reverse('taken-back', 'x')")
    item = user.get("/market/items").data["items"][0]
    ledger.award(database, user, coins=item["price_coins"])
    bought = user.post("/market/purchase", {"item_key": item["key"]})
    assert bought.status == 200, bought.text
    after = stats(admin)
    positive = database.query(
        "SELECT coalesce(sum(coins) FILTER (WHERE coins > 0), 0)::bigint AS coins FROM points_ledger"
    )[0]["coins"]
    assert after["gamification"]["total_coins_distributed"] == positive
    moved = change(before, after, "gamification")
    total_xp, _ = ledger.wallet(database, user)
    assert moved["total_purchases"] == 1
    assert moved["total_xp_distributed"] == total_xp
    earned = database.query("SELECT count(*) FROM user_achievements WHERE user_id = %s", user.id)[0]["count"]
    assert moved.get("achievements_earned", 0) == earned


def test_the_last_day(admin: User, user: User, database: Database) -> None:
    before = stats(admin)
    for hours in (23, 25):
        database.query(
            "INSERT INTO activity_events (user_id, event_type, created_at)"
            " VALUES (%s, 'walk', clock() - %s * interval '1 hour')",
            *(user.id, hours),
        )
    assert change(before, stats(admin), "activity") == {"total_events": 2, "events_24h": 1}


def test_the_newest_users_and_events(admin: User, new_user: NewUser, database: Database) -> None:
    made = [new_user() for _ in range(11)]
    recent = stats(admin)["recent_users"]
    assert [user["id"] for user in recent] == [str(user.id) for user in made[:0:-1]]
    assert set(recent[0]) == {"id", "name", "email", "created_at", "last_activity_at"}
    one, two = made[:2]
    for number in range(21):
        database.query(
            "INSERT INTO activity_events (user_id, event_type, created_at)"
            " VALUES (%s, %s, clock() + %s * interval '1 second')",
            *([one, two][number % 2].id, f"walk_{number}", number + 1),
        )
    events = stats(admin)["recent_events"]
    assert [event["event_type"] for event in events] == [f"walk_{number}" for number in range(20, 0, -1)]
    assert set(events[0]) == {"user_id", "user_name", "event_type", "created_at"}
    assert (events[0]["user_id"], events[0]["user_name"]) == (str(one.id), "Test")
    database.query("DELETE FROM users WHERE id = ANY (%s)", [one.id, two.id])


def test_few_events_long_ago(admin: User, user: User, database: Database) -> None:
    """Also where nothing happened of late the newest are shown."""
    database.query("DELETE FROM users WHERE id <> ALL (%s)", [admin.id, user.id])
    for days in (3, 100, 0.5):
        database.query(
            "INSERT INTO activity_events (user_id, event_type, created_at)"
            " VALUES (%s, %s, clock() - %s * interval '1 day')",
            *(user.id, f"walk_{days}", days),
        )
    assert [event["event_type"] for event in stats(admin)["recent_events"]] == ["walk_0.5", "walk_3", "walk_100"]
