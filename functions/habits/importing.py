"""Decides which of a file's habits are new, which have changed, and what is written of them.

A habit that came with an earlier import is recognised by its key. Loop has no ids: so the key holds the place of the
habit in the list, and that changes when another habit is deleted. If a key is not known, the name decides among the
known keys that are not in the file.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from questlog.api import LARGEST_ANSWER
from questlog.errors import Conflict, Failure
from questlog.importing.problems import TooLarge
from questlog.importing.requests import media_type, refusals, reported
from questlog.importing.verdicts import OWN_FORMAT, digest_of, verdict
from questlog.recurrence.times import date_of

from functions.habits import files, loop
from functions.habits.history import DUE_ON, ImportedHabit, ImportedQuest, Records
from functions.habits.loop import ExportedDay, ExportedHabit
from functions.habits.models import Direction, Frequency, HabitsReport, ImportQuery, Kind, Period

# core contract, 4
MOST_ACTIVE: Final = 200
# The most days that one statement can write within its timeout.
MOST_DAYS: Final = 200_000
# Browsers send one of the last two for a file whose name ends in .zip.
_TYPES: Final = frozenset({"", "application/json", "application/zip", "application/x-zip-compressed"})
_EPOCH: Final = date(2000, 1, 1)


class Standing(NamedTuple):
    """A version of the habits that changes whenever anything of them does, and the user's time zone."""

    version: str
    zone: str


class Held(NamedTuple):
    """A habit of the user, with the columns that an import needs. The last three are a checksum of its days."""

    id: UUID
    import_key: str | None
    import_digest: bytes | None
    name: str
    is_active: bool
    days: int
    sum: int
    squares: int


class Key(NamedTuple):
    """The key of something that an import has brought."""

    import_key: str


class HabitRow(NamedTuple):
    """A habit for the export."""

    id: UUID
    name: str
    description: str | None
    frequency: Frequency
    target_count: int
    custom_days: list[int]
    color: str | None
    is_active: bool
    kind: Kind
    direction: Direction
    target_amount: Decimal | None
    unit: str | None
    period: Period


class DayRow(NamedTuple):
    """A day of a habit for the export."""

    habit_id: UUID
    day: date
    times: int
    is_skipped: bool
    notes: str | None
    amount: Decimal | None


@dataclass(slots=True)
class Plan:
    """The rows to write, and the outcome for each of the file's habits."""

    imported: list[dict[str, Any]] = field(default_factory=list)
    updated: list[dict[str, Any]] = field(default_factory=list)
    quests: list[dict[str, Any]] = field(default_factory=list)
    of_habits: list[UUID] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    recorded: list[bool] = field(default_factory=list)
    notes: list[str | None] = field(default_factory=list)
    amounts: list[Decimal | None] = field(default_factory=list)
    completions: int = 0
    unchanged: int = 0

    @property
    def writes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.imported or self.updated or self.quests)

    def parameters(self) -> dict[str, Any]:
        """What the statement takes."""
        return {
            "rows": {"imported": self.imported, "updated": self.updated, "quests": self.quests},
            "of_habits": self.of_habits,
            "days": self.days,
            "recorded": self.recorded,
            "notes": self.notes,
            "amounts": self.amounts,
        }

    def report(self, records: Records, *, dry_run: bool) -> HabitsReport:
        return HabitsReport(
            format=records.format,
            imported=len(self.imported),
            updated=len(self.updated),
            unchanged=self.unchanged,
            skipped=records.skipped,
            problems=reported(records.problems),
            dry_run=dry_run,
            completions=self.completions,
            skips=len(self.recorded) - sum(self.recorded),
            quests=len(self.quests),
        )


def require_file(request: Request) -> None:
    """Failure 415 for a body that is declared to be neither JSON nor a ZIP file."""
    if media_type(request) not in _TYPES:
        raise Failure(415, "unsupported_media_type", "The body must be a ZIP file or JSON.")


def read(content: bytes, query: ImportQuery) -> Records:
    """The habits of a file that was sent. Raises Failure (400, 413) for a file that cannot be read."""
    with refusals("body"):
        records = files.read(content, query.format)
        if sum(len(habit.days) for habit in records.habits) > MOST_DAYS:
            raise TooLarge(f"holds more than {MOST_DAYS:,} days of habits")
    return records


def planned(records: Records, zone: str, held: Sequence[Held], deleted: Iterable[Key], quests: Iterable[Key]) -> Plan:
    """What to write of a file's habits and quests. Raises Conflict limit_reached if too many would be active."""
    plan = Plan()
    known = _Known(records, held, [key.import_key for key in deleted])
    for habit in records.habits:
        found = known.find(habit)
        digest = _digest(records, habit)
        digests = {} if found is None else {habit.import_key: found.import_digest}
        decided = verdict(habit.import_key, digest, digests, known.gone, records.format)
        if decided == "unchanged":
            plan.unchanged += 1
            continue
        rows = plan.imported if found is None else plan.updated
        habit_id = uuid4() if found is None else found.id
        rows.append(_row(habit, habit_id, digest, len(plan.imported) + 1))
        _add_days(plan, habit, habit_id)
    there = {key.import_key for key in quests}
    plan.quests = [_quest_row(quest, zone) for quest in records.quests if quest.import_key not in there]
    _require_room(plan, held)
    return plan


class _Known:
    """The user's habits that the habits of a file may match. Each is matched once at most."""

    def __init__(self, records: Records, held: Sequence[Held], deleted: Sequence[str]) -> None:
        self._records = records
        in_file = {habit.import_key for habit in records.habits}
        self._by_key = {habit.import_key: habit for habit in held if habit.import_key in in_file}
        self._left = [habit for habit in held if habit.import_key not in in_file]
        self._deleted = [key for key in deleted if key not in in_file]
        self.gone = set(deleted) & in_file

    def find(self, habit: ImportedHabit) -> Held | None:
        """The habit that this one matches, or None. A match that the user has deleted is added to `gone`."""
        if found := self._by_key.get(habit.import_key):
            return found
        if habit.import_key in self.gone or self._records.format not in (loop.FORMAT, OWN_FORMAT):
            return None
        moved = _moved(habit.import_key)
        found = self._take(lambda one: one.import_key is not None and _moved(one.import_key) == moved)
        if found is None and self._was_deleted(habit.import_key, moved):
            return None
        return found or self._same(habit)

    def _take(self, fits: Callable[[Held], bool]) -> Held | None:
        found = next(filter(fits, self._left), None)
        if found is not None:
            self._left.remove(found)
        return found

    def _was_deleted(self, key: str, moved: str) -> bool:
        found = next((one for one in self._deleted if _moved(one) == moved), None)
        if found is None:
            return False
        self._deleted.remove(found)
        self.gone.add(key)
        return True

    def _same(self, habit: ImportedHabit) -> Held | None:
        """A habit with the same name and all of the days: then the file is an export of this account.

        If the request says that the file is our own export, the name is enough. The habit that is found stays as it is.
        """
        # Our own export has a number of completions as an amount, also on days that had too few.
        sums = [
            _sums(day.day for day in habit.days if day.is_done),
            _sums(day.day for day in habit.days if not day.is_skip),
        ]
        is_own = self._records.format == OWN_FORMAT
        found = self._take(lambda one: one.name == habit.name and (is_own or (one.days, one.sum, one.squares) in sums))
        return None if found is None else found._replace(import_digest=None)


def _sums(days: Iterable[date]) -> tuple[int, int, int]:
    """The checksum of the days, as app.habit_sums() of SQL computes it: three numbers."""
    numbers = [(day - _EPOCH).days for day in days]
    return len(numbers), sum(numbers), sum(number * number for number in numbers)


def _moved(key: str) -> str:
    """The part of a key that stays when the habit's place changes: the app and the name."""
    source, _, rest = key.partition(":")
    return f"{source}|{rest.partition('|')[2]}"


def _digest(records: Records, habit: ImportedHabit) -> bytes:
    said = asdict(habit)
    del said["line"], said["import_key"]
    return digest_of(records.format, said)


def _row(habit: ImportedHabit, habit_id: UUID, digest: bytes, place: int) -> dict[str, Any]:
    return {
        "id": str(habit_id),
        "import_key": habit.import_key,
        "import_digest": f"\\x{digest.hex()}",
        "name": habit.name,
        "description": habit.description,
        "frequency": habit.frequency,
        "target_count": habit.target_count,
        "custom_days": habit.custom_days,
        "color": habit.color,
        "category": habit.category,
        "is_active": habit.is_active,
        "kind": habit.kind,
        "direction": habit.direction,
        "target_amount": None if habit.target_amount is None else str(habit.target_amount),
        "unit": habit.unit,
        "period": habit.period,
        "sort_order": place,
        "created_on": None if habit.created_on is None else habit.created_on.isoformat(),
    }


def _add_days(plan: Plan, habit: ImportedHabit, habit_id: UUID) -> None:
    plan.of_habits += [habit_id] * len(habit.days)
    plan.days += [day.day for day in habit.days]
    plan.recorded += [not day.is_skip for day in habit.days]
    plan.notes += [day.notes for day in habit.days]
    plan.amounts += [day.amount for day in habit.days]
    plan.completions += sum(day.is_done for day in habit.days)


def _quest_row(quest: ImportedQuest, zone: str) -> dict[str, Any]:
    """The quest, with the day on which it is due in its text: a quest that expires could not be done any later."""
    row = asdict(quest)
    due = row.pop("due")
    if due is not None:
        day = date_of(due, zone) if isinstance(due, datetime) else due
        row["description"] = f"{quest.description or ''}{DUE_ON.format(day)}".lstrip()
    return row


def _require_room(plan: Plan, held: Sequence[Held]) -> None:
    before = {str(habit.id): habit.is_active for habit in held}
    after = before | {row["id"]: row["is_active"] for row in [*plan.imported, *plan.updated]}
    if sum(after.values()) > max(MOST_ACTIVE, sum(before.values())):
        message = f"There would be more than {MOST_ACTIVE} active habits."
        raise Conflict("limit_reached", message, {"limit": MOST_ACTIVE})


def attached(habits: Sequence[HabitRow], days: Iterable[DayRow]) -> Response:
    """The habits in Loop's layout, to save. Raises Failure answer_too_large if they are too large for an answer."""
    days_of: dict[UUID, dict[date, ExportedDay]] = {habit.id: {} for habit in habits}
    for row in days:
        days_of[row.habit_id].setdefault(row.day, ExportedDay(*row[2:]))
    archive = loop.written(ExportedHabit(*habit[1:], days=days_of[habit.id]) for habit in habits)
    # Lambda returns the file in base64.
    if len(archive) * 4 // 3 > LARGEST_ANSWER:
        message = "The habits would be larger than an answer may be as a file."
        raise Failure(413, "answer_too_large", message, {"limit_bytes": LARGEST_ANSWER * 3 // 4})
    headers = {"Content-Disposition": 'attachment; filename="habits.zip"', "Cache-Control": "no-store"}
    return Response(archive, headers=headers, media_type="application/zip")
