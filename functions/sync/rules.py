"""What a poll shows of its rows: percentages, versions by domain, and the data of the domains that changed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from questlog.notifications import Channels
from questlog.revision import Revisions
from questlog.wire import percentage, rfc3339

from functions.sync.models import (
    Badges,
    Domain,
    DomainVersion,
    FocusStatus,
    PlanRow,
    PlanStatus,
    Poll,
    PollRow,
    Progress,
    ProgressRow,
    SettingRow,
    Versions,
)

Columns = Mapping[str, Any]

# Columns that the domains' own routes do not show.
_INTERNAL = {
    *("user_id", "created_on", "streak", "streak_through", "import_key", "import_digest", "period_start", "ready"),
    *("undo_count", "total", "cadence", "streak_from", "longest_before"),
}


def progress(row: ProgressRow) -> Progress:
    """The progress with the part of the level that is done, in percent."""
    return Progress(**row.model_dump(), xp_progress_percent=percentage(row.current_xp, row.xp_to_next_level))


def plan_status(row: PlanRow) -> PlanStatus:
    """The plan's status with the part of it that is completed, in percent."""
    return PlanStatus(**row.model_dump(), percent_complete=percentage(row.completed, row.total))


def poll(row: PollRow) -> Poll:
    """The four parts of a poll, without its tag."""
    columns = row.model_dump()
    return Poll(
        progress=progress(ProgressRow(**columns)),
        badges=Badges(**columns),
        focus=FocusStatus(**columns),
        plan=plan_status(PlanRow(**columns)),
        server_time=row.server_time,
    )


def tag(digest: str, row: PollRow) -> str:
    """The tag of a poll, with the revisions it was made of: they may tell the next poll that nothing has changed."""
    if row.revision is None or row.shared_revision is None:
        return digest
    return Revisions(row.revision, row.shared_revision, row.unchanged_until).tag(digest)


def versions(rows: Iterable[DomainVersion]) -> Versions:
    """The versions by domain."""
    return Versions(**{row.domain: row.version for row in rows})


def listed(rows: Iterable[Columns], *hidden: str) -> list[dict[str, Any]]:
    """Rows as the domain's own list shows them."""
    return [
        {name: _on_the_wire(value) for name, value in row.items() if name not in _INTERNAL and name not in hidden}
        for row in rows
    ]


def _on_the_wire(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return float(value) if isinstance(value, Decimal) else value


def goals(rows: Sequence[Columns], milestones: Iterable[Columns]) -> dict[str, Any]:
    """Goals as their own list shows them: each with its milestones, which are in order of goal and place."""
    by_goal = {goal_id: listed(group) for goal_id, group in groupby(milestones, key=lambda row: row["goal_id"])}
    shown = listed(rows)
    for goal in shown:
        goal["milestones"] = by_goal.get(goal["id"], [])
        goal["total_milestones"] = len(goal["milestones"])
        goal["completed_milestones"] = sum(milestone["is_completed"] for milestone in goal["milestones"])
    return {"goals": shown, "total": len(shown)}


def quests(rows: Sequence[Columns]) -> dict[str, Any]:
    """The first page of the quests, as their own list shows them."""
    return {"quests": listed(rows, "sort_order"), "total": rows[0]["total"] if rows else 0}


def settings(rows: Iterable[SettingRow], here: Channels) -> dict[str, Any]:
    """The typed settings, and which ways to the user this installation has."""
    ways = {"push_available": here.push_available, "email_available": here.email_available}
    return {**{row.key: row.value for row in rows}, **ways}


def updates(changed: Iterable[DomainVersion], data: Mapping[Domain, dict[str, Any]] | None) -> dict[Domain, Any]:
    """The data of the domains that changed, or null for each where no data was asked for."""
    return {row.domain: data[row.domain] if data is not None else None for row in changed if row.changed}
