from datetime import UTC, date, datetime, timedelta

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User
from tests.quests.conftest import Earn, universal
from tests.support.factories import quest as added

SEEDED = ("key", "period", "difficulty", "xp_reward", "coin_reward", "target", "target_type", "skill_key")
SEEDS = [
    ("daily_focus", "daily", "easy", 50, 10, 25, "focus_minutes", "focus"),
    ("daily_habit", "daily", "starter", 25, 5, 1, "habits_completed", "discipline"),
    ("daily_move", "daily", "easy", 40, 8, 15, "exercise_minutes", "endurance"),
    ("weekly_focus", "weekly", "hard", 200, 50, 180, "focus_minutes", "focus"),
    ("weekly_habits", "weekly", "hard", 150, 35, 5, "perfect_habit_days", "discipline"),
    ("weekly_training", "weekly", "hard", 175, 40, 3, "workouts_completed", "strength"),
    ("weekly_reading", "weekly", "medium", 100, 25, 60, "reading_minutes", "knowledge"),
    ("monthly_focus", "monthly", "epic", 500, 150, 1200, "focus_minutes", "focus"),
    ("monthly_streak", "monthly", "epic", 750, 200, 30, "streak_days", "discipline"),
]
FIELDS = {
    *("id", "title", "description", "category", "difficulty", "xp_reward", "coin_reward", "status", "is_repeatable"),
    *("streak_count", "accepted_at", "completed_at", "expires_at", "kind", "key", "unclaimed_period", "period"),
    *("period_key", "progress", "target", "target_type", "repeat_frequency", "skill_key", "created_at", "updated_at"),
}


def test_a_new_user_has_the_nine_universal_quests(user: User) -> None:
    answer = user.get("/quests").data
    assert (answer["total"], answer["page"], answer["page_size"]) == (9, 1, 100)
    shown = [tuple(quest[field] for field in SEEDED) for quest in answer["quests"]]
    assert shown == SEEDS
    for quest in answer["quests"]:
        assert set(quest) == FIELDS
        assert (quest["kind"], quest["status"], quest["progress"], quest["streak_count"]) == (
            "universal",
            "available",
            0,
            0,
        )
        assert quest["accepted_at"] is quest["completed_at"] is quest["unclaimed_period"] is None
        assert (quest["is_repeatable"], quest["repeat_frequency"]) == (True, quest["period"])
        assert quest["title"]
        assert quest["description"]


def test_own_quests_come_first_and_the_newest_of_them(user: User) -> None:
    ids = [added(user, title=title)["id"] for title in "abc"]
    listed = user.get("/quests").data["quests"]
    assert [quest["id"] for quest in listed[:3]] == ids[::-1]
    assert [quest["key"] for quest in listed[3:]] == [seed[0] for seed in SEEDS]
    assert set(listed[0]) == FIELDS


def test_pages(user: User) -> None:
    for title in "abc":
        added(user, title=title)
    whole = user.get("/quests").data["quests"]
    pages = [user.get("/quests", query={"page": page, "page_size": 5}).data for page in (1, 2, 3, 4)]
    assert [quest for page in pages for quest in page["quests"]] == whole
    assert [page["total"] for page in pages] == [12] * 4
    assert (pages[2]["page"], pages[2]["page_size"], len(pages[2]["quests"])) == (3, 5, 2)
    assert pages[3]["quests"] == []


@pytest.mark.parametrize("status", [None, "accepted", "completed", "abandoned"])
def test_pages_of_each_filter_are_its_whole_list(user: User, status: str | None) -> None:
    for title in "abcd":
        quest = added(user, title=title, is_repeatable=title < "c")
        if status:
            move = {"accepted": "accept", "completed": "complete", "abandoned": "abandon"}[status]
            user.post(f"/quests/{quest['id']}/{move}")
    if status in ("accepted", "abandoned"):
        for key in ("weekly_focus", "daily_move"):
            user.post(f"/quests/{universal(user, key)['id']}/{'accept' if status == 'accepted' else 'abandon'}")
    for kind in (None, "user", "universal"):
        filters = {"status": status or "", "kind": kind or ""}
        whole = user.get("/quests", query=filters).data
        assert whole["total"] == len(whole["quests"])
        pages = [user.get("/quests", query={**filters, "page": n, "page_size": 3}).data for n in range(1, 7)]
        assert [quest for page in pages for quest in page["quests"]] == whole["quests"]
        assert {page["total"] for page in pages} == {whole["total"]}
    assert user.get("/quests", query={"status": status or "", "kind": "user"}).data["total"] == 4


def test_filters_by_kind_and_by_the_status_shown(user: User, database: Database) -> None:
    available, accepted, completed, abandoned, expired = (added(user, title=title)["id"] for title in "abcde")
    user.post(f"/quests/{accepted}/accept")
    user.post(f"/quests/{completed}/complete")
    user.post(f"/quests/{abandoned}/abandon")
    database.query("UPDATE quests SET expires_at = clock() WHERE id = %s", expired)
    by_status = {
        "available": [available],
        "accepted": [accepted],
        "completed": [completed],
        "abandoned": [abandoned],
        "expired": [expired],
    }
    for status, ids in by_status.items():
        answer = user.get("/quests", query={"status": status, "kind": "user"}).data
        assert ([quest["id"] for quest in answer["quests"]], answer["total"]) == (ids, 1)
        assert {quest["status"] for quest in answer["quests"]} == {status}
    assert user.get("/quests", query={"status": "available"}).data["total"] == 10
    assert user.get("/quests", query={"kind": "universal"}).data["total"] == 9
    assert user.get("/quests", query={"kind": ""}).data["total"] == 14
    assert [quest["id"] for quest in user.get("/quests/active").data["quests"]] == [accepted]
    assert [quest["id"] for quest in user.get("/quests/completed").data["quests"]] == [completed]
    paged = user.get("/quests/active", query={"page": 2, "page_size": 1}).data
    assert paged == {"quests": [], "total": 1, "page": 2, "page_size": 1}


@pytest.mark.parametrize("path", ["/quests", "/quests/active", "/quests/completed"])
@pytest.mark.parametrize("query", [{"page": 0}, {"page": "x"}, {"page_size": 0}, {"page_size": 101}])
def test_bad_pages_are_named(user: User, path: str, query: dict[str, object]) -> None:
    user.get(path, query=query).invalid(*query)


def test_unknown_filters_are_named(user: User) -> None:
    user.get("/quests", query={"status": "done"}).invalid("status")
    user.get("/quests", query={"kind": "own"}).invalid("kind")


def test_an_unknown_quest_is_absent(user: User, other: User, stranger: Client) -> None:
    quest = added(user)
    assert user.get(f"/quests/{quest['id']}").data == quest
    other.get(f"/quests/{quest['id']}").refused(404, "not_found")
    user.get("/quests/not-a-uuid").refused(404, "not_found")
    stranger.get("/quests").refused(401, "unauthorized")
    assert other.get("/quests", query={"kind": "user"}).data["total"] == 0


def test_the_periods_are_the_users_own(user: User, database: Database, clock: Clock) -> None:
    now = clock.now()  # a Friday: on a Monday the week would begin with the day
    # A fixed offset, so that the expectation below needs no zone database of its own.
    database.query(
        "INSERT INTO user_settings (user_id, key, value)"
        ' SELECT %s, key, value FROM jsonb_each(\'{"timezone": "Etc/GMT-9", "day_start_hour": 3}\')',
        user.id,
    )
    today = (now + timedelta(hours=9 - 3)).date()
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    ends = {
        "daily": (today.isoformat(), today + timedelta(days=1)),
        "weekly": (f"{today.isocalendar().year}-W{today.isocalendar().week:02}", monday + timedelta(days=7)),
        "monthly": (today.strftime("%Y-%m"), (first + timedelta(days=32)).replace(day=1)),
    }
    for quest in user.get("/quests").data["quests"]:
        key, next_day = ends[quest["period"]]
        begins = datetime.combine(next_day, datetime.min.time(), UTC) + timedelta(hours=3 - 9)
        assert quest["period_key"] == key
        assert quest["expires_at"] == begins.isoformat(timespec="microseconds").replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("zone", "day_start", "now", "key", "ends"),
    [
        # The day before the clocks go forward, and the day itself, which has 23 hours.
        ("Europe/Berlin", 0, "2031-03-29T12:00:00Z", "2031-03-29", "2031-03-29T23:00:00"),
        ("Europe/Berlin", 0, "2031-03-29T23:00:00Z", "2031-03-30", "2031-03-30T22:00:00"),
        # The hour at which the day begins is skipped: it begins an hour later by the clock.
        ("Europe/Berlin", 2, "2031-03-29T12:00:00Z", "2031-03-29", "2031-03-30T01:00:00"),
        ("Europe/Berlin", 2, "2031-03-30T00:59:59Z", "2031-03-29", "2031-03-30T01:00:00"),
        ("Europe/Berlin", 2, "2031-03-30T01:00:00Z", "2031-03-30", "2031-03-31T00:00:00"),
        # It is shown twice: the first time counts.
        ("Europe/Berlin", 2, "2031-10-25T12:00:00Z", "2031-10-25", "2031-10-26T00:00:00"),
        ("Europe/Berlin", 2, "2031-10-26T00:30:00Z", "2031-10-26", "2031-10-27T01:00:00"),
        # Midnight itself is skipped.
        ("America/Santiago", 0, "2031-09-06T12:00:00Z", "2031-09-06", "2031-09-07T04:00:00"),
    ],
)
def test_a_day_ends_where_the_clocks_change(
    new_user: NewUser, clock: Clock, *, zone: str, day_start: int, now: str, key: str, ends: str
) -> None:
    clock.freeze()
    clock.set(now)
    user = new_user(settings={"timezone": zone, "day_start_hour": day_start})
    quest = universal(user, "daily_focus")
    assert (quest["period_key"], quest["expires_at"]) == (key, f"{ends}.000000Z")
    end = datetime.fromisoformat(f"{ends}+00:00")
    clock.set(end - timedelta(microseconds=1))
    assert universal(user, "daily_focus")["period_key"] == key
    clock.set(end)
    assert universal(user, "daily_focus")["period_key"] == str(date.fromisoformat(key) + timedelta(days=1))


def test_universal_quests_outside_their_time_are_not_there(user: User, earn: Earn, database: Database) -> None:
    made = {
        row["key"]: row["id"]
        for row in database.query(
            """
            INSERT INTO universal_quests (
                key, title, quest_type, target, target_type, is_active, starts_at, ends_at, sort_order)
            SELECT 'window_' || n, 'Pages', 'special', 5, 'pages_read', active,
                   now() + starts * interval '1 h', now() + ends * interval '1 h', -n
              FROM (VALUES (1, true, -1, 1), (2, true, 1, 2), (3, true, -2, -1), (4, false, -1, 1))
                   AS w (n, active, starts, ends)
            RETURNING key, id
            """
        )
    }
    try:
        running, upcoming, over, archived = sorted(made)
        earn(user, pages_read=3)
        listed = user.get("/quests").data["quests"]
        assert [quest["key"] for quest in listed if quest["key"] in made] == [running]
        # sort_order orders the universal quests, whatever its sign.
        assert listed[0]["key"] == running
        assert listed[0]["progress"] == 3
        for hidden in (upcoming, over, archived):
            user.get(f"/quests/{made[hidden]}").refused(404, "not_found")
            user.post(f"/quests/{made[hidden]}/accept").refused(404, "not_found")
        progressed = database.query(
            "SELECT universal_quest_id FROM user_quest_progress WHERE user_id = %s AND period_key = 'once'", user.id
        )
        assert [row["universal_quest_id"] for row in progressed] == [made[running]]

        # Over, a special one stays for those who began it, and is then expired like their own.
        database.query("UPDATE universal_quests SET ends_at = clock() WHERE id = %s", made[running])
        begun = universal(user, running)
        assert (begun["status"], begun["progress"], begun["period"], begun["is_repeatable"]) == (
            "expired",
            3,
            "once",
            False,
        )
        earn(user, pages_read=2)
        assert universal(user, running)["progress"] == 3
        for move in ("accept", "abandon", "complete"):
            user.post(f"/quests/{made[running]}/{move}").refused(409, "quest_expired")
    finally:
        database.query("DELETE FROM universal_quests WHERE id = ANY (%s)", list(made.values()))
