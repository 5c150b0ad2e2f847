"""Anything one user can do, in any order, against the model."""

from functools import partial
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.ledger.conftest import Ledger, NewLedger, refused
from tests.ledger.model import Definitions, Insufficient, Mismatch, Model, NotReversible

KEYS = st.integers(0, 30).map(lambda n: f"machine:{n}")
AMOUNTS = st.sampled_from([0, 0, 1, 9, 10, 11, 50, 99, 100, 282, 5000, 1_000_000])
COUNTERS = st.dictionaries(
    st.sampled_from(["focus_minutes", "pages_read", "habits_completed", "books_completed"]),
    st.integers(0, 20),
    max_size=3,
)
METADATA = st.sampled_from(
    [{}, {"duration_seconds": 3599}, {"duration_seconds": 3600}, {"habit_streak": 7}, {"habit_streak": "7"}]
)


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self, new_ledger: NewLedger, definitions: Definitions) -> None:
        super().__init__()
        self.new_ledger = new_ledger
        self.definitions = definitions
        self.calls: list[dict[str, Any]] = []

    @initialize()
    def begin(self) -> None:
        self.ledger: Ledger = self.new_ledger()
        self.ledger.join_boards()
        self.model = Model(self.definitions, self.ledger.today)

    def _same(self, actual: Any, expected: dict[str, Any]) -> None:
        shown = {name: actual[name] for name in expected}
        shown["achievements"] = {achievement["key"] for achievement in actual["achievements"]}
        assert shown == expected

    def _award(self, call: dict[str, Any]) -> None:
        sent = {"idempotency_key" if name == "key" else name: value for name, value in call.items()}
        sent |= {"skill_key": sent.pop("skill"), "skill_stars": sent.pop("stars")}
        sent["day"] = self.ledger.day(sent.pop("back"))
        expected = {**call, "day": self.ledger.day(call["back"])}
        expected.pop("back")
        try:
            result = self.model.award(**expected)
        except Mismatch:
            with refused(422, "idempotency_mismatch"):
                self.ledger.award(**sent)
        else:
            self._same(self.ledger.award(**sent), result)

    @rule(
        event_type=st.sampled_from(
            [
                *(
                    "focus_complete",
                    "focus_partial",
                    "break_complete",
                    "habit_complete",
                    "quest_complete",
                    "goal_complete",
                ),
                *("workout_complete", "personal_record", "reading_session", "book_complete", "lesson_complete"),
                "admin_adjustment",
            ]
        ),
        xp=AMOUNTS,
        coins=AMOUNTS,
        key=KEYS,
        skill=st.sampled_from([None, None, "creativity", "knowledge"]),
        stars=st.sampled_from([0, 0, 1, 7]),
        counters=COUNTERS,
        metadata=METADATA,
        back=st.integers(0, 9),
    )
    def award(self, **call: Any) -> None:
        self.calls.append(call)
        self._award(call)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def award_again(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.calls))
        # Only what is compared makes it another call; counters, metadata and day may differ.
        self._award({**call, "counters": {}, "metadata": {"again": True}, "back": 0})

    @rule(coins=st.sampled_from([1, 5, 60, 5000, 1_000_000]), key=KEYS)
    def spend(self, coins: int, key: str) -> None:
        try:
            result = self.model.spend(coins, key)
        except Mismatch:
            with refused(422, "idempotency_mismatch"):
                self.ledger.spend(coins, idempotency_key=key)
        except Insufficient:
            with refused(409, "insufficient_coins") as told:
                self.ledger.spend(coins, idempotency_key=key)
            assert told.details == {"need": coins, "have": self.model.coins}
        else:
            self._same(self.ledger.spend(coins, idempotency_key=key), result)

    @precondition(lambda self: self.model.entries)
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.entries)))
        try:
            result = self.model.reverse(key)
        except NotReversible:
            with refused(409, "not_reversible"):
                self.ledger.reverse(key)
        except Insufficient:
            with refused(409, "insufficient_coins"):
                self.ledger.reverse(key)
        else:
            self._same(self.ledger.reverse(key), result)

    @rule(factor=st.sampled_from([2, 3]))
    def start_boost(self, factor: int) -> None:
        self.stop_boost()
        self.ledger.boost(factor)
        self.model.factor = factor

    @rule()
    def stop_boost(self) -> None:
        self.ledger.database.query("DELETE FROM user_effects WHERE user_id = %s", self.ledger.user_id)
        self.model.factor = None

    @invariant()
    def adds_up(self) -> None:
        shown = self.ledger.row(
            """
            SELECT coalesce(sum(p.total_xp), 0)::bigint AS total_xp, coalesce(max(p.current_level), 1) AS level,
                   coalesce(sum(p.total_skill_stars), 0)::bigint AS stars,
                   coalesce(sum(p.active_days), 0)::bigint AS active_days,
                   (SELECT coalesce(sum(coins), 0)::bigint FROM user_wallet) AS coins,
                   (SELECT coalesce(sum(total_spent), 0)::bigint FROM user_wallet) AS spent,
                   (SELECT coalesce(jsonb_object_agg(skill_key, xp), '{}') FROM user_skills WHERE xp <> 0) AS skills,
                   (SELECT coalesce(jsonb_object_agg(counter, value), '{}') FROM user_counters WHERE value <> 0)
                       AS counters,
                   ARRAY(SELECT achievement_key FROM user_achievements ORDER BY 1) AS achievements,
                   ARRAY(SELECT (streak_type, current_streak, longest_streak, last_activity_date)::text
                           FROM user_streaks ORDER BY streak_type) AS streaks,
                   effective_streak() AS streak,
                   (SELECT count(*) FROM points_ledger) AS entries
              FROM user_progress AS p
            """
        )
        model = self.model
        assert shown == {
            "total_xp": model.total_xp,
            "level": model.level,
            "stars": sum(xp // 10 for xp in model.skills.values()),
            "active_days": len(model.active_days),
            "coins": model.coins,
            "spent": model.spent,
            "skills": model.skills,
            "counters": model.counters,
            "achievements": sorted(model.achievements),
            "streaks": [f"({t},{c},{m},{last})" for t, (c, m, last) in sorted(model.streaks.items())],
            "streak": model.streak,
            "entries": len(model.entries),
        }

    def teardown(self) -> None:
        assert self.ledger.problems() == []
        self.ledger.connection.close()


def test_any_history_agrees_with_the_model(new_ledger: NewLedger, definitions: Definitions) -> None:
    run_state_machine_as_test(
        partial(LedgerMachine, new_ledger, definitions),  # type: ignore[arg-type] # any factory will do
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
