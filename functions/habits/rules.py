"""The history of a habit: what each day was to it, from what is recorded of the days."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby

from functions.habits.models import History, HistoryDay, HistorySpan, RecordedDay, Status


def history(span: HistorySpan, days: Iterable[RecordedDay]) -> History:
    """The days of the span, and what they add up to.

    `days` are those of all weeks that the span touches, in order: whether a day of a weekly habit was missed depends on
    its whole week. A day is due when it is done, or had to be done and was not skipped. `completion_rate` is the
    percentage of the due days that are done, rounded down.
    """
    shown: list[HistoryDay] = []
    due = 0
    for _, group in groupby(days, key=lambda day: day.date.isocalendar()[:2]):
        week = list(group)
        for day in week:
            if span.first <= day.date <= span.last:
                required = _is_required(span, day, week)
                shown.append(_shown(day, _status(day, span.today, required=required)))
                due += day.done or (required and not day.skipped)
    done = sum(day.status == "done" for day in shown)
    return History(
        days=shown,
        completed_days=done,
        due_days=due,
        completion_rate=100 * done // due if due else 0,
        current_streak=span.current_streak,
        longest_streak=span.longest_streak,
    )


def _is_required(span: HistorySpan, day: RecordedDay, week: Sequence[RecordedDay]) -> bool:
    """Whether the day had to be done: it is today, or a scheduled day since the habit was made.

    No single day of a weekly habit has to be done. The days it missed are those that cost the week its target, after
    which the days left were too few to reach it: a week with 2 of 3 days done has one missed day.
    """
    if day.date > span.today or (day.date < span.created_on and day.date != span.today):
        return False
    if span.frequency != "weekly":
        return day.scheduled
    target = min((other.week_target for other in week if other.week_target is not None), default=span.target_count)
    if day.date == span.today:
        return sum(other.done for other in week) < target
    return sum(other.done for other in week if other.date <= day.date) + _days_left(day.date) < target


def _days_left(day: date) -> int:
    """How many days of the week come after this one."""
    return 7 - day.isoweekday()


def _status(day: RecordedDay, today: date, *, required: bool) -> Status:
    if day.done:
        return "done"
    if day.skipped:
        return "skipped"
    if day.count:
        return "partial"
    if not required:
        return "not_due"
    return "pending" if day.date == today else "missed"


def _shown(day: RecordedDay, status: Status) -> HistoryDay:
    return HistoryDay(date=day.date, count=day.count, target=day.target, status=status, notes=day.notes)
