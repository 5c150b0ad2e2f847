"""Decides which of a file's workouts are new, which have changed, and what is written of them.

A workout that came with an earlier import is recognised by its key. A file in Hevy's columns may be our own export: so
a workout whose key is not known, but whose name, start and end are those of a session, is that session and is skipped.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from questlog.errors import Conflict
from questlog.importing.requests import refusals, reported
from questlog.importing.verdicts import digest_of, verdict
from questlog.recurrence.times import wall_clock
from questlog.wire import rfc3339

from functions.exercise import files, strong
from functions.exercise.history import History, LoggedSet, LoggedWorkout
from functions.exercise.matching import LibraryExercise, Names, name_key
from functions.exercise.transfer_models import ImportQuery, SessionsReport

# training contract, Whole lists
MOST_OWN_EXERCISES: Final = 500
# An index over a longer key would be refused by the database.
_LONGEST_KEY: Final = 300
_NOBODY: Final = str(UUID(int=0))


class Standing(NamedTuple):
    """The user's zone, and a version of the rows that an import reads, which changes whenever any of them does."""

    zone: str
    version: str


class Held(NamedTuple):
    """A completed session, with the columns that an import needs."""

    id: UUID
    import_key: str | None
    import_digest: bytes | None
    workout_name: str
    started_at: datetime
    completed_at: datetime


class Key(NamedTuple):
    """The key of a session that an import brought and the user has deleted."""

    import_key: str


class ExerciseRow(NamedTuple):
    """An exercise of the library or of the user's own, also one that is deleted or merged."""

    id: UUID
    name: str
    slug: str | None
    equipment: list[str]
    import_key: str | None
    merged_into: UUID | None
    is_deleted: bool


class Written(NamedTuple):
    """Whether an import was written, or tried, and how many records its sets have made.

    It is not written if the rows by which it was planned have changed since.
    """

    written: bool
    records: int | None


@dataclass(slots=True)
class Plan:
    """The rows to write, as the statement takes them, and the outcome for each of the file's workouts."""

    imported: list[dict[str, Any]] = field(default_factory=list)
    updated: list[dict[str, Any]] = field(default_factory=list)
    exercises: list[dict[str, Any]] = field(default_factory=list)
    sets: list[dict[str, Any]] = field(default_factory=list)
    unchanged: int = 0

    @property
    def writes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.imported or self.updated)

    @property
    def rows(self) -> dict[str, Any]:
        """The rows by what is done with them."""
        return {"imported": self.imported, "updated": self.updated, "exercises": self.exercises, "sets": self.sets}

    def report(self, history: History, records: int, *, dry_run: bool) -> SessionsReport:
        return SessionsReport(
            format=history.format,
            imported=len(self.imported),
            updated=len(self.updated),
            unchanged=self.unchanged,
            skipped=history.skipped,
            problems=reported(history.problems),
            dry_run=dry_run,
            sets=len(self.sets),
            exercises_created=[exercise["name"] for exercise in self.exercises],
            records=records,
        )


def read(content: bytes, query: ImportQuery) -> History:
    """The workouts of a file that was sent. Raises Failure (400, 413) if it cannot be read, or a unit is missing."""
    with refusals("csv"):
        return files.read(content, query.format, weight=query.weight_unit, distance=query.distance_unit)


def planned(
    history: History,
    standing: Standing,
    held: Sequence[Held],
    deleted: Iterable[Key],
    library: Sequence[ExerciseRow],
) -> Plan:
    """What to write of a file's workouts. Raises Conflict limit_reached if there would be too many exercises."""
    plan = Plan()
    by_key = {session.import_key: session for session in held if session.import_key is not None}
    digests = {key: session.import_digest for key, session in by_key.items()}
    gone = {key.import_key for key in deleted}
    in_file = {workout.import_key for workout in history.workouts}
    others = _Sessions([session for session in held if session.import_key not in in_file], standing.zone)
    exercises = _Exercises(plan, library)
    for workout in history.workouts:
        digest = _digest(history, workout)
        decided = verdict(workout.import_key, digest, digests, gone, history.format)
        if decided == "unchanged" or (
            decided == "imported" and history.format != strong.FORMAT and others.take(workout)
        ):
            plan.unchanged += 1
            continue
        session_id = uuid4() if decided == "imported" else by_key[workout.import_key].id
        rows = plan.imported if decided == "imported" else plan.updated
        rows.append(_row(workout, session_id, digest, standing.zone))
        plan.sets += _sets(workout, session_id, exercises)
    own = sum(exercise.slug is None and not exercise.is_deleted for exercise in library)
    if plan.exercises and own + len(plan.exercises) > MOST_OWN_EXERCISES:
        message = f"There would be more than {MOST_OWN_EXERCISES} exercises of your own."
        raise Conflict("limit_reached", message, {"limit": MOST_OWN_EXERCISES})
    return plan


class _Sessions:
    """Sessions that no workout of the file matches by its key, by name, start and end as an export shows them."""

    def __init__(self, sessions: Iterable[Held], zone: str) -> None:
        self._left = Counter(
            (_minute(wall_clock(one.started_at, zone)), _minute(wall_clock(one.completed_at, zone)), one.workout_name)
            for one in sessions
        )

    def take(self, workout: LoggedWorkout) -> bool:
        """Whether there is such a session. Each is matched once."""
        ended = workout.ended if isinstance(workout.ended, datetime) else workout.started_at
        times = (_minute(workout.started_at), _minute(ended), workout.name)
        if not self._left[times]:
            return False
        self._left[times] -= 1
        return True


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


class _Exercises:
    """The exercises that the names of a file mean. A name that means none becomes one exercise of the user's own."""

    def __init__(self, plan: Plan, library: Sequence[ExerciseRow]) -> None:
        self._plan = plan
        shown = [exercise for exercise in library if not exercise.is_deleted]
        # The user's own come last, and so before the built-in ones.
        in_order = sorted(shown, key=lambda exercise: exercise.slug is None)
        self._exactly = {exercise.name.casefold(): exercise.id for exercise in in_order}
        self._names = Names.of(LibraryExercise(one.id, one.name, one.slug, tuple(one.equipment)) for one in shown)
        self._imported = {one.import_key: one.merged_into or one.id for one in library if one.import_key is not None}
        self._built_in = {one.id for one in library if one.slug is not None}
        self._found: dict[str, UUID] = {}

    def find(self, name: str) -> UUID:
        """The exercise of a name."""
        if name not in self._found:
            key = name_key(name)[:_LONGEST_KEY]
            self._found[name] = (
                self._imported.get(key)
                or self._exactly.get(name.casefold())
                or self._names.find(name)
                or self._make(name, key)
            )
        return self._found[name]

    def owner(self, exercise: UUID) -> str | None:
        """The owner's key of a built-in exercise; None for the user's own."""
        return _NOBODY if exercise in self._built_in else None

    def _make(self, name: str, key: str) -> UUID:
        made = self._imported[key] = uuid4()
        self._plan.exercises.append({"id": str(made), "name": name, "import_key": key})
        return made


def _digest(history: History, workout: LoggedWorkout) -> bytes:
    said = [workout.name, workout.started_at, workout.ended, workout.notes, workout.sets]
    return digest_of(history.format, said)


def _row(workout: LoggedWorkout, session_id: UUID, digest: bytes, zone: str) -> dict[str, Any]:
    started_at, completed_at, duration = workout.placed(zone)
    return {
        "id": str(session_id),
        "import_key": workout.import_key,
        "import_digest": f"\\x{digest.hex()}",
        "workout_name": workout.name,
        "started_at": rfc3339(started_at),
        "completed_at": rfc3339(completed_at),
        "duration_seconds": duration,
        "notes": workout.notes,
    }


def _sets(workout: LoggedWorkout, session_id: UUID, exercises: _Exercises) -> Iterable[dict[str, Any]]:
    """The sets of a workout, counted by exercise. `requested_number` is their place in the workout."""
    counts: Counter[UUID] = Counter()
    for place, logged in enumerate(workout.sets):
        exercise = exercises.find(logged.exercise)
        counts[exercise] += 1
        yield {
            "session_id": str(session_id),
            "exercise_owner": exercises.owner(exercise),
            "exercise_id": str(exercise),
            "set_number": counts[exercise],
            "requested_number": place,
            **_measures(logged),
        }


def _measures(logged: LoggedSet) -> dict[str, Any]:
    return {
        "reps": logged.reps,
        "weight_kg": None if logged.weight_kg is None else str(logged.weight_kg),
        "duration_seconds": logged.duration_seconds,
        "distance_m": None if logged.distance_m is None else str(logged.distance_m),
        "rpe": None if logged.rpe is None else str(logged.rpe),
        "is_warmup": logged.is_warmup,
        "is_dropset": logged.is_dropset,
        "is_failure": logged.is_failure,
        "notes": logged.notes,
    }
