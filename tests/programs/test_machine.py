"""Programs against a plain model: trained, ticked off, moved, changed, put away in any order (training contract, 2)."""

from dataclasses import dataclass, field
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

from tests.conftest import NewUser, User
from tests.exercise.training import complete, log, start, workout
from tests.programs.training import program, shown, slots

PATH = "/exercise/programs"
Place = tuple[int, int, str]


@dataclass
class Modelled:
    """A program as the model keeps it: a slot is a week, a day and a workout."""

    weeks: int
    days: int
    active: bool = False
    completed: bool = False
    week: int = 1
    day: int = 1
    slots: dict[Place, str] = field(default_factory=dict)

    def of_day(self) -> list[Place]:
        return [place for place in self.slots if place[:2] == (self.week, self.day)]

    def step(self) -> None:
        """One day on, past the last one to completion."""
        if (self.week, self.day) == (self.weeks, self.days):
            self.completed, self.active = True, False
        elif self.day == self.days:
            self.week, self.day = self.week + 1, 1
        else:
            self.day += 1

    def move_on(self) -> None:
        """On over days that have slots, and none of them open."""
        while not self.completed and self.of_day() and all(self.slots[place] != "open" for place in self.of_day()):
            self.step()

    @property
    def progress(self) -> int:
        before = (self.week - 1) * self.days + self.day - 1
        return 100 if self.completed else 100 * before // (self.weeks * self.days)


class Training(RuleBasedStateMachine):
    """Two programs of one user; after every step each is what the model says, and at most one is active."""

    def __init__(self, new_user: NewUser) -> None:
        super().__init__()
        self._new_user = new_user

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.user: User = self._new_user()
        self.workouts = [workout(self.user, name=name)["id"] for name in ("A", "B")]
        self.programs: dict[str, Modelled] = {}
        self.done: dict[str, tuple[str, Place]] = {}
        for _ in range(2):
            modelled = Modelled(weeks=2, days=2)
            plan = [self._week(data, modelled, week) for week in (1, 2)]
            self.programs[program(self.user, 2, 2, plan=plan)["id"]] = modelled

    def _week(self, data: st.DataObject, modelled: Modelled, week: int) -> dict[str, Any]:
        """Draw the slots of a week; those that stay keep their status in the model, as they do in the program."""
        days = range(1, modelled.days + 1)
        possible = [(week, day, one) for day in days for one in self.workouts]
        chosen = data.draw(st.lists(st.sampled_from(possible), unique=True, max_size=len(possible)))
        before = {place: modelled.slots.pop(place) for place in list(modelled.slots) if place[0] == week}
        modelled.slots |= {place: before.get(place, "open") for place in chosen}
        return {"week_number": week, "workouts": [{"workout_id": one, "day_number": day} for _, day, one in chosen]}

    def _forget(self, program_id: str) -> None:
        """Sessions whose slot is gone, or open again, open nothing any more when they are deleted."""
        slots = self.programs[program_id].slots
        for session, (owner, place) in list(self.done.items()):
            if owner == program_id and slots.get(place) != "completed":
                del self.done[session]

    def _post(self, program_id: str, what: str, **body: Any) -> int:
        return self.user.post(f"{PATH}/{program_id}/{what}", body).status

    def _one(self, data: st.DataObject) -> tuple[str, Modelled]:
        return data.draw(st.sampled_from(list(self.programs.items())))

    @rule(data=st.data(), restart=st.booleans())
    def activate(self, data: st.DataObject, restart: bool) -> None:
        program_id, modelled = self._one(data)
        assert self._post(program_id, "activate", restart=restart) == 200
        if restart or modelled.completed:
            modelled.week = modelled.day = 1
            modelled.completed = False
            modelled.slots = dict.fromkeys(modelled.slots, "open")
            self._forget(program_id)
        for one in self.programs.values():
            one.active = one is modelled

    @rule(data=st.data())
    def deactivate(self, data: st.DataObject) -> None:
        program_id, modelled = self._one(data)
        assert self._post(program_id, "deactivate") == 200
        modelled.active = False

    @rule(data=st.data())
    def advance(self, data: st.DataObject) -> None:
        program_id, modelled = self._one(data)
        assert self._post(program_id, "advance") == (200 if modelled.active else 409)
        if modelled.active:
            modelled.slots |= {place: "skipped" for place in modelled.of_day() if modelled.slots[place] == "open"}
            modelled.step()
            modelled.move_on()

    @rule(data=st.data(), week=st.integers(1, 4), day=st.integers(1, 3))
    def set_position(self, data: st.DataObject, week: int, day: int) -> None:
        program_id, modelled = self._one(data)
        inside = week <= modelled.weeks and day <= modelled.days
        body = {"week_number": week, "day_number": day}
        answer = self.user.put(f"{PATH}/{program_id}/position", body)
        assert answer.status == ((200 if modelled.active else 409) if inside else 400)
        if inside and modelled.active:
            modelled.week, modelled.day = week, day
            for place, status in modelled.slots.items():
                if status == "skipped" and place[:2] >= (week, day):
                    modelled.slots[place] = "open"

    @precondition(lambda self: any(one.active and "open" in one.slots.values() for one in self.programs.values()))
    @rule(data=st.data(), working=st.booleans())
    def train(self, data: st.DataObject, working: bool) -> None:
        [(program_id, modelled)] = [entry for entry in self.programs.items() if entry[1].active]
        place = data.draw(st.sampled_from(sorted(p for p, status in modelled.slots.items() if status == "open")))
        session = start(self.user, program_workout_id=self._shown_slots(program_id)[place]["id"])
        log(self.user, reps=5, is_warmup=not working)
        done = complete(self.user)
        if working:
            modelled.slots[place] = "completed"
            modelled.move_on()
            self.done[session] = (program_id, place)
        assert (done["program"] is not None) == working

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def delete_session(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(list(self.done)))
        assert self.user.delete(f"/exercise/sessions/{session}").status == 200
        program_id, place = self.done.pop(session)
        self.programs[program_id].slots[place] = "open"

    @rule(data=st.data())
    def change_week(self, data: st.DataObject) -> None:
        program_id, modelled = self._one(data)
        week = data.draw(st.integers(1, modelled.weeks))
        body = self._week(data, modelled, week)
        assert self.user.put(f"{PATH}/{program_id}/weeks/{week}", body).status == 200
        self._forget(program_id)
        if modelled.active:
            modelled.move_on()

    @rule(data=st.data(), weeks=st.integers(1, 4), days=st.integers(1, 3))
    def resize(self, data: st.DataObject, weeks: int, days: int) -> None:
        program_id, modelled = self._one(data)
        answer = self.user.put(f"{PATH}/{program_id}", {"duration_weeks": weeks, "days_per_week": days})
        if any(week > weeks or day > days for week, day, _ in modelled.slots):
            answer.refused(409, "conflict")
            return
        assert answer.status == 200
        if modelled.completed and days > modelled.days:
            modelled.completed, modelled.week, modelled.day = False, 1, modelled.days + 1
        elif modelled.completed and weeks > modelled.weeks:
            modelled.completed, modelled.week, modelled.day = False, modelled.weeks + 1, 1
        modelled.weeks, modelled.days = weeks, days
        modelled.week, modelled.day = min(modelled.week, weeks), min(modelled.day, days)
        if modelled.active:
            modelled.move_on()

    def _shown_slots(self, program_id: str) -> dict[Place, dict[str, Any]]:
        found = shown(self.user, {"id": program_id})
        return {
            (one["week_number"], slot["day_number"], slot["workout_id"]): slot
            for one in found["weeks"]
            for slot in one["workouts"]
        }

    @invariant()
    def programs_are_those_of_the_model(self) -> None:
        for program_id, modelled in self.programs.items():
            found = shown(self.user, {"id": program_id})
            assert (found["is_active"], found["completed_at"] is not None) == (modelled.active, modelled.completed)
            assert (found["current_week"], found["current_day"]) == (modelled.week, modelled.day)
            assert (found["duration_weeks"], found["days_per_week"]) == (modelled.weeks, modelled.days)
            assert len(found["weeks"]) == modelled.weeks
            assert {place: slot["status"] for place, slot in self._shown_slots(program_id).items()} == modelled.slots
            assert found["progress_percent"] == modelled.progress
            assert found["completed_workouts"] == list(modelled.slots.values()).count("completed")
            assert found["total_workouts"] == len(slots(found)) == len(modelled.slots)

    @invariant()
    def at_most_one_is_active(self) -> None:
        active = [one["id"] for one in self.user.get(PATH).data["programs"] if one["is_active"]]
        found = self.user.get(f"{PATH}/active").data
        assert active == ([] if found is None else [found["id"]])


@pytest.mark.usefixtures("user")
def test_programs_equal_the_model(new_user: NewUser) -> None:
    quick = settings(
        max_examples=15,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=[Phase.generate],
    )

    class OfThisDatabase(Training):
        def __init__(self) -> None:
            super().__init__(new_user)

    run_state_machine_as_test(OfThisDatabase, settings=quick)
