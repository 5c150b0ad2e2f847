"""What the table of quests' progress refuses, and what it takes at the limits (core contract, section 6)."""

from tests.conftest import Database, User
from tests.support import factories
from tests.support.soundness import accepted

COMPLETED = "status = 'completed', completed_at = now()"
REFUSED = [
    *(
        f"period_key = '{key}', period_start = '2030-01-01'"
        for key in ("", "2030", "2030-1-1", "2030-W1", "2030-01-01x")
    ),
    "status = 'lost'",
    "progress = -1",
    "undo_count = -1",
    f"xp_awarded = -1, {COMPLETED}",
    f"coins_awarded = -1, {COMPLETED}",
    f"streak_count = -1, {COMPLETED}",
    "quest_id = NULL",
    "universal_quest_id = gen_random_uuid()",
    *(
        f"quest_id = NULL, universal_quest_id = gen_random_uuid(), {kept}"
        for kept in (
            "target = 1, quest_created_at = NULL",
            "target = NULL, quest_created_at = NULL, expires_at = now()",
            "target = NULL, quest_created_at = now()",
        )
    ),
    "period_key = 'once', period_start = '2030-01-01'",
    "period_key = '2030-01-01', period_start = NULL",
    "accepted_at = NULL",
    "status = 'completed'",
    "completed_at = now()",
    "xp_awarded = 1",
    "coins_awarded = 1",
    "streak_count = 1",
]
TAKEN = [
    *(f"period_key = '{key}', period_start = '2030-01-01'" for key in ("2030-01-01", "2030-W01", "2030-01")),
    "period_key = 'once', period_start = NULL",
    "status = 'available', accepted_at = NULL",
    "status = 'abandoned', progress = 9, undo_count = 1",
    f"{COMPLETED}, xp_awarded = 1, coins_awarded = 1, streak_count = 1",
    "xp_awarded = 0, coins_awarded = 0, streak_count = 0",
    "status = 'accepted', accepted_at = now(), completed_at = NULL",
]


def test_progress_is_sound_whoever_writes_it(user: User, database: Database) -> None:
    quest = factories.quest(user, accepted=True)
    [row] = database.query("SELECT id FROM user_quest_progress WHERE quest_id = %s", quest["id"])
    assert accepted(database, "user_quest_progress", row["id"], REFUSED) == []
    assert accepted(database, "user_quest_progress", row["id"], TAKEN) == TAKEN
