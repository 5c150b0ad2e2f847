"""What the ledger's tables refuse by themselves, past the functions that write them: each rule broken once."""

import psycopg
import pytest

from tests.ledger.conftest import Ledger


@pytest.mark.parametrize(
    "damage",
    [
        "points_ledger SET seq = 0",
        "points_ledger SET event_type = ''",
        "points_ledger SET source_type = repeat('x', 65)",
        "points_ledger SET base_xp = 1000001, xp = 1000001",
        "points_ledger SET xp = xp + 1",
        "points_ledger SET coins = 1000000001",
        "points_ledger SET skill_stars = -1",
        "points_ledger SET counters = '[]'",
        "points_ledger SET metadata = '1'",
        "points_ledger SET level_after = 0",
        "points_ledger SET coins_after = -1",
        "points_ledger SET total_xp_after = -1",
        "points_ledger SET streak_after = -1",
        "points_ledger SET idempotency_key = repeat('x', 201)",
        "points_ledger SET idempotency_key = 'reverse:x'",
        "points_ledger SET event_type = 'reversal'",
        "points_ledger SET reverses = gen_random_uuid()",
        "points_ledger SET reason = repeat('x', 1001)",
        "user_progress SET total_xp = -1",
        "user_progress SET current_level = 0",
        "user_progress SET total_skill_stars = -1",
        "user_progress SET active_days = -1",
        "user_progress SET active_days = 0",
        "user_wallet SET coins = -1, total_earned = -1",
        "user_wallet SET coins = coins + 1",
        "user_skills SET xp = -1",
        "user_counters SET value = -1",
        "user_counters SET counter = ''",
    ],
)
def test_no_rule_can_be_broken(ledger: Ledger, damage: str) -> None:
    ledger.award("focus_complete", 60, 12)
    with psycopg.connect(ledger.database.admin_url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(f"UPDATE {damage} WHERE user_id = %s".encode(), [ledger.user_id])
        connection.rollback()
