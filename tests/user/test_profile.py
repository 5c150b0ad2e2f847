from datetime import datetime

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.support.clock import NOON
from tests.user.conftest import Pay


def test_shows_exactly_the_fields_of_a_profile(user: User, database: Database) -> None:
    database.query(
        "INSERT INTO accounts (user_id, provider, subject, created_at)"
        " SELECT %s, a.provider, gen_random_uuid()::text, a.at::timestamptz"
        "   FROM (VALUES ('azure', '2031-05-09T08:00Z'), ('google', '2030-01-01Z')) AS a (provider, at)",
        user.id,
    )
    profile = user.get("/user/profile").data
    for instant in ("created_at", "last_activity_at"):
        assert profile.pop(instant).endswith("Z")
    assert profile == {
        "id": str(user.id),
        "email": user.email,
        "name": "Test",
        "image": None,
        "role": "user",
        "age_verified": True,
        "tos_accepted": True,
        "tos_version": "1.0",
        "timezone": "UTC",
        "level": 1,
        "total_xp": 0,
        "coins": 0,
        "providers": [
            {"provider": "google", "linked_at": "2030-01-01T00:00:00.000000Z"},
            {"provider": "azure", "linked_at": "2031-05-09T08:00:00.000000Z"},
        ],
    }


def test_shows_level_coins_and_zone(new_user: NewUser, pay: Pay) -> None:
    user = new_user(settings={"timezone": "Europe/Berlin"})
    pay(user, "admin_adjustment", xp=150, coins=8)
    profile = user.get("/user/profile").data
    assert (profile["level"], profile["total_xp"], profile["coins"]) == (2, 150, 8)
    assert profile["timezone"] == "Europe/Berlin"


def test_is_seen_before_anything_is_agreed_to(new_user: NewUser, database: Database) -> None:
    user = new_user(consented=False)
    profile = user.get("/user/profile").data
    assert (profile["age_verified"], profile["tos_accepted"], profile["tos_version"]) == (False, False, None)
    user.patch("/user/profile", {"name": "New"}).refused(403, "age_verification_required")
    assert user.get("/user/profile").data["name"] == "Test"


def test_old_terms_do_not_count_as_accepted(user: User, database: Database) -> None:
    database.query("UPDATE users SET tos_version = '0.9' WHERE id = %s", user.id)
    profile = user.get("/user/profile").data
    assert (profile["tos_accepted"], profile["tos_version"]) == (False, "0.9")
    user.put("/user/profile", {"name": "New"}).refused(403, "tos_required")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_absent_keeps_and_null_clears(user: User, method: str) -> None:
    image = "https://images.questlog.test/me.png?size=64#a"
    changed = user.request(method, "/user/profile", body={"name": "  Ann  ", "image": image}).data
    assert (changed["name"], changed["image"]) == ("Ann", image)
    assert changed == user.get("/user/profile").data
    assert user.request(method, "/user/profile", body={"name": "Ben"}).data["image"] == image
    assert user.request(method, "/user/profile", body={"image": None}).data["image"] is None
    assert user.request(method, "/user/profile").data["name"] == "Ben"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": 5}, "name"),
        ({"image": ""}, "image"),
        ({"image": "http://images.questlog.test/me.png"}, "image"),
        ({"image": "https://"}, "image"),
        ({"image": "https:///me.png"}, "image"),
        ({"image": "https://user:secret@images.questlog.test/"}, "image"),
        ({"image": "https://images.questlog.test/a b"}, "image"),
        ({"image": "javascript:alert(1)//https://"}, "image"),
        ({"image": "https://images.questlog.test/" + "x" * 2048}, "image"),
        ({"image": 5}, "image"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(user: User, body: dict[str, object], field: str) -> None:
    before = user.get("/user/profile").data
    user.patch("/user/profile", {"name": "New", "image": None} | body).invalid(field)
    assert user.get("/user/profile").data == before


def test_an_image_is_refused_in_a_sentence(user: User) -> None:
    [field] = user.patch("/user/profile", {"image": "http://x"}).refused(400, "validation_error")["fields"]
    assert field["message"] == "must be an https address without credentials, such as https://example.com/me.png"


def test_nothing_else_can_be_changed(user: User, other: User, database: Database) -> None:
    user.patch(
        "/user/profile",
        {
            "name": "Ann",
            "id": str(other.id),
            "user_id": str(other.id),
            "role": "admin",
            "is_admin": True,
            "email": "admin@questlog.test",
            "approved": False,
            "coins": 1000,
            "xp": 1000,
            "level": 9,
            "tos_version": None,
        },
    )
    profile = user.get("/user/profile").data
    assert (profile["name"], profile["role"], profile["email"]) == ("Ann", "user", user.email)
    assert (profile["coins"], profile["total_xp"], profile["level"]) == (0, 0, 1)
    assert other.get("/user/profile").data["name"] == "Test"


def test_name_and_image_changed_at_once_both_stay(user: User) -> None:
    bodies = iter([{"name": "Ann"}, {"image": "https://images.questlog.test/me.png"}] * 5)
    at_once(10, lambda: user.patch("/user/profile", next(bodies)).data)
    profile = user.get("/user/profile").data
    assert (profile["name"], profile["image"]) == ("Ann", "https://images.questlog.test/me.png")


def test_a_replay_answers_as_the_first_time(user: User) -> None:
    key = {"Idempotency-Key": "once"}
    first = user.patch("/user/profile", {"name": "Ann"}, headers=key)
    user.patch("/user/profile", {"name": "Ben"})
    assert user.patch("/user/profile", {"name": "Ann"}, headers=key).json == first.json
    assert user.get("/user/profile").data["name"] == "Ben"


@pytest.mark.parametrize(
    "ask",
    [
        ("GET", "/user/profile"),
        ("PATCH", "/user/profile"),
        ("PUT", "/user/profile"),
        ("GET", "/user/stats"),
        ("GET", "/user/settings"),
        ("PUT", "/user/settings"),
        ("PATCH", "/user/settings"),
        ("GET", "/settings"),
        ("POST", "/settings"),
        ("PATCH", "/settings"),
        ("GET", "/settings/theme"),
        ("DELETE", "/settings/theme"),
    ],
    ids=" ".join,
)
def test_needs_a_session(stranger: Client, ask: tuple[str, str]) -> None:
    stranger.request(*ask).refused(401, "unauthorized")


def test_a_new_user_has_done_nothing(user: User, database: Database) -> None:
    [row] = database.query("SELECT (created_at AT TIME ZONE 'UTC')::date AS day FROM users WHERE id = %s", user.id)
    assert user.get("/user/stats").data == {
        "level": 1,
        "total_xp": 0,
        "coins": 0,
        "current_streak": 0,
        "longest_streak": 0,
        "active_days": 0,
        "focus_sessions": 0,
        "focus_minutes": 0,
        "habit_completions": 0,
        "goals_completed": 0,
        "quests_completed": 0,
        "workouts_completed": 0,
        "books_finished": 0,
        "pages_read": 0,
        "lessons_completed": 0,
        "achievements": 0,
        "member_since": str(row["day"]),
    }


def test_stats_count_what_was_done(user: User, other: User, pay: Pay) -> None:
    done = {
        "focus_complete": {"focus_minutes": 25},
        "habit_complete": {},
        "goal_complete": {},
        "quest_complete": {},
        "workout_complete": {},
        "book_complete": {},
        "reading_session": {"pages_read": 40},
        "lesson_complete": {},
    }
    for times, event_type in enumerate(done, 1):
        for _ in range(times):
            pay(user, event_type, counters=done[event_type])
    pay(other, "goal_complete")
    stats = user.get("/user/stats").data
    names = ("focus_sessions", "habit_completions", "goals_completed", "quests_completed", "workouts_completed")
    assert [stats[name] for name in names] == [1, 2, 3, 4, 5]
    assert (stats["books_finished"], stats["lessons_completed"]) == (6, 8)
    assert (stats["focus_minutes"], stats["pages_read"]) == (25, 280)
    earned = user.get("/achievements/user").json
    assert stats["achievements"] == len(earned) > 0
    assert (stats["active_days"], stats["current_streak"], stats["longest_streak"]) == (1, 1, 1)


def test_active_days_are_those_a_streak_counts(new_user: NewUser, pay: Pay, clock: Clock) -> None:
    clock.set(NOON)
    user = new_user()
    for days_ago in (9, 9, 5, 0):
        pay(user, "goal_complete", days_ago=days_ago)
    pay(user, "break_complete", days_ago=3)
    pay(user, "admin_adjustment", days_ago=2)
    stats = user.get("/user/stats").data
    assert (stats["active_days"], stats["current_streak"], stats["longest_streak"]) == (3, 1, 1)


def test_a_day_counts_once_in_whatever_order_the_days_come(user: User, pay: Pay, clock: Clock) -> None:
    clock.set(NOON)
    for days_ago in (0, 5, 5, 0, 3, 5, 0):
        pay(user, "goal_complete", days_ago=days_ago)
    assert user.get("/user/stats").data["active_days"] == 3


def test_member_since_is_a_local_day(new_user: NewUser, database: Database) -> None:
    user = new_user(settings={"timezone": "Asia/Tokyo"})
    database.query("UPDATE users SET created_at = '2031-05-09T20:00Z' WHERE id = %s", user.id)
    assert user.get("/user/stats").data["member_since"] == "2031-05-10"


def test_activity_is_that_of_the_last_five_minutes(new_user: NewUser, clock: Clock) -> None:
    begun = clock.freeze()
    user = new_user()

    def seen() -> datetime:
        return datetime.fromisoformat(user.get("/user/profile").data["last_activity_at"])

    assert seen() == begun
    clock.advance("PT5M")
    assert seen() == begun
    later = clock.advance("PT1S")
    assert seen() == later
