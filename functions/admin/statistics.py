"""The route of the whole installation in numbers."""

from typing import cast
from uuid import UUID

from typing_extensions import TypedDict

from questlog.api import Api
from questlog.db import Db
from questlog.settings import settings
from questlog.wire import Instant

from functions.admin.models import ROLE, NamedNumber, UserStatistics

api = Api(__file__, queries="statistics.sql", role=ROLE)


class PartNumber(NamedNumber):
    """One of the numbers, and the part of the answer that it belongs to."""

    part: str


class ContentStatistics(TypedDict):
    """How much of the content that all share there is, and how many quests users have of their own."""

    exercises: int
    learn_topics: int
    learn_lessons: int
    learn_drills: int
    universal_quests: int
    user_quests: int
    market_items: int


class ActivityStatistics(TypedDict):
    """What users have done, all of them together."""

    total_focus_sessions: int
    completed_focus: int
    total_focus_minutes: int
    total_events: int
    events_24h: int
    habit_completions: int
    total_goals: int
    total_ideas: int
    total_books: int
    reference_tracks: int


class GamificationStatistics(TypedDict):
    """What the ledger has given, to all users together."""

    total_coins_distributed: int
    total_xp_distributed: int
    achievements_earned: int
    total_purchases: int


class RecentUser(TypedDict):
    id: UUID
    name: str
    email: str
    created_at: Instant
    last_activity_at: Instant | None


class RecentEvent(TypedDict):
    user_id: UUID
    user_name: str
    event_type: str
    created_at: Instant


class Moment(TypedDict):
    timestamp: Instant


class Statistics(Moment):
    users: UserStatistics
    content: ContentStatistics
    activity: ActivityStatistics
    gamification: GamificationStatistics
    recent_users: list[RecentUser]
    recent_events: list[RecentEvent]


@api.get("/admin/stats", requires="admin:access", envelope=False)
def statistics(db: Db) -> Statistics:
    """Return the whole installation in numbers, with the newest users and what users did last.

    `timestamp` is when the numbers were counted: now, or in an installation with more than some ten thousand rows at
    the last hourly clean-up.
    """
    numbers, recent_users, recent_events, moment = db.each(
        (list[PartNumber], list[RecentUser], list[RecentEvent], Moment), "statistics", terms=settings().tos_version
    )
    parts: dict[str, dict[str, int]] = {}
    for number in numbers:
        parts.setdefault(number["part"], {})[number["name"]] = number["value"]
    return cast(
        Statistics,
        {
            **parts,
            "recent_users": recent_users,
            "recent_events": recent_events,
            "timestamp": moment["timestamp"],
        },
    )
