"""Pure rules for what is shown: percentages, days without a row, the next page, progress in words."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from questlog.cursor import cursor_at
from questlog.wire import percentage

from functions.gamification.models import (
    ClosestAchievement,
    HistoryDay,
    Ledger,
    NumberedEntry,
    Progress,
    ProgressRow,
    Summary,
    SummaryRow,
    Tease,
)


def summary(row: SummaryRow) -> Summary:
    """The summary with the part of the level that is done, in whole percent, rounded down."""
    return Summary(**dict(row), xp_progress_percent=int(percentage(row.current_xp, row.xp_to_next_level)))


def progress(row: ProgressRow) -> Progress:
    """The progress with the part of the level that is done, in percent."""
    return Progress(**dict(row), xp_progress_percent=percentage(row.current_xp, row.xp_to_next_level))


def every_day(today: date, days: int, moved: Iterable[HistoryDay]) -> list[HistoryDay]:
    """The last `days` local days with today, oldest first; those without a row in `moved` are zeros."""
    by_date = {day.date: day for day in moved}
    dates = [today - timedelta(days=back) for back in reversed(range(days))]
    nothing = HistoryDay(date=today, xp=0, coins_earned=0, coins_spent=0, events=0)
    return [by_date.get(day) or nothing.model_copy(update={"date": day}) for day in dates]


def page_of(rows: Sequence[NumberedEntry], limit: int) -> Ledger:
    """The page of the first `limit` rows. There is a next one if there are more rows than that."""
    page = rows[:limit]
    return Ledger(entries=[*page], next_cursor=cursor_at(page[-1].seq) if len(rows) > limit else None)


def tease(achievement: ClosestAchievement) -> Tease:
    """An achievement with how far it is, in numbers and in words: "3 of 10 focus sessions"."""
    return Tease(
        achievement=achievement,
        progress=achievement.progress,
        progress_max=achievement.progress_max,
        progress_label=f"{achievement.progress} of {achievement.progress_max} {_unit(achievement)}",
    )


def _unit(achievement: ClosestAchievement) -> str:
    match achievement.trigger_type:
        case "counter":
            return str(achievement.trigger_config["counter"]).replace("_", " ")
        case "level":
            return "levels gained"
        case "event":
            return "done"
        case _:
            streak_type = achievement.trigger_config["streak_type"]
            return "days in a row" if streak_type == "daily_activity" else f"{streak_type} days in a row"
