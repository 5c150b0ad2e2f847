"""What was done of late is added up from blocks of 256 rows, and is the same as the rows themselves say."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from tests.ledger.conftest import Ledger, NewLedger

BLOCK = 256
NOW = datetime.now(UTC)
# Of different lengths, so that no two blocks hold the same.
KINDS = ("focus_complete", "focus_complete", "quest_complete", "focus_complete", "lesson_complete")


def row(number: int, rows: int) -> dict[str, Any]:
    """The row with a number, a minute after the one before it; the last one is a minute old."""
    kind = "habit_complete" if number <= 300 and number % 3 == 0 else KINDS[number % 5]
    at = NOW - timedelta(minutes=rows - number + 1)
    return {
        "id": str(uuid4()),
        "event_type": kind,
        "source_type": "test",
        **dict.fromkeys(("base_xp", "bonus_xp", "xp", "coins", "coins_after", "total_xp_after"), 0),
        "level_after": 1,
        "idempotency_key": f"row {number}",
        "local_date": at.date().isoformat(),
        "created_at": at.isoformat(),
    }


def bring(new_ledger: NewLedger, rows: int) -> Ledger:
    """A new account with so many rows, in blocks as an import makes them; seen by its user."""
    importer = new_ledger(of=new_ledger(), role="questlog_jobs")
    importer.rows("SELECT import_ledger(%s)", Jsonb([row(number, rows) for number in range(1, rows + 1)]))
    return new_ledger(of=importer)


def counted(ledger: Ledger, since: datetime) -> dict[str, int]:
    """What activity_counts() says."""
    return {found["event_type"]: found["count"] for found in ledger.rows("SELECT * FROM activity_counts(%s)", since)}


def expected(entries: list[DictRow], since: datetime) -> dict[str, int]:
    """The rows since then, one by one: without those that were taken back, and without what takes back."""
    late = [entry for entry in entries if entry["created_at"] >= since]
    taken_back = {entry["reverses"] for entry in late}
    return dict(Counter(e["event_type"] for e in late if e["reverses"] is None and e["id"] not in taken_back))


def without_reversals(counts: dict[str, int]) -> dict[str, int]:
    return {kind: count for kind, count in counts.items() if kind != "reversal"}


@pytest.mark.parametrize("rows", [255, 256, 600])
def test_the_rows_since_an_instant_are_counted(new_ledger: NewLedger, rows: int) -> None:
    ledger = bring(new_ledger, rows)
    entries = ledger.entries()
    # The first row of all, the last row of a block and those beside it, and some behind the last block.
    for number in (1, 2, 255, 256, 257, 512, 513, 600):
        if number <= rows:
            since = entries[number - 1]["created_at"]
            assert counted(ledger, since) == expected(entries, since), number
            later = since + timedelta(seconds=1)
            assert counted(ledger, later) == expected(entries, later), number
    assert counted(ledger, NOW) == {}
    assert ledger.problems() == []


def test_awards_end_a_block(new_ledger: NewLedger) -> None:
    ledger = bring(new_ledger, 2 * BLOCK - 4)
    since = ledger.entries()[200]["created_at"]
    kept = "SELECT last_seq, sum(count) AS count FROM ledger_blocks GROUP BY last_seq ORDER BY last_seq"
    first = {"last_seq": BLOCK, "count": BLOCK}
    # Two rows that are taken back: one before the instant from which is counted, and one after it.
    for number in (150, 300):
        ledger.reverse(f"row {number}")
        assert ledger.rows(kept) == [first]
        assert without_reversals(counted(ledger, since)) == expected(ledger.entries(), since)
    ledger.award("goal_complete", 0, 0)
    assert ledger.rows(kept) == [first]
    ledger.award("goal_complete", 0, 0)
    assert ledger.rows(kept) == [first, {"last_seq": 2 * BLOCK, "count": BLOCK}]
    assert without_reversals(counted(ledger, since)) == expected(ledger.entries(), since)
    ledger.award("goal_complete", 0, 0)
    assert without_reversals(counted(ledger, since)) == expected(ledger.entries(), since)
    assert expected(ledger.entries(), since)["goal_complete"] == 3
    assert ledger.problems() == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE ledger_blocks SET count = count + 1 WHERE user_id = %s",
        "UPDATE ledger_blocks SET last_seq = last_seq + 256 WHERE user_id = %s",
        "DELETE FROM ledger_blocks WHERE user_id = %s",
    ],
)
def test_a_block_that_is_wrong_is_found(new_ledger: NewLedger, damage: str) -> None:
    ledger = bring(new_ledger, BLOCK)
    assert ledger.problems() == []
    ledger.database.query(damage, ledger.user_id)
    assert {problem["problem"].split(" ")[0] for problem in ledger.problems()} == {"block"}
    ledger.database.query("DELETE FROM users WHERE id = %s", ledger.user_id)
