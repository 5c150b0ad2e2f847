"""Workouts as files of other apps hold them: exercises are known by name, and times are wall-clock times."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from questlog.importing.problems import Problems
from questlog.importing.tables import Row
from questlog.importing.values import clean, clean_line, decimal_of, integer_of, rounded
from questlog.recurrence.times import instant

# The limits of our own tables (training contract, 1.3, 1.4); longer text is cut, which the report says.
LONGEST_NAME: Final = 120
LONGEST_SET_NOTES: Final = 500
LONGEST_SESSION_NOTES: Final = 2_000
# The highest number of a set of one exercise in one workout.
MOST_SETS: Final = 1_000
# An index over a longer key would be refused by the database.
_LONGEST_KEY: Final = 300
# An end later than this after the start is taken for a timer that was never stopped.
_LONGEST_WORKOUT: Final = timedelta(hours=24)
# The longest duration of a session (training contract, 1.4.9).
_LONGEST_COUNTED: Final = 43_200
_UNNAMED: Final = "Workout"
# Of each field of a set, its smallest and largest value (training contract, 1.4), what it measures, and in which unit.
_LIMITS: Final = {
    "weight_kg": (-500, 2_000, "weight", " kg"),
    "reps": (0, 10_000, "number of repetitions", ""),
    "duration_seconds": (0, 86_400, "duration", " seconds"),
    "distance_m": (0, 1_000_000, "distance", " m"),
}


class LoggedSet(NamedTuple):
    """A set with its exercise's name. Weights are in kg, negative for assistance; missing measures are None."""

    exercise: str
    weight_kg: Decimal | None = None
    reps: int | None = None
    duration_seconds: int | None = None
    distance_m: Decimal | None = None
    rpe: Decimal | None = None
    is_warmup: bool = False
    is_dropset: bool = False
    is_failure: bool = False
    notes: str | None = None


@dataclass(slots=True, kw_only=True)
class LoggedWorkout:
    """A workout with its sets in order. Times are wall-clock times; the end is given as a time or as a duration.

    A later import recognises it by `import_key`; `line` is where it begins in the file.
    """

    import_key: str = ""
    line: int = 0
    name: str
    started_at: datetime
    ended: datetime | timedelta | None
    notes: str | None = None
    sets: list[LoggedSet] = field(default_factory=list)

    @property
    def has_possible_end(self) -> bool:
        """Whether the end is plausible for a workout, or there is none."""
        ended = self.ended - self.started_at if isinstance(self.ended, datetime) else self.ended
        return ended is None or timedelta() <= ended <= _LONGEST_WORKOUT

    def placed(self, zone: str) -> tuple[datetime, datetime, int | None]:
        """Start and end as instants in the zone, and the duration in seconds.

        An end that is missing, not after the start or more than 24 h after it is the start, without a duration.
        """
        start = instant(self.started_at, zone)
        # A duration of many years would lead to no date that there is.
        if self.ended is None or (isinstance(self.ended, timedelta) and not self.has_possible_end):
            return start, start, None
        end = start + self.ended if isinstance(self.ended, timedelta) else instant(self.ended, zone)
        if not start < end <= start + _LONGEST_WORKOUT:
            return start, start, None
        return start, end, min(round((end - start).total_seconds()), _LONGEST_COUNTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a file holds: `skipped` counts its workouts that are not among `workouts`."""

    format: str
    workouts: list[LoggedWorkout]
    skipped: int
    problems: Problems


def import_key(source: str, *parts: str) -> str:
    """The key by which a later import recognises the workout."""
    return f"{source}:{'|'.join(parts)}"[:_LONGEST_KEY]


@dataclass(slots=True)
class _Block:
    """Consecutive sets of one exercise. Notes are kept here until the next set, which gets them.

    `first` is the place of its first set in the workout.
    """

    exercise: str
    first: int | None = None
    last_index: int = -1
    waiting: list[str] = field(default_factory=list)
    noted: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Draft:
    workout: LoggedWorkout
    block: _Block | None = None
    empty_sets: int = 0
    refused_rows: int = 0
    lost_notes: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    cut: bool = False


class Gathering:
    """Puts the rows of a file together into workouts.

    `own` is for our own export, in which notes are at the set they belong to, and weights are as they are stored.
    """

    def __init__(self, *, own: bool = False) -> None:
        self.problems = Problems()
        self._own = own
        self._drafts: dict[str, _Draft] = {}
        self._refused: set[str] = set()
        self._losses: Counter[str] = Counter()

    def refuse(self, workout: str, line: int, name: str, message: str) -> None:
        """Skip a whole workout; `workout` is the key that its rows share. It is reported and counted once."""
        if workout not in self._refused:
            self._refused.add(workout)
            self.problems.tell(line, clean_line(name), message)

    def lose(self, what: str) -> None:
        """Count something that was left out, which the whole file has one problem for."""
        self._losses[what] += 1

    def refuse_row(self, key: str, line: int, name: str, message: str) -> None:
        """Leave out one row of a workout that was opened."""
        self._drafts[key].refused_rows += 1
        self.problems.tell(line, clean_line(name), message)

    def open(
        self,
        key: str,
        *,
        line: int,
        name: str,
        started_at: datetime,
        ended: datetime | timedelta | None,
        notes: str,
    ) -> bool:
        """Open the workout of a row. Returns whether this is its first row.

        What its rows repeat is taken from the first row that has it.
        """
        draft = self._drafts.get(key)
        is_new = draft is None
        if draft is None:
            title = clean_line(name)
            workout = LoggedWorkout(
                import_key=key,
                line=line,
                name=title[:LONGEST_NAME].rstrip() or _UNNAMED,
                started_at=started_at,
                ended=ended,
            )
            draft = self._drafts[key] = _Draft(workout, cut=len(title) > LONGEST_NAME)
        if notes and draft.workout.notes is None:
            draft.workout.notes = self._cut(draft, clean(notes), LONGEST_SESSION_NOTES)
        if draft.workout.ended is None:
            draft.workout.ended = ended
        return is_new

    def add_note(self, key: str, exercise: str, note: str) -> None:
        """A note that stands on a row of its own; it goes to the first set that follows of the exercise."""
        draft = self._drafts[key]
        block = self._block(draft, clean_line(exercise), None)
        if clean(note):
            block.waiting.append(clean(note))

    def effort(self, key: str, row: Row, name: str) -> Decimal | None:
        """A rating of perceived exertion, 1 to 10 in halves; None if it is empty or 0. Others become a problem."""
        try:
            found = number(row, name)
        except ValueError:
            found = Decimal(-1)
        if not found:
            return None
        if not 1 <= found <= 10 or found % Decimal("0.5"):
            message = f"The set was taken without its {name}, which is not 1 to 10 in halves."
            self.problems.tell(row.line, self._drafts[key].workout.name, message)
            return None
        return rounded(found, 1)

    def add_set(self, key: str, line: int, index: int | None, note: str, logged: LoggedSet) -> None:
        """A set. `index` counts the sets of a block; a block ends where it starts again."""
        draft = self._drafts[key]
        name = clean_line(logged.exercise)
        if not name:
            self.refuse_row(key, line, draft.workout.name, "The set names no exercise.")
            return
        block = self._block(draft, name, index)
        if clean(note):
            block.waiting.append(clean(note))
        logged = self._measured(logged._replace(exercise=self._name(draft, name)))
        if logged.reps is None and logged.duration_seconds is None and logged.distance_m is None:
            draft.empty_sets += 1
            return
        if outside := _outside(logged):
            self.refuse_row(key, line, draft.workout.name, outside)
            return
        count = draft.counts[name] = draft.counts.get(name, 0) + 1
        if count > MOST_SETS:
            self.refuse_row(key, line, draft.workout.name, f"Only {MOST_SETS:,} sets of an exercise are taken.")
            return
        if block.first is None:
            block.first = len(draft.workout.sets)
        draft.workout.sets.append(logged._replace(notes=self._notes(draft, block)))

    def history(self, source: str) -> History:
        """All workouts that have a set. What was left out becomes a problem."""
        for what, count in self._losses.items():
            self.problems.sum_up(f"{what} were left out", count)
        kept, skipped = [], len(self._refused)
        for draft in self._drafts.values():
            workout = draft.workout
            self._close(draft)
            if workout.sets:
                kept.append(workout)
                self._tell(draft)
            else:
                skipped += 1
                if not draft.refused_rows:
                    self.problems.tell(workout.line, workout.name, "The workout has no set with anything in it.")
        return History(format=source, workouts=kept, skipped=skipped, problems=self.problems)

    def _block(self, draft: _Draft, exercise: str, index: int | None) -> _Block:
        block = draft.block
        restarted = block is not None and index is not None and index <= block.last_index
        if block is None or block.exercise != exercise:
            self._close(draft)
            block = draft.block = _Block(exercise)
        elif restarted:
            block = draft.block = _Block(exercise, waiting=block.waiting)
        if index is not None:
            block.last_index = index
        return block

    def _close(self, draft: _Draft) -> None:
        """Give the first set of a block the notes that came after its last one."""
        block = draft.block
        if block is None or not block.waiting:
            return
        if block.first is None:
            draft.lost_notes += 1
            return
        first = draft.workout.sets[block.first]
        notes = "\n".join(filter(None, [first.notes, *self._fresh(block)]))
        draft.workout.sets[block.first] = first._replace(notes=self._cut(draft, notes, LONGEST_SET_NOTES))

    def _tell(self, draft: _Draft) -> None:
        workout = draft.workout
        if draft.empty_sets:
            message = f"Sets with nothing in them were left out: {draft.empty_sets}."
            self.problems.tell(workout.line, workout.name, message)
        if draft.lost_notes:
            message = f"Notes of exercises without a set were left out: {draft.lost_notes}."
            self.problems.tell(workout.line, workout.name, message)
        if not workout.has_possible_end:
            message = "The end was left out: it is before the start, or more than 24 hours after it."
            self.problems.tell(workout.line, workout.name, message)
        if draft.cut:
            self.problems.tell(workout.line, workout.name, "Some text was too long and was cut.")

    def _name(self, draft: _Draft, name: str) -> str:
        draft.cut = draft.cut or len(name) > LONGEST_NAME
        return name[:LONGEST_NAME].rstrip()

    def _measured(self, logged: LoggedSet) -> LoggedSet:
        """The set with assistance as a negative weight, and with 0 repetitions for a weight that was not lifted."""
        weight = logged.weight_kg or None
        if weight is not None and helps(logged.exercise):
            weight = -weight if self._own else -abs(weight)
        reps = logged.reps or (0 if weight is not None else None)
        if not reps and (logged.duration_seconds or logged.distance_m):
            reps = None
        return logged._replace(
            weight_kg=weight,
            reps=reps,
            duration_seconds=logged.duration_seconds or None,
            distance_m=logged.distance_m or None,
        )

    def _notes(self, draft: _Draft, block: _Block) -> str | None:
        return self._cut(draft, "\n".join(self._fresh(block)), LONGEST_SET_NOTES)

    def _fresh(self, block: _Block) -> list[str]:
        """The waiting notes without those that the block has already: Hevy repeats a note with each set."""
        fresh = [note for note in dict.fromkeys(block.waiting) if self._own or note not in block.noted]
        block.noted.update(fresh)
        block.waiting.clear()
        return fresh

    def _cut(self, draft: _Draft, text: str, limit: int) -> str | None:
        draft.cut = draft.cut or len(text) > limit
        return text[:limit].rstrip() or None


def _outside(logged: LoggedSet) -> str | None:
    """What is wrong with the first measure that is out of range; None if all are in range."""
    for name, (smallest, largest, measure, unit) in _LIMITS.items():
        value = getattr(logged, name)
        if value is not None and not smallest <= value <= largest:
            return f"The set's {measure} must be from {smallest} to {largest:,}{unit}."
    return None


def helps(exercise: str) -> bool:
    """Whether the weight of an exercise is assistance, by its name: apps write it positive, our tables negative."""
    return "assist" in exercise.casefold()


def number(row: Row, name: str) -> Decimal | None:
    """The number in a column of a row. ValueError, naming the column, for anything else."""
    try:
        return decimal_of(row[name])
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def whole_number(row: Row, name: str) -> int | None:
    """The whole number in a column of a row, also written 5.0. ValueError, naming the column, for anything else."""
    try:
        return integer_of(row[name])
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def seconds(row: Row, name: str) -> int | None:
    """A duration in whole seconds, half up. ValueError, naming the column, for what is no number."""
    found = number(row, name)
    return None if found is None else int(rounded(found, 0))
