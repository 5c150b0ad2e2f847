"""What the table of habits refuses, and what it takes at the limits (core contract, section 4; beyond 1)."""

from tests.conftest import Database, User
from tests.support import factories
from tests.support.soundness import accepted

REFUSED = [
    "kind = 'count'",
    "kind = 'amount'",
    "kind = 'amount', target_amount = 0",
    "direction = 'at_most'",
    "direction = 'none', kind = 'amount', target_amount = 1",
    "period = 'week', cadence = 'week'",
    "period = 'year', cadence = 'year', kind = 'amount', target_amount = 1",
    "target_amount = 1",
    "target_amount = -1, kind = 'amount', direction = 'at_most'",
    "target_amount = 1000000000.001, kind = 'amount'",
    "name = ''",
    "name = repeat('x', 121)",
    "description = ''",
    "description = repeat('x', 2001)",
    "frequency = 'yearly', cadence = 'yearly'",
    "frequency = 'weekly', cadence = 'weekly', target_count = 8",
    # What the streak counts in follows from these, also of a limit.
    "cadence = 'weekly'",
    "frequency = 'weekly', target_count = 7",
    "frequency = 'custom'",
    "kind = 'amount', target_amount = 1, period = 'month'",
    "kind = 'amount', target_amount = 1, direction = 'at_most', frequency = 'weekly', cadence = 'weekly'",
    "target_count = 0",
    "target_count = 101",
    *(f"custom_days = '{days}'" for days in ("{}", "{7}", "{-1}", "{12}", "{1,1}", "{2,1}", "{1,NULL}", "{{1,2}}")),
    "custom_days = '[0:1]={1,2}'",
    "icon = ''",
    "icon = repeat('x', 17)",
    "color = '#12345'",
    "color = '#12345g'",
    "category = ''",
    "category = repeat('x', 41)",
    "xp_reward = -1",
    "xp_reward = 51",
    "coin_reward = -1",
    "coin_reward = 26",
    "reminder_time = '24:00'",
    "reminder_time = '9:00'",
    "unit = ''",
    "unit = repeat('x', 21)",
    "amount_step = 0",
    "amount_step = 1000000000.001",
    "\"group\" = ''",
    "\"group\" = repeat('x', 41)",
    "longest_before = -1",
    "streak = -1, streak_through = '2030-01-01'",
    "streak = 1, longest_streak = 1",
    "streak = 2, longest_streak = 1, streak_through = '2030-01-01'",
    "import_key = ''",
    "import_key = repeat('x', 321)",
    "import_digest = decode(repeat('00', 16), 'hex')",
    "import_key = 'k', import_digest = decode(repeat('00', 15), 'hex')",
]
TAKEN = [
    "name = repeat('x', 120), description = repeat('x', 2000), icon = repeat('x', 16), category = repeat('x', 40)",
    "color = '#12aBcF', reminder_time = '23:59', unit = repeat('x', 20), \"group\" = repeat('x', 40)",
    'description = NULL, icon = NULL, color = NULL, reminder_time = NULL, unit = NULL, "group" = NULL',
    "target_count = 100, xp_reward = 50, coin_reward = 25, amount_step = 1000000000",
    "frequency = 'weekly', cadence = 'weekly', target_count = 7",
    *(f"custom_days = '{days}'" for days in ("{0}", "{6}", "{0,6}", "{0,1,2,3,4,5,6}")),
    "kind = 'amount', target_amount = 1000000000, period = 'month', cadence = 'month'",
    "target_amount = 0, direction = 'at_most', period = 'week', cadence = 'week'",
    "period = 'day', cadence = 'daily'",
    "frequency = 'custom', cadence = 'custom'",
    "streak = 1, longest_streak = 1, streak_through = '2030-01-01', longest_before = 9",
    "import_key = repeat('x', 320), import_digest = decode(repeat('00', 16), 'hex')",
]


def test_a_habit_is_sound_whoever_writes_it(user: User, database: Database) -> None:
    habit = factories.habit(user)
    assert accepted(database, "habits", habit["id"], REFUSED) == []
    assert accepted(database, "habits", habit["id"], TAKEN) == TAKEN


COMPLETION_REFUSED = [
    "ordinal = 0",
    "ordinal = 102",
    "target = 0",
    "target = 101",
    "week_target = 0",
    "week_target = 8",
    "amount = 1",
    "amount_target = 1",
    "amount = -1000000000.001, amount_target = 1",
    "amount = 1000000000.001, amount_target = 1",
    "amount = 1, amount_target = -0.001",
    "amount = 1, amount_target = 1000000000.001",
    "notes = ''",
    "notes = repeat('x', 2001)",
    "ledger_key = repeat('x', 201)",
    "reversals = -1",
]
COMPLETION_TAKEN = [
    "ordinal = 101, target = 100, week_target = 7",
    "ordinal = 1, target = 1, week_target = 1",
    "week_target = NULL, ledger_key = repeat('x', 200), notes = repeat('x', 2000), reversals = 1",
    "notes = NULL, ledger_key = NULL, reversals = 0",
    "amount = -1000000000, amount_target = 0",
    "amount = 1000000000, amount_target = 1000000000",
    "amount = NULL, amount_target = NULL",
]


def test_a_completion_is_sound_whoever_writes_it(user: User, database: Database) -> None:
    completion = user.post(f"/habits/{factories.habit(user)['id']}/complete").data["completion_id"]
    assert accepted(database, "habit_completions", completion, COMPLETION_REFUSED) == []
    assert accepted(database, "habit_completions", completion, COMPLETION_TAKEN) == COMPLETION_TAKEN
