"""The order of habits, and the history of one: the status of each day, from what is recorded of the days."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import accumulate, groupby

from functions.habits.models import Habit, History, HistoryDay, HistorySpan, RecordedDay, Status


def in_order(habits: Iterable[Habit]) -> list[Habit]:
    """The habits in the user's order. They are sorted here, since the database would copy each of their wide rows."""
    return sorted(habits, key=lambda habit: (habit.sort_order, habit.created_at, habit.id))


def history(span: HistorySpan, days: Iterable[RecordedDay]) -> History:
    """The days of the span, and what they add up to.

    `days` are those of all weeks or months that the span touches, in order: whether a day of such a habit was missed
    depends on its whole period. A day is due when it is done, or had to be done and was not skipped. `completion_rate`
    is the percentage of the due days that are done, rounded down.
    """
    shown: list[HistoryDay] = []
    due = 0
    for _, group in groupby(days, key=lambda day: _period(span, day.date)):
        period = list(group)
        kept = _limit_statuses(span, period) if span.direction == "at_most" else {}
        for day in period:
            if not span.first <= day.date <= span.last:
                continue
            if span.direction == "at_most":
                status = kept[day.date]
                due += status in ("done", "missed")
            else:
                required = _is_required(span, day, period)
                status = _status(day, span.today, required=required)
                due += day.done or (required and not day.skipped)
            shown.append(_shown(day, status))
    done = sum(day.status == "done" for day in shown)
    return History(
        days=shown,
        completed_days=done,
        due_days=due,
        completion_rate=100 * done // due if due else 0,
        current_streak=span.current_streak,
        longest_streak=span.longest_streak,
    )


def _period(span: HistorySpan, day: date) -> tuple[int, ...]:
    """The properties that all days of one week, month or day share."""
    if span.cadence in ("week", "weekly"):
        return day.isocalendar()[:2]
    return (day.year, day.month) if span.cadence == "month" else (day.toordinal(),)


def _is_required(span: HistorySpan, day: RecordedDay, period: Sequence[RecordedDay]) -> bool:
    """Whether the habit had to be done on the day: today, or a scheduled day since it was created that is not paused.

    No single day of a weekly habit has to be done. The days it missed are those that cost the week its target, after
    which the days left were too few to reach it: a week with 2 of 3 days done has one missed day. A week or a month
    whose amount was not reached is missed on its last day. A period with a paused day breaks no streak, so no day of it
    is missed.
    """
    if day.paused or day.date > span.today or (day.date < span.began_on and day.date != span.today):
        return False
    if day.date < span.today and any(other.paused for other in period):
        return False
    if span.cadence in ("week", "month"):
        is_open = not any(other.done for other in period)
        return is_open and (day.date == span.today or day.date == period[-1].date)
    if span.cadence != "weekly":
        return day.scheduled
    target = min((other.week_target for other in period if other.week_target is not None), default=span.target_count)
    if day.date == span.today:
        return sum(other.done for other in period) < target
    return sum(other.done for other in period if other.date <= day.date) + _days_left(day.date) < target


def _days_left(day: date) -> int:
    """How many days of the week come after this one."""
    return 7 - day.isoweekday()


def _status(day: RecordedDay, today: date, *, required: bool) -> Status:
    if day.done:
        return "done"
    if day.skipped:
        return "skipped"
    # the amount of a day may have been corrected to 0
    if day.count if day.amount is None else day.amount:
        return "partial"
    if not required:
        return "not_due"
    return "pending" if day.date == today else "missed"


def _limit_statuses(span: HistorySpan, period: Sequence[RecordedDay]) -> dict[date, Status]:
    """The statuses of a period's days for a limit. The last day is done once the period is over and the limit was kept.

    If the limit was exceeded, the day on which that happened is missed, at once. The other days are not due. With a
    paused day no day is missed; a period that is paused as a whole is not kept either.
    """
    statuses: dict[date, Status] = {day.date: "skipped" if day.skipped else "not_due" for day in period}
    last = period[-1]
    if last.date < span.began_on or (len(period) == 1 and (last.skipped or not last.scheduled)):
        return statuses
    target = max((day.amount_target for day in period if day.amount_target is not None), default=Decimal(0))
    sums = accumulate(day.amount or Decimal(0) for day in period)
    passed = next((day.date for day, total in zip(period, sums, strict=True) if total > target), None)
    paused = [day.paused for day in period]
    if passed is not None:
        statuses[passed] = "not_due" if any(paused) else "missed"
    elif last.date < span.today and not all(paused):
        statuses[last.date] = "done"
    return statuses


def _shown(day: RecordedDay, status: Status) -> HistoryDay:
    return HistoryDay(
        date=day.date,
        count=day.count,
        target=day.target,
        status=status,
        amount=None if day.amount is None else float(day.amount),
        notes=day.notes,
    )
