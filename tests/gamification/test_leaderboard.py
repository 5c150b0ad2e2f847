"""Boards stand in a database that other tests fill too, so those who are on it step off when a test begins."""

from itertools import product
from typing import Any
from uuid import uuid4

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.gamification.conftest import Pay
from tests.support.clock import NOON


@pytest.fixture(autouse=True)
def _empty_boards(database: Database) -> None:
    database.query("DELETE FROM user_settings WHERE key = 'profile_public'")
    database.query("DELETE FROM leaderboard_scores")
    database.query("UPDATE user_progress SET on_boards = false")


def named(user: User, name: str, database: Database) -> User:
    database.query("UPDATE users SET name = %s WHERE id = %s", name, user.id)
    return user


@pytest.fixture
def member(new_user: NewUser, database: Database, clock: Clock) -> Any:
    """Makes users who chose to be shown, at an hour that is not near midnight."""
    clock.set(NOON)

    def make(name: str, **settings: Any) -> User:
        return named(new_user(settings={"profile_public": True} | settings), name, database)

    return make


def board(user: User, **query: Any) -> dict[str, Any]:
    shown: dict[str, Any] = user.get("/gamification/leaderboard", query=query).data
    return shown


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows]


def test_members_see_each_other_and_nobody_else(member: Any, new_user: NewUser, pay: Pay, database: Database) -> None:
    ann, ben = member("Ann"), member("Ben")
    private = named(new_user(), "Cleo", database)
    declined = named(new_user(settings={"profile_public": False}), "Dan", database)
    for user, xp in ((ann, 10), (ben, 150), (private, 5000), (declined, 6000)):
        pay(user, "admin_adjustment", xp=xp)
    shown = board(ann)
    assert shown == {
        "board": "xp",
        "period": "all",
        "opted_in": True,
        "entries": [
            {"rank": 1, "name": "Ben", "value": 150, "level": 2, "is_me": False},
            {"rank": 2, "name": "Ann", "value": 10, "level": 1, "is_me": True},
        ],
        "me": {"rank": 2, "name": "Ann", "value": 10, "level": 1, "is_me": True},
    }
    assert ann.get("/leaderboard/xp").json == shown["entries"]


def test_who_did_not_choose_it_is_alone(member: Any, new_user: NewUser, pay: Pay, database: Database) -> None:
    member("Ann")
    for settings in ({}, {"profile_public": False}):
        user = named(new_user(settings=settings), "Cleo", database)
        pay(user, "admin_adjustment", xp=500)
        me = {"rank": 1, "name": "Cleo", "value": 500, "level": 3, "is_me": True}
        assert board(user) == {"board": "xp", "period": "all", "opted_in": False, "entries": [me], "me": me}
        assert user.get("/leaderboard/xp").json == [me]
        assert names(user.get("/leaderboard/streaks").json) == ["Cleo"]


def test_stepping_off_works_at_once(member: Any, database: Database) -> None:
    ann, ben = member("Ann"), member("Ben")
    assert names(board(ann)["entries"]) == ["Ann", "Ben"]
    assert ben.put("/user/settings", {"profile_public": False}).status == 200
    assert names(board(ann)["entries"]) == ["Ann"]
    assert names(board(ben)["entries"]) == ["Ben"]
    assert ben.put("/user/settings", {"profile_public": True}).status == 200
    assert names(board(ann)["entries"]) == ["Ann", "Ben"]
    assert ben.delete("/settings/profile_public").status == 204
    assert names(board(ann)["entries"]) == ["Ann"]


def test_nothing_but_name_and_numbers_leaves(member: Any, database: Database) -> None:
    ann, ben = member("Ann"), member("Ben")
    answer = ann.get("/gamification/leaderboard")
    for secret in (str(ben.id), ben.email, str(ann.id), ann.email):
        assert secret not in answer.text
    for row in answer.data["entries"]:
        assert set(row) == {"rank", "name", "value", "level", "is_me"}


def test_a_blank_name_is_a_player(member: Any) -> None:
    assert names(board(member("   "))["entries"]) == ["Player"]


def test_the_suspended_are_not_shown(member: Any, database: Database) -> None:
    ann, ben = member("Ann"), member("Ben")
    database.query("UPDATE users SET approved = false WHERE id = %s", ben.id)
    assert names(board(ann)["entries"]) == ["Ann"]


def test_ties_share_a_rank_in_order_of_names(member: Any, pay: Pay) -> None:
    users = {name: member(name) for name in ("Dan", "Ann", "Cleo", "Ben")}
    for name, xp in (("Dan", 50), ("Ann", 20), ("Cleo", 50), ("Ben", 10)):
        pay(users[name], "admin_adjustment", xp=xp)
    rows = board(users["Ann"])["entries"]
    assert [(row["rank"], row["name"]) for row in rows] == [(1, "Cleo"), (1, "Dan"), (3, "Ann"), (4, "Ben")]


def test_me_is_told_from_beyond_the_limit(member: Any, pay: Pay) -> None:
    users = [member(name) for name in ("Ann", "Ben", "Cleo")]
    for user, xp in zip(users, (30, 20, 10), strict=True):
        pay(user, "admin_adjustment", xp=xp)
    shown = board(users[2], limit=1)
    assert names(shown["entries"]) == ["Ann"]
    assert (shown["me"]["name"], shown["me"]["rank"]) == ("Cleo", 3)
    assert names(users[2].get("/leaderboard/xp", query={"limit": 2}).json) == ["Ann", "Ben"]


# The 14th of May 2031 is a Wednesday, the 1st of June a Sunday.
@pytest.mark.parametrize(
    ("now", "days_ago", "week", "month"),
    [
        ("2031-05-14T12:00:00Z", 2, True, True),
        ("2031-05-14T12:00:00Z", 3, False, True),
        ("2031-05-14T12:00:00Z", 13, False, True),
        ("2031-05-14T12:00:00Z", 14, False, False),
        ("2031-06-01T12:00:00Z", 0, True, True),
        ("2031-06-01T12:00:00Z", 1, True, False),
        ("2031-06-01T12:00:00Z", 6, True, False),
        ("2031-06-01T12:00:00Z", 7, False, False),
    ],
)
def test_a_week_begins_on_monday_and_a_month_on_its_first(
    member: Any, pay: Pay, clock: Clock, now: str, days_ago: int, *, week: bool, month: bool
) -> None:
    clock.set(now)
    ann, ben = member("Ann", timezone="UTC"), member("Ben", timezone="UTC")
    pay(ben, "admin_adjustment", xp=5, days_ago=days_ago)
    for period, counted in (("all", True), ("week", week), ("month", month)):
        for rows in (board(ann, period=period)["entries"], ben.get("/leaderboard/xp", query={"period": period}).json):
            assert {row["name"]: row["value"] for row in rows} == {"Ann": 0, "Ben": 5 if counted else 0}, period


def test_a_period_is_the_callers_and_counts_the_dates_of_each(member: Any, pay: Pay, clock: Clock) -> None:
    clock.freeze()
    clock.set("2031-05-11T23:00:00Z")  # Sunday in UTC, Monday in Tokyo
    ann, ben = member("Ann", timezone="UTC"), member("Ben", timezone="Asia/Tokyo")
    pay(ann, "admin_adjustment", xp=1)
    pay(ben, "admin_adjustment", xp=2)
    pay(ben, "admin_adjustment", xp=4, days_ago=1)

    def values(user: User) -> dict[str, int]:
        return {row["name"]: row["value"] for row in board(user, period="week")["entries"]}

    assert values(ann) == {"Ann": 1, "Ben": 4}
    assert values(ben) == {"Ann": 0, "Ben": 2}


def test_the_suspended_take_no_rank(member: Any, pay: Pay, database: Database) -> None:
    users = [member(name) for name in ("Ann", "Ben", "Cleo", "Dan")]
    for user, xp in zip(users, (40, 30, 20, 10), strict=True):
        pay(user, "admin_adjustment", xp=xp)
    database.query("UPDATE users SET approved = false WHERE id IN (%s, %s)", users[0].id, users[2].id)
    for period in ("all", "week", "month"):
        shown = board(users[3], limit=1, period=period)
        assert names(shown["entries"]) == ["Ben"]
        assert (shown["me"]["name"], shown["me"]["rank"]) == ("Dan", 2)


def test_whoever_lost_xp_in_a_week_is_behind_those_who_got_none(member: Any, pay: Pay, reverse: Pay) -> None:
    ann, ben = member("Ann"), member("Ben")
    pay(ben, "admin_adjustment", xp=30, days_ago=40, key="long ago")
    reverse(ben, "long ago")
    for period in ("week", "month"):
        shown = board(ben, period=period, limit=1)
        assert [(row["name"], row["value"]) for row in shown["entries"]] == [("Ann", 0)]
        assert (shown["me"]["rank"], shown["me"]["value"]) == (2, -30)
        assert [row["value"] for row in board(ann, period=period)["entries"]] == [0, -30]


PAYMENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(0, 40), st.booleans()), min_size=1, max_size=6
)


def test_boards_show_what_the_ledger_adds_up_to(
    member: Any, pay: Pay, reverse: Pay, database: Database, clock: Clock
) -> None:
    """Kept numbers against counted ones, for callers whose week or month is not that of others yet."""
    clock.freeze()
    clock.set("2031-08-31T23:00:00Z")  # Sunday and August in UTC, Monday and September in Tokyo
    zones = ("UTC", "Asia/Tokyo", "Pacific/Pago_Pago", "Asia/Tokyo")
    users = [member(name, timezone=zone) for name, zone in zip(("Ann", "Ben", "Cleo", "Dan"), zones, strict=True)]

    def counted(caller: User, period: str) -> list[tuple[str, int]]:
        rows = database.query(
            """
            SELECT u.name, coalesce(sum(l.xp) FILTER (WHERE date_trunc(%s, l.local_date::timestamp) = p.begins), 0)::int
                       AS xp
              FROM (SELECT date_trunc(%s, local_day(clock(), %s, 0)::timestamp) AS begins) AS p,
                   users AS u LEFT JOIN points_ledger AS l ON l.user_id = u.id
             WHERE u.id = ANY (%s)
             GROUP BY u.name ORDER BY xp DESC, u.name
            """,
            *(period, period, zones[users.index(caller)], [user.id for user in users]),
        )
        return [(row["name"], row["xp"]) for row in rows]

    @given(PAYMENTS)
    @hypothesis.settings(max_examples=15)
    def check(payments: list[tuple[int, int, int, bool]]) -> None:
        for number, xp, days_ago, undone in payments:
            key = f"payment:{uuid4()}"
            pay(users[number], "admin_adjustment", xp=xp, days_ago=days_ago, key=key)
            if undone:
                reverse(users[number], key)
        for caller, period in product(users[:3], ("week", "month")):
            expected = counted(caller, period)
            for limit in (1, 2, 4):
                shown = board(caller, period=period, limit=limit)
                assert [(row["name"], row["value"]) for row in shown["entries"]] == expected[:limit]
                mine = dict(expected)[shown["me"]["name"]]
                assert shown["me"]["value"] == mine
                assert shown["me"]["rank"] == 1 + sum(value > mine for _, value in expected)
        assert [database.audit(user.id) for user in users] == [[]] * 4

    check()


def test_streaks_are_those_that_stand(member: Any, pay: Pay) -> None:
    ann, ben, cleo, dan = member("Ann"), member("Ben"), member("Cleo"), member("Dan")
    for days_ago in (2, 1, 0):
        pay(ann, days_ago=days_ago)
    for days_ago in (3, 2, 1):
        pay(ben, days_ago=days_ago)
    for days_ago in (5, 4, 3, 2):
        pay(cleo, days_ago=days_ago)
    for period in ("all", "week"):
        shown = board(dan, board="streaks", period=period)
        assert (shown["board"], shown["period"]) == ("streaks", period)
        assert [(row["rank"], row["name"], row["value"]) for row in shown["entries"]] == [
            (1, "Ann", 3),
            (1, "Ben", 3),
            (3, "Cleo", 0),
            (3, "Dan", 0),
        ]
        assert dan.get("/leaderboard/streaks", query={"period": period}).json == shown["entries"]
    for user in (ann, ben, cleo):
        assert board(user, board="streaks")["me"]["value"] == user.get("/progress").json["streak_days"]


def test_anothers_streak_is_counted_in_their_days(member: Any, pay: Pay, database: Database) -> None:
    """Where a day begins later, yesterday is still today: the same last day is one day younger there."""
    for zone, hours in (("Pacific/Pago_Pago", 0), ("Pacific/Kiritimati", 0), ("UTC", 6)):
        ann = member("Ann")
        ben = member("Ben", timezone=zone, day_start_hour=hours)
        for days_ago in (0, 1, 2):
            database.query("DELETE FROM user_streaks WHERE user_id = %s", ben.id)
            database.query(
                "INSERT INTO user_streaks SELECT %s, 'daily_activity', 4, 4, local_day(clock(), %s, %s) - %s::int",
                *(ben.id, zone, hours, days_ago),
            )
            database.query(
                """
                INSERT INTO leaderboard_scores SELECT * FROM recounted_scores WHERE user_id = %s AND board = 'streak'
                ON CONFLICT (user_id, board) DO UPDATE SET first_day = excluded.first_day
                """,
                ben.id,
            )
            seen = {row["name"]: row["value"] for row in board(ann, board="streaks")["entries"]}
            assert seen["Ben"] == (4 if days_ago < 2 else 0), (zone, days_ago)
            assert board(ben, board="streaks")["me"]["value"] == seen["Ben"]
        database.query("DELETE FROM user_streaks WHERE user_id = %s", ben.id)
        database.query("DELETE FROM user_settings WHERE user_id IN (%s, %s)", ann.id, ben.id)
        database.query("DELETE FROM leaderboard_scores WHERE user_id IN (%s, %s)", ann.id, ben.id)
        database.query("UPDATE user_progress SET on_boards = false WHERE user_id IN (%s, %s)", ann.id, ben.id)


@pytest.mark.parametrize(
    ("query", "field"),
    [({"board": "coins"}, "board"), ({"period": "year"}, "period"), ({"limit": 0}, "limit"), ({"limit": 101}, "limit")],
)
def test_bad_queries_are_named(user: User, query: dict[str, object], field: str) -> None:
    user.get("/gamification/leaderboard", query=query).invalid(field)


def test_the_role_behind_the_boards_reads_no_more_than_they_show(database: Database) -> None:
    granted = database.query(
        """
        SELECT table_name || '.' || column_name AS name, privilege_type
          FROM information_schema.column_privileges
         WHERE grantee = 'questlog_board'
           -- It reads shared tracks too, which are not on a board.
           AND table_name NOT IN ('reference_tracks', 'track_annotations', 'user_directory')
        """
    )
    assert {row["privilege_type"] for row in granted} == {"SELECT"}
    assert {row["name"] for row in granted} == {
        *("users.id", "users.name", "users.approved"),
        *("user_settings.user_id", "user_settings.key", "user_settings.value"),
        *("user_progress.user_id", "user_progress.total_xp", "user_progress.current_level"),
        *("leaderboard_scores.user_id", "leaderboard_scores.board", "leaderboard_scores.first_day"),
        *("leaderboard_scores.score", "leaderboard_scores.score_before"),
        *("ledger_days.user_id", "ledger_days.day", "ledger_days.xp"),
        *("habit_pauses.user_id", "habit_pauses.habit_id", "habit_pauses.starts_on", "habit_pauses.ends_on"),
        *("user_purchases.user_id", "user_purchases.item_owner", "user_purchases.item_id", "user_purchases.status"),
        *("user_purchases.uses_remaining", "user_purchases.expires_at"),
        *("market_items.owner_id", "market_items.owner_key", "market_items.id", "market_items.effect_json"),
    }
