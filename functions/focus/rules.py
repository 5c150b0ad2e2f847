"""What focus sessions show and add up to, from the rows of the database."""

from collections.abc import Sequence

from functions.focus.models import EndedDay, FocusDay, PauseState, Session, Stats


def pause_state(session: Session | None) -> PauseState | None:
    """The pause of a session, None unless it is paused."""
    if session is None or session.paused_at is None:
        return None
    return PauseState(
        mode=session.mode,
        time_remaining_seconds=session.time_remaining_seconds,
        paused_at=session.paused_at,
        session_id=session.id,
    )


def stats(days: Sequence[EndedDay], focus_streak: int) -> Stats:
    """The totals of the days. A day on which sessions were only abandoned is not active, and not in `by_day`."""
    completed = sum(day.completed for day in days)
    abandoned = sum(day.abandoned for day in days)
    counted = sum(day.sessions for day in days)
    seconds = sum(day.seconds for day in days)
    by_day = [FocusDay(date=day.date, seconds=day.seconds, sessions=day.sessions) for day in days if day.sessions]
    return Stats(
        completed_sessions=completed,
        abandoned_sessions=abandoned,
        total_sessions=completed + abandoned,
        total_focus_seconds=seconds,
        total_xp_earned=sum(day.xp for day in days),
        total_coins_earned=sum(day.coins for day in days),
        average_session_seconds=seconds // counted if counted else 0,
        days_active=len(by_day),
        focus_streak=focus_streak,
        by_day=by_day,
    )
