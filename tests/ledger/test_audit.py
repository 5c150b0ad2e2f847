"""ledger_audit finds every kind of damage. It is planted by the superuser, past the triggers, and taken back."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from tests.ledger.conftest import Ledger, NewLedger

ROW = "(SELECT id FROM points_ledger WHERE user_id = current_user_id() AND idempotency_key = '{}')"


@pytest.fixture
def vandal(ledger: Ledger) -> Iterator[psycopg.Connection[DictRow]]:
    ledger.join_boards()
    ledger.award("focus_complete", 60, 12, counters={"focus_minutes": 60}, skill_stars=1, idempotency_key="first")
    ledger.award("goal_complete", 40, 20, idempotency_key="second")
    ledger.award("goal_complete", 40, 20, idempotency_key="third")
    ledger.spend(5, idempotency_key="purchase")
    ledger.reverse("second")
    assert ledger.problems() == []
    with psycopg.connect(ledger.database.admin_url, row_factory=dict_row) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(ledger.user_id)])
        connection.execute("SET LOCAL session_replication_role = replica")
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    ("damage", "problems"),
    [
        ("UPDATE user_progress SET total_xp = total_xp + 1", {"total_xp", "score"}),
        ("UPDATE user_progress SET current_level = 9", {"current_level"}),
        ("UPDATE user_progress SET total_skill_stars = 0", {"total_skill_stars"}),
        ("UPDATE user_wallet SET coins = coins + 1, total_earned = total_earned + 1", {"coins", "total_earned"}),
        (
            "UPDATE user_wallet SET total_earned = total_earned + 1, total_spent = total_spent + 1",
            {"total_earned", "total_spent"},
        ),
        ("UPDATE user_skills SET xp = xp + 1 WHERE skill_key = 'focus'", {"skill focus"}),
        ("DELETE FROM user_skills WHERE skill_key = 'focus'", {"skill focus", "total_skill_stars"}),
        (
            "INSERT INTO user_skills (user_id, skill_key, xp) VALUES (current_user_id(), 'strength', 1)",
            {"skill strength"},
        ),
        ("UPDATE user_counters SET value = 3 WHERE counter = 'focus_minutes'", {"counter focus_minutes"}),
        ("DELETE FROM user_counters WHERE counter = 'focus_minutes'", {"counter focus_minutes"}),
        (
            "INSERT INTO user_counters (user_id, counter, value) VALUES (current_user_id(), 'pages_read', 1)",
            {"counter pages_read"},
        ),
        ("UPDATE user_progress SET active_days = active_days + 1", {"active_days"}),
        ("UPDATE user_progress SET latest_day = latest_day + 1", {"day"}),
        ("UPDATE user_progress SET on_boards = false", {"score"}),
        ("DELETE FROM leaderboard_scores", {"score"}),
        ("UPDATE ledger_days SET xp = xp + 1", {"day", "score"}),
        *(
            (f"UPDATE ledger_days SET {column} = {column} + 1", {"day"})
            for column in ("coins_earned", "coins_spent", "events", "first_seq", "last_seq")
        ),
        ("DELETE FROM ledger_days", {"day", "score"}),
        *(
            (f"UPDATE leaderboard_scores SET {column} = {column} + 1 WHERE board <> 'all'", {"score"})
            for column in ("first_day", "score", "score_before")
        ),
        ("UPDATE leaderboard_scores SET score = 0 WHERE board = 'all'", {"score"}),
        (
            """
            INSERT INTO ledger_days (user_id, day, xp, coins_earned, coins_spent, events, first_seq, last_seq)
            VALUES (current_user_id(), '2000-01-01', 0, 0, 0, 0, 1, 1)""",
            {"day"},
        ),
        (
            """
            INSERT INTO ledger_blocks (user_id, last_seq, event_type, count)
            VALUES (current_user_id(), 256, 'goal_complete', 1)""",
            {"block"},
        ),
        (
            "UPDATE points_ledger SET local_date = local_date - 1 WHERE idempotency_key = 'third'",
            {"active_days", "day"},
        ),
        ("DELETE FROM user_progress", {"progress", "total_xp", "total_skill_stars", "active_days", "score"}),
        ("DELETE FROM user_wallet", {"coins", "total_earned", "total_spent"}),
        ("UPDATE points_ledger SET coins_after = 1 WHERE idempotency_key = 'third'", {"coins_after"}),
        (
            "UPDATE points_ledger SET total_xp_after = 1 WHERE idempotency_key = 'third'",
            {"total_xp_after", "level_after"},
        ),
        ("UPDATE points_ledger SET level_after = 7 WHERE idempotency_key = 'third'", {"level_after"}),
        ("UPDATE points_ledger SET counters = '{}' WHERE idempotency_key = 'third'", {"counter goals_completed"}),
        ("UPDATE points_ledger SET skill_key = NULL WHERE idempotency_key = 'third'", {"skill discipline"}),
        ("UPDATE points_ledger SET skill_stars = 2 WHERE idempotency_key = 'third'", {"skill discipline"}),
        (
            "UPDATE points_ledger SET base_xp = base_xp - 1, bonus_xp = bonus_xp + 1 WHERE idempotency_key = 'second'",
            {"reversal"},
        ),
        (
            "UPDATE points_ledger SET xp = xp + 1, base_xp = base_xp + 1 WHERE idempotency_key = 'third'",
            {"total_xp", "skill discipline", "total_xp_after", "day"},
        ),
        (
            "UPDATE points_ledger SET coins = coins + 1 WHERE idempotency_key = 'third'",
            {"coins", "total_earned", "coins_after", "day"},
        ),
        (
            "UPDATE points_ledger SET coins = coins - 1 WHERE idempotency_key = 'purchase'",
            {"coins", "total_spent", "coins_after", "day"},
        ),
        (
            "DELETE FROM points_ledger WHERE idempotency_key = 'third'",
            {
                "coins",
                "total_earned",
                "total_xp",
                "skill discipline",
                "counter goals_completed",
                "coins_after",
                "total_xp_after",
                "day",
            },
        ),
        ("UPDATE points_ledger SET reverses = gen_random_uuid() WHERE reverses IS NOT NULL", {"reversal"}),
        (
            "UPDATE points_ledger SET skill_key = 'focus', reverses = "
            + ROW.format("third")
            + " WHERE reverses IS NOT NULL",
            {"reversal", "skill focus", "skill discipline"},
        ),
        (
            """
            UPDATE points_ledger SET reverses = NULL, idempotency_key = 'x', event_type = 'x', xp = 0, base_xp = 0
             WHERE reverses IS NOT NULL""",
            {"total_earned", "total_spent", "total_xp", "total_xp_after", "skill discipline", "day"},
        ),
        ("UPDATE points_ledger SET cause_id = gen_random_uuid() WHERE cause_id IS NOT NULL", {"cause"}),
        (f"UPDATE points_ledger SET cause_id = {ROW.format('third')} WHERE event_type = 'achievement'", {"cause"}),
        ("DELETE FROM user_achievements", {"achievement first_focus"}),
        ("UPDATE user_achievements SET ledger_id = gen_random_uuid()", {"achievement first_focus"}),
        (
            """
            INSERT INTO user_achievements (user_id, achievement_key, ledger_id)
            VALUES (current_user_id(), 'level_5', gen_random_uuid())""",
            {"achievement level_5"},
        ),
        (
            "UPDATE points_ledger SET event_type = 'goal_complete' WHERE event_type = 'achievement'",
            {"achievement first_focus"},
        ),
    ],
)
def test_damage_is_found(ledger: Ledger, vandal: psycopg.Connection[DictRow], damage: str, problems: set[str]) -> None:
    where = " AND user_id = current_user_id()" if " WHERE " in damage else " WHERE user_id = current_user_id()"
    changed = vandal.execute((damage + (where if "INSERT" not in damage else "")).encode()).rowcount
    assert changed >= 1
    found = vandal.execute("SELECT * FROM ledger_audit").fetchall()
    assert {row["user_id"] for row in found} == {ledger.user_id}
    # Of 'row <id>: coins_after' the problem; of 'reversal <id>', 'cause of row <id>', 'day <date>' and others the first
    # word.
    first_words = ("reversal ", "cause ", "day ", "block ", "score ")
    named = {
        p.split(": ")[1] if p.startswith("row ") else p.split(" ")[0] if p.startswith(first_words) else p
        for p in (row["problem"] for row in found)
    }
    assert named == problems
    assert all(row["expected"] != row["actual"] for row in found)


@pytest.mark.parametrize("table", ["user_wallet", "user_streaks", "user_counters", "user_skills", "user_achievements"])
def test_a_table_without_its_progress_row_is_found(vandal: psycopg.Connection[DictRow], table: str) -> None:
    for other in (
        "points_ledger",
        "user_progress",
        "user_wallet",
        "user_streaks",
        "user_counters",
        "user_skills",
        "user_achievements",
    ):
        if other != table:
            vandal.execute(f"DELETE FROM {other} WHERE user_id = current_user_id()".encode())
    problems = {
        r["problem"] for r in vandal.execute("SELECT * FROM ledger_audit WHERE user_id = current_user_id()").fetchall()
    }
    assert "progress" in problems


def test_who_sees_which_problems(ledger: Ledger, new_ledger: NewLedger, vandal: psycopg.Connection[DictRow]) -> None:
    other = new_ledger()
    other.award()
    vandal.execute(
        "UPDATE user_progress SET total_xp = total_xp + 1 WHERE user_id IN (current_user_id(), %s)", [other.user_id]
    )

    def seen(role: str, scope: str = "own") -> set[object]:
        vandal.execute("SELECT set_config('app.scope', %s, true)", [scope])
        vandal.execute(f"SET LOCAL ROLE {role}".encode())
        try:
            return {row["user_id"] for row in vandal.execute("SELECT * FROM ledger_audit").fetchall()}
        finally:
            vandal.execute("SET LOCAL ROLE NONE")

    assert seen("questlog_app") == {ledger.user_id}
    assert seen("questlog_admin") == {ledger.user_id}
    assert seen("questlog_admin", "admin") == {ledger.user_id, other.user_id}
    assert seen("questlog_jobs") == {ledger.user_id, other.user_id}
