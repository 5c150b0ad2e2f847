"""The quests that are accepted, completed or abandoned in their present periods, against a model of each quest."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.support.factories import quest as added

STATUSES: Final = ("accepted", "completed", "abandoned")
FREQUENCIES: Final = (None, "daily", "weekly", "monthly")
# Noon of a Saturday: the second day after it is in another week.
BEGIN: Final = "2031-05-10T12:00:00Z"


def listed(user: User, status: str) -> list[str]:
    """The ids of the quests of a status, which are the same on one page and on many."""
    whole = user.get("/quests", query={"status": status, "page_size": 100}).data
    assert whole["total"] == len(whole["quests"])
    assert {quest["status"] for quest in whole["quests"]} <= {status}
    pages = [
        user.get("/quests", query={"status": status, "kind": "user", "page": 1 + start // 2, "page_size": 2}).data
        for start in range(0, whole["total"] + 1, 2)
    ]
    assert [quest for page in pages for quest in page["quests"]] == whole["quests"]
    assert {page["total"] for page in pages} == {whole["total"]}
    return [quest["id"] for quest in whole["quests"]]


def counts(user: User) -> tuple[int, ...]:
    """How many quests are accepted, completed and abandoned."""
    return tuple(len(listed(user, status)) for status in STATUSES)


def test_a_quest_is_listed_in_the_periods_that_it_has_now(user: User, clock: Clock) -> None:
    clock.set(BEGIN)
    path = f"/quests/{added(user)['id']}"
    user.post(f"{path}/complete")
    assert counts(user) == (0, 1, 0)
    user.patch(path, {"is_repeatable": True, "repeat_frequency": "weekly"})
    assert counts(user) == (0, 0, 0)
    user.post(f"{path}/accept")
    assert counts(user) == (1, 0, 0)
    user.patch(path, {"repeat_frequency": "daily"})
    assert counts(user) == (0, 0, 0)
    user.post(f"{path}/abandon")
    assert counts(user) == (0, 0, 1)
    user.patch(path, {"repeat_frequency": "weekly"})
    assert counts(user) == (1, 0, 0)
    user.patch(path, {"is_repeatable": False})
    assert counts(user) == (0, 1, 0)
    user.patch(path, {"is_repeatable": True, "repeat_frequency": "weekly"})
    clock.advance("2 days")
    assert counts(user) == (0, 0, 0)


def test_a_quest_is_listed_in_the_days_that_its_user_travels_to(user: User, clock: Clock) -> None:
    """Its rows of the days before and after are kept right when it is changed."""

    def travel(zone: str, day_start: int) -> None:
        assert user.put("/user/settings", {"timezone": zone, "day_start_hour": day_start}).status == 200

    clock.set(BEGIN)
    path = f"/quests/{added(user, is_repeatable=True)['id']}"
    travel("Pacific/Kiritimati", 0)
    assert user.post(f"{path}/complete").data["quest"]["period_key"] == "2031-05-11"
    travel("Pacific/Pago_Pago", 6)
    assert user.post(f"{path}/accept").data["period_key"] == "2031-05-09"
    assert counts(user) == (1, 0, 0)
    user.patch(path, {"repeat_frequency": "monthly"})
    assert counts(user) == (0, 0, 0)
    travel("Pacific/Kiritimati", 0)
    assert counts(user) == (0, 0, 0)
    user.patch(path, {"repeat_frequency": "daily"})
    assert counts(user) == (0, 1, 0)
    travel("Pacific/Pago_Pago", 6)
    assert counts(user) == (1, 0, 0)


def test_a_quest_that_is_reopened_is_accepted_again(user: User) -> None:
    quests = [added(user, title=title)["id"] for title in "abc"]
    for quest in quests:
        user.post(f"/quests/{quest}/complete")
    user.post(f"/quests/{quests[1]}/reopen")
    assert listed(user, "accepted") == [quests[1]]
    assert listed(user, "completed") == [quests[2], quests[0]]
    user.post(f"/quests/{quests[1]}/complete")
    assert listed(user, "accepted") == []
    assert listed(user, "completed") == quests[::-1]


def test_a_quest_that_has_expired_is_not_accepted_any_more(user: User, clock: Clock) -> None:
    """What was completed or abandoned before stays so."""
    clock.set(BEGIN)
    accepted, completed, abandoned = (added(user, expires_at="2031-05-10T13:00:00Z")["id"] for _ in range(3))
    user.post(f"/quests/{accepted}/accept")
    user.post(f"/quests/{completed}/complete")
    user.post(f"/quests/{abandoned}/abandon")
    assert counts(user) == (1, 1, 1)
    clock.advance("2 hours")
    assert counts(user) == (0, 1, 1)
    user.post(f"/quests/{completed}/reopen")
    assert counts(user) == (0, 0, 1)
    for quest in (accepted, completed, abandoned):
        user.patch(f"/quests/{quest}", {"expires_at": None})
    assert counts(user) == (2, 0, 1)


@pytest.mark.parametrize(
    ("move", "status"), [("accept", "accepted"), ("complete", "completed"), ("abandon", "abandoned")]
)
def test_a_quest_that_is_deleted_is_listed_no_more(user: User, move: str, status: str) -> None:
    kept, deleted = (added(user, title=title)["id"] for title in "ab")
    for quest in (kept, deleted):
        user.post(f"/quests/{quest}/{move}")
    assert listed(user, status) == [deleted, kept]
    user.delete(f"/quests/{deleted}")
    assert listed(user, status) == [kept]


def test_quests_of_one_moment_are_listed_by_their_ids(user: User, database: Database) -> None:
    """As those of an import are, in each of the present periods."""
    made = [added(user, title=str(n), is_repeatable=n % 2 == 0)["id"] for n in range(6)]
    database.query("UPDATE quests SET created_at = '2031-05-01T12:00:00Z' WHERE user_id = %s", user.id)
    for quest in made:
        user.post(f"/quests/{quest}/abandon")
    assert listed(user, "abandoned") == sorted(made)


# Any moves ---------------------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Modelled:
    """A quest as the contract has it (rules 2 to 5, 8 and 13), by what was done with it."""

    id: str
    frequency: str | None = None
    expires_after: date | None = None
    rows: dict[str, str] = field(default_factory=dict)
    completed_on: dict[str, date] = field(default_factory=dict)

    def period(self, today: date) -> str:
        """The key of its present period."""
        match self.frequency:
            case "daily":
                return today.isoformat()
            case "weekly":
                return f"{today:%G-W%V}"
            case "monthly":
                return f"{today:%Y-%m}"
        return "once"

    def status(self, today: date) -> str:
        """What is shown of it."""
        status = self.rows.get(self.period(today), "available")
        is_over = self.expires_after is not None and self.expires_after < today
        return "expired" if is_over and status in ("available", "accepted") else status

    def move(self, name: str, today: date) -> None:
        """Change its status where the contract allows it."""
        period, status = self.period(today), self.status(today)
        is_over = self.expires_after is not None and self.expires_after < today
        if name == "accept" and (status == "available" or (status == "abandoned" and not is_over)):
            self.rows[period] = "accepted"
        elif name == "abandon" and status in ("available", "accepted"):
            self.rows[period] = "abandoned"
        elif name == "complete" and status in ("available", "accepted"):
            self.rows[period] = "completed"
            self.completed_on[period] = today
        elif name == "reopen" and status == "completed" and self.completed_on[period] == today:
            self.rows[period] = "accepted"


MOVES: Final = st.sampled_from(["accept", "abandon", "complete", "complete", "reopen"])
CHANGES: Final = st.one_of(
    st.tuples(st.just("move"), MOVES),
    st.tuples(st.just("repeat"), st.sampled_from(FREQUENCIES)),
    st.tuples(st.sampled_from(["expire", "revive", "delete", "a day later"]), st.none()),
)


@settings(max_examples=25)
@given(
    frequencies=st.lists(st.sampled_from(FREQUENCIES), min_size=3, max_size=5),
    steps=st.lists(st.tuples(CHANGES, st.integers(0, 4)), max_size=20),
)
def test_lists_after_any_moves(
    new_user: NewUser,
    clock: Clock,
    database: Database,
    frequencies: list[str | None],
    steps: list[tuple[tuple[str, Any], int]],
) -> None:
    user = new_user()
    clock.set(BEGIN)
    today = date.fromisoformat(BEGIN[:10])
    quests = []
    for frequency in frequencies:
        made = added(user, is_repeatable=frequency is not None, repeat_frequency=frequency)
        quests.append(Modelled(id=made["id"], frequency=frequency))
    for (step, what), place in steps:
        quest = quests[place % len(quests)]
        path = f"/quests/{quest.id}"
        match step:
            case "move":
                user.post(f"{path}/{what}")
                quest.move(what, today)
            case "repeat":
                user.patch(path, {"is_repeatable": what is not None, "repeat_frequency": what})
                quest.frequency = what
            case "expire":
                assert user.patch(path, {"expires_at": f"{today}T20:00:00Z"}).status == 200
                quest.expires_after = today
            case "revive":
                user.patch(path, {"expires_at": None})
                quest.expires_after = None
            case "delete" if len(quests) > 1:
                user.delete(path)
                quests.remove(quest)
            case "a day later":
                clock.advance("1 day")
                today += timedelta(days=1)
    for status in STATUSES:
        assert listed(user, status) == [quest.id for quest in reversed(quests) if quest.status(today) == status]
    assert database.audit(user.id) == []
