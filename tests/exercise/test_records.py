"""Personal records: what makes one, and that they are what replaying the sets would make (training contract, 1.5)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.exercise.training import (
    BENCH,
    PLANK,
    SQUAT,
    best,
    complete,
    counted_weeks,
    exercise,
    kept_weeks,
    log,
    records,
    start,
    trained,
)

RANK = ("max_weight", "est_1rm", "max_volume", "max_reps", "max_distance", "max_duration")
UNITS = dict(zip(RANK, ("kg", "kg", "kg_reps", "reps", "m", "seconds"), strict=True))


def cents(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.01"), ROUND_HALF_UP)


def values(logged: dict[str, Any]) -> dict[str, Decimal]:
    """What a working set can be a record in, as the contract says it."""
    reps, seconds, metres = (logged.get(name) or 0 for name in ("reps", "duration_seconds", "distance_m"))
    if logged.get("is_warmup") or not (reps or seconds or metres):
        return {}
    weight = cents(Decimal(str(logged.get("weight_kg") or 0)))
    found: dict[str, Decimal] = {}
    if weight != 0 and reps >= 1:
        found["max_weight"] = weight
    if weight > 0 and 1 <= reps <= 12:
        found["est_1rm"] = weight if reps == 1 else cents(weight * (30 + reps) / 30)
    if weight > 0 and reps >= 1:
        found["max_volume"] = weight * reps
    if weight == 0 and reps >= 1:
        found["max_reps"] = Decimal(reps)
    if metres > 0:
        found["max_distance"] = Decimal(str(metres))
    if seconds >= 1:
        found["max_duration"] = Decimal(seconds)
    return found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"reps": 5, "weight_kg": 100}, {"max_weight": 100, "est_1rm": 116.67, "max_volume": 500}),
        ({"reps": 1, "weight_kg": 100}, {"max_weight": 100, "est_1rm": 100, "max_volume": 100}),
        ({"reps": 12, "weight_kg": 29.484}, {"max_weight": 29.48, "est_1rm": 41.27, "max_volume": 353.76}),
        ({"reps": 13, "weight_kg": 50}, {"max_weight": 50, "max_volume": 650}),
        ({"reps": 8, "weight_kg": -25}, {"max_weight": -25}),
        ({"reps": 8}, {"max_reps": 8}),
        ({"reps": 8, "weight_kg": 0}, {"max_reps": 8}),
        ({"distance_m": 400.5, "duration_seconds": 90}, {"max_distance": 400.5, "max_duration": 90}),
        ({"reps": 0, "weight_kg": 100}, {}),
        ({"reps": 8, "weight_kg": 60, "is_warmup": True}, {}),
        ({"duration_seconds": 0}, {}),
    ],
)
def test_what_a_set_is_a_record_in(user: User, fields: dict[str, Any], expected: dict[str, float]) -> None:
    start(user)
    logged = log(user, **fields)
    assert [record["record_type"] for record in logged["records"]] == [kind for kind in RANK if kind in expected]
    assert {record["record_type"]: record["value"] for record in logged["records"]} == expected
    assert logged["is_personal_record"] is bool(expected)
    assert logged["record_type"] == next((kind for kind in RANK if kind in expected), None)
    for record in logged["records"]:
        assert record["unit"] == UNITS[record["record_type"]]
        assert (record["previous_value"], record["is_current"]) == (None, True)
        assert (record["set_id"], record["session_id"]) == (logged["set_id"], logged["session_id"])
        assert (record["reps"], record["weight_kg"]) == (logged["set"]["reps"], logged["set"]["weight_kg"])


def test_only_more_is_a_record(user: User) -> None:
    start(user)
    log(user, reps=5, weight_kg=100)
    assert log(user, reps=5, weight_kg=100)["records"] == []
    beaten = log(user, reps=6, weight_kg=100)["records"]
    assert [(one["record_type"], one["previous_value"], one["value"]) for one in beaten] == [
        ("est_1rm", 116.67, 120),
        ("max_volume", 500, 600),
    ]
    assert log(user, BENCH, reps=5, weight_kg=1)["records"][0]["previous_value"] is None
    assert log(user, PLANK, reps=5, weight_kg=-40)["is_personal_record"]
    assert log(user, PLANK, reps=5, weight_kg=-25)["is_personal_record"]
    assert not log(user, PLANK, reps=5, weight_kg=-25.004)["is_personal_record"]


def test_lists(user: User, clock: Clock) -> None:
    trained(user, {"reps": 5, "weight_kg": 100}, {"exercise_id": PLANK, "duration_seconds": 60})
    clock.advance("P1D")
    trained(user, {"reps": 5, "weight_kg": 110})
    assert len(records(user)) == 4
    assert len(records(user, history="true")) == 7
    moments = [one["achieved_at"] for one in records(user, history="true")]
    assert moments == sorted(moments, reverse=True)
    assert {one["record_type"] for one in records(user, exercise_id=PLANK)} == {"max_duration"}
    assert [one["value"] for one in records(user, record_type="max_weight", history="true")] == [110, 100]
    data = user.get("/exercise/records", query={"page": 2, "page_size": 3}).data
    assert (len(data["records"]), data["total"], data["page"], data["page_size"]) == (1, 4, 2, 3)
    for query in ({"record_type": "x"}, {"exercise_id": "x"}, {"history": "yes"}, {"page_size": 101}):
        user.get("/exercise/records", query=query).invalid(*query)


def test_someone_elses_records_are_not_there(user: User, other: User) -> None:
    trained(other)
    assert records(user, history="true") == []
    start(user)
    assert log(user, reps=1, weight_kg=1)["is_personal_record"]


def test_the_history_of_an_exercise(user: User, clock: Clock) -> None:
    first = trained(user, {"reps": 8, "weight_kg": 60, "is_warmup": True}, {"reps": 5, "weight_kg": 100}, {})["session"]
    clock.advance("P1D")
    second = trained(user, {"reps": 3, "weight_kg": 110}, {"exercise_id": BENCH})["session"]
    dropped = start(user)
    log(user)
    user.post(f"/exercise/sessions/{dropped}/abandon")
    start(user)
    log(user)
    data = user.get(f"/exercise/{SQUAT}/history").data
    assert data["exercise"]["slug"] == "barbell-squat"
    assert (data["total"], data["page"], data["page_size"]) == (2, 1, 20)
    assert data["sessions"] == [
        {
            "session_id": second["id"],
            "workout_id": second["workout_id"],
            "workout_name": "Quick workout",
            "started_at": second["started_at"],
            "completed_at": second["completed_at"],
            "sets": second["sets"][:1],
            "volume_kg": 330,
            "best_weight_kg": 110,
            "best_est_1rm": 121,
        },
        {
            "session_id": first["id"],
            "workout_id": first["workout_id"],
            "workout_name": "Quick workout",
            "started_at": first["started_at"],
            "completed_at": first["completed_at"],
            "sets": first["sets"],
            "volume_kg": 1_000,
            "best_weight_kg": 100,
            "best_est_1rm": 116.67,
        },
    ]
    assert {one["record_type"] for one in data["records"]} == {"max_weight", "est_1rm", "max_volume"}
    page = user.get(f"/exercise/{SQUAT}/history", query={"page": 2, "page_size": 1}).data
    assert ([one["session_id"] for one in page["sessions"]], page["total"]) == ([first["id"]], 2)
    own = exercise(user)["id"]
    assert user.get(f"/exercise/{own}/history").data["sessions"] == []


# The model ----------------------------------------------------------------------------------------------------------


@dataclass
class Modelled:
    """A session as the model keeps it; `sets` by id, in the order logged."""

    started_at: datetime
    status: str = "active"
    completed_at: datetime | None = None
    sets: dict[str, dict[str, Any]] = field(default_factory=dict)


Record = tuple[str, str, Decimal, Decimal | None, bool]


class Training(RuleBasedStateMachine):
    """Start, log, change, delete, complete, abandon, resume: the records equal those of a replay of the sets left."""

    def __init__(self, database: Database, new_user: NewUser, clock: Clock) -> None:
        super().__init__()
        self._database, self._new_user, self._clock = database, new_user, clock

    @initialize()
    def begin(self) -> None:
        self.user: User = self._new_user()
        self.now = datetime.fromisoformat("2031-05-08T12:00:00+00:00")
        self._clock.freeze()
        self._clock.set(self.now)
        self.own = exercise(self.user)["id"]
        self.sessions: dict[str, Modelled] = {}

    def _wait(self) -> None:
        self.now += timedelta(seconds=11)
        self._clock.set(self.now)

    def _ids(self, *statuses: str) -> list[str]:
        return [one for one, session in self.sessions.items() if session.status in statuses]

    @property
    def _active(self) -> str | None:
        return next(iter(self._ids("active")), None)

    @precondition(lambda self: self._active is None)
    @rule(days=st.integers(0, 3))
    def start(self, days: int) -> None:
        self._wait()
        begun = self.now - timedelta(days=days)
        session = start(self.user, started_at=begun.isoformat())
        self.sessions[session] = Modelled(begun)

    @precondition(lambda self: self._ids("active", "completed"))
    @rule(
        data=st.data(),
        squat=st.booleans(),
        fields=st.fixed_dictionaries(
            {"reps": st.integers(0, 14)},
            optional={
                "weight_kg": st.sampled_from([-40, -25, 0, 60, 62.5, 100, 100.004]),
                "duration_seconds": st.integers(0, 3),
                "is_warmup": st.booleans(),
            },
        ),
    )
    def log(self, data: st.DataObject, squat: bool, fields: dict[str, Any]) -> None:
        self._wait()
        session = data.draw(st.sampled_from(self._ids("active", "completed")))
        values = {"exercise_id": SQUAT if squat else self.own} | fields
        answer = self.user.post(f"/exercise/sessions/{session}/sets", values).data
        self.sessions[session].sets[answer["set_id"]] = values | {"logged_at": self.now}
        current = {(kind, one) for _, kind, _, _, is_current in self._replayed(answer["set_id"]) if (one := is_current)}
        assert {record["record_type"] for record in answer["records"]} == {kind for kind, _ in current}

    @precondition(lambda self: any(self.sessions[one].sets for one in self._ids("active", "completed")))
    @rule(
        data=st.data(),
        changes=st.fixed_dictionaries(
            {"reps": st.integers(0, 14)},
            optional={"weight_kg": st.sampled_from([None, -25, 0, 62.5, 110]), "is_warmup": st.booleans()},
        ),
        delete=st.booleans(),
    )
    def change_or_delete(self, data: st.DataObject, changes: dict[str, Any], delete: bool) -> None:
        self._wait()
        having = [one for one in self._ids("active", "completed") if self.sessions[one].sets]
        session = data.draw(st.sampled_from(having))
        logged = data.draw(st.sampled_from(list(self.sessions[session].sets)))
        path = f"/exercise/sessions/{session}/sets/{logged}"
        if delete:
            assert self.user.delete(path).status == 200
            del self.sessions[session].sets[logged]
        else:
            assert self.user.patch(path, changes).status == 200
            self.sessions[session].sets[logged] |= changes

    @precondition(lambda self: self._active is not None)
    @rule(how=st.sampled_from(["complete", "abandon"]))
    def end(self, how: str) -> None:
        self._wait()
        session = self._active
        assert session is not None
        assert self.user.post(f"/exercise/sessions/{session}/{how}").status == 200
        modelled = self.sessions[session]
        modelled.status = "completed" if how == "complete" else "abandoned"
        modelled.completed_at = self.now if how == "complete" else None

    @precondition(lambda self: self._active is None and self._ids("abandoned"))
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        self._wait()
        session = data.draw(st.sampled_from(self._ids("abandoned")))
        assert self.user.post(f"/exercise/sessions/{session}/resume").status == 200
        self.sessions[session].status = "active"

    @precondition(lambda self: self._ids("completed"))
    @rule(data=st.data(), days=st.integers(1, 4))
    def move(self, data: st.DataObject, days: int) -> None:
        self._wait()
        session = data.draw(st.sampled_from(self._ids("completed")))
        modelled = self.sessions[session]
        assert modelled.completed_at is not None
        modelled.started_at = min(modelled.completed_at, self.now - timedelta(days=days))
        fields = {"started_at": modelled.started_at.isoformat()}
        assert self.user.patch(f"/exercise/sessions/{session}", fields).status == 200

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(list(self.sessions)))
        assert self.user.delete(f"/exercise/sessions/{session}").status == 200
        del self.sessions[session]

    def _replayed(self, only: str | None = None) -> set[Record]:
        made: list[tuple[str, str, str, Decimal, Decimal | None]] = []
        highest: dict[tuple[str, str], tuple[Decimal, str]] = {}
        for set_id, logged in self._in_order():
            for kind, value in values(logged).items():
                key = (logged["exercise_id"], kind)
                before = highest.get(key)
                if before is None or value > before[0]:
                    made.append((set_id, logged["exercise_id"], kind, value, before and before[0]))
                    highest[key] = (value, set_id)
        return {
            (set_id, kind, value, before, highest[exercise_id, kind][1] == set_id)
            for set_id, exercise_id, kind, value, before in made
            if only in (None, set_id)
        }

    def _in_order(self) -> Iterable[tuple[str, dict[str, Any]]]:
        counting = [one for one in self.sessions.values() if one.status != "abandoned"]
        logged = [
            (one.started_at, made["logged_at"], set_id, made) for one in counting for set_id, made in one.sets.items()
        ]
        return [(set_id, made) for _, _, set_id, made in sorted(logged, key=lambda entry: entry[:2])]

    @invariant()
    def records_are_those_of_a_replay(self) -> None:
        found = {
            (
                one["set_id"],
                one["record_type"],
                Decimal(str(one["value"])),
                None if one["previous_value"] is None else Decimal(str(one["previous_value"])),
                one["is_current"],
            )
            for one in records(self.user, history="true")
        }
        assert found == self._replayed()

    @invariant()
    def totals_are_those_of_the_sets(self) -> None:
        for session_id, session in self.sessions.items():
            shown = self.user.get(f"/exercise/sessions/{session_id}").data
            working = [made for made in session.sets.values() if values(made)]
            volume = sum(max(Decimal(str(made.get("weight_kg") or 0)), Decimal(0)) * made["reps"] for made in working)
            assert (shown["status"], shown["total_sets"]) == (session.status, len(working))
            assert Decimal(str(shown["total_volume_kg"])) == volume

    @invariant()
    def all_sessions_are_counted(self) -> None:
        listed = self.user.get("/exercise/sessions", query={"page_size": 100}).data
        assert listed["total"] == len(listed["sessions"]) == len(self.sessions)

    @invariant()
    def weeks_are_those_of_the_sessions(self) -> None:
        assert kept_weeks(self._database, self.user) == counted_weeks(self._database, self.user)


@pytest.mark.usefixtures("user")
def test_records_equal_a_replay_of_the_sets(database: Database, new_user: NewUser, clock: Clock) -> None:
    quick = settings(
        max_examples=12,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=[Phase.generate],
    )

    class OnThisDatabase(Training):
        def __init__(self) -> None:
            super().__init__(database, new_user, clock)

    run_state_machine_as_test(OnThisDatabase, settings=quick)


def test_a_record_keeps_its_id_when_others_change(user: User, clock: Clock) -> None:
    trained(user, {"reps": 5, "weight_kg": 100})
    kept = records(user)
    clock.advance("P1D")
    session = trained(user, {"reps": 5, "weight_kg": 120})["session_id"]
    assert best(user)["max_weight"] == 120
    user.delete(f"/exercise/sessions/{session}")
    assert records(user) == kept


@pytest.mark.parametrize("before", [timedelta(days=2), timedelta(hours=1), timedelta(seconds=1)])
def test_a_session_in_the_past_takes_records_from_later_ones(user: User, clock: Clock, before: timedelta) -> None:
    clock.freeze()
    trained(user, {"reps": 5, "weight_kg": 100})
    earlier = (clock.now() - before).isoformat()
    start(user, started_at=earlier)
    logged = log(user, reps=5, weight_kg=120)
    assert [(one["record_type"], one["previous_value"]) for one in logged["records"]] == [
        *(("max_weight", None), ("est_1rm", None), ("max_volume", None)),
    ]
    complete(user)
    assert {one["value"] for one in records(user, history="true", record_type="max_weight")} == {120}
