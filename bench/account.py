"""An account as someone has it who uses everything: what the figures of a usual request are measured on."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bench.stage import Stage
from tests.support import factories
from tests.support.client import Answer

HABITS: Final = 100
GOALS: Final = 50
MILESTONES: Final = 10
QUESTS: Final = 100
SERIES: Final = 50
PAST_SESSIONS: Final = 20
# A habit's completion is paid for the first 20 of a day, so an account can show so many paid ones.
PAID_HABITS: Final = 20

# Seven of ten habits are daily.
_HABIT_KINDS: Final[tuple[dict[str, Any], ...]] = (
    *({},) * 7,
    {"frequency": "weekly", "target_count": 3},
    {"frequency": "custom", "custom_days": [1, 3, 5]},
    {"target_count": 3},
)
_QUEST_KINDS: Final[tuple[dict[str, Any], ...]] = (
    {"is_repeatable": True, "repeat_frequency": "daily"},
    {"is_repeatable": True, "repeat_frequency": "weekly", "target": 5},
    {},
    {"target": 5},
)
_RULES: Final = ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE", "FREQ=WEEKLY;BYDAY=TU,TH", "FREQ=WEEKLY;BYDAY=FR")


class Account:
    """A new user with 100 habits, 50 goals of 10 milestones, 100 quests, 50 calendar series and a day's plan.

    Everything is made through the routes. The methods are requests that change something; each finds something to
    change for as often as the constants above say.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.user = stage.new_user()
        self._session = ""
        self._habits = self._with_habits()
        self._add_goals()
        self._add_quests()
        self._add_series()
        for _ in range(PAST_SESSIONS):
            self.start_focus()
            self.let_focus_run()
            self.complete_focus()
        factories.daily_plan(self.user)

    def start_focus(self) -> Answer:
        """Start a session of the customary 25 minutes."""
        answer = self.user.post("/focus", {"task_title": "Write", "tags": ["deep"]})
        self._session = answer.data["id"]
        return answer

    def let_focus_run(self) -> None:
        """Have the session that was started last run to a minute before its end.

        Later, a request would find it completed by its timer. The session is moved and not the clock, because a clock
        that can be moved costs more than the one that is measured here.
        """
        self._stage.query(
            """
            UPDATE focus_sessions
               SET started_at = started_at - interval '24 min', ends_at = ends_at - interval '24 min'
             WHERE user_id = %s AND id = %s
            """,
            *(self.user.id, self._session),
        )

    def complete_focus(self) -> Answer:
        """Complete the session that was started last; it has run, and is paid in full."""
        return _paid(self.user.post(f"/focus/{self._session}/complete"))

    def complete_habit(self) -> Answer:
        """Complete a habit that is not done today; it is paid."""
        return _paid(self.user.post(f"/habits/{self._habits.pop()}/complete"))

    def _with_habits(self) -> list[str]:
        """Add the habits; the ids of those that one completion a day makes done."""
        daily = []
        for n in range(HABITS):
            kind = _HABIT_KINDS[n % len(_HABIT_KINDS)]
            added = factories.habit(self.user, name=f"Habit {n}", description="After breakfast.", **kind)
            if not kind:
                daily.append(added["id"])
        return daily

    def _add_goals(self) -> None:
        """Add the goals; half of the milestones of every second one are completed."""
        titles = [f"Milestone {m}" for m in range(MILESTONES)]
        for n in range(GOALS):
            goal = factories.goal(self.user, *titles, title=f"Goal {n}", description="Why it matters.", priority=n)
            for milestone in goal["milestones"][: MILESTONES // 2 if n % 2 else 0]:
                assert self.user.post(f"/goals/milestones/{milestone['id']}/complete").status == 200

    def _add_quests(self) -> None:
        """Add the quests; every third one is accepted."""
        for n in range(QUESTS):
            factories.quest(self.user, accepted=n % 3 == 0, title=f"Quest {n}", **_QUEST_KINDS[n % len(_QUEST_KINDS)])

    def _add_series(self) -> None:
        """Add series that began eight weeks ago."""
        first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(weeks=8)
        for n in range(SERIES):
            start = first.replace(hour=6 + n % 14)
            factories.event(
                self.user,
                title=f"Event {n}",
                start_time=start.isoformat(),
                end_time=(start + timedelta(minutes=45)).isoformat(),
                recurrence_rule=_RULES[n % len(_RULES)],
            )


def _paid(answer: Answer) -> Answer:
    """The answer, which must tell of XP: an unpaid completion is cheaper, and its cost would be another figure."""
    assert answer.data["xp_awarded"] > 0, answer.text
    return answer
