"""Gamification: what the ledger adds up to, shown to its user (core contract, section 2)."""

from typing import Any, TypeVar

from questlog.api import Api
from questlog.db import Db
from questlog.wire import ResponseModel

from functions.gamification.models import (
    AchievementBook,
    AchievementsQuery,
    Activity,
    ActivityQuery,
    Board,
    BoardQuery,
    EarnedAchievement,
    EarnedQuery,
    History,
    HistoryQuery,
    KnownAchievement,
    LeaderRow,
    Ledger,
    LedgerQuery,
    LoggedActivity,
    PeriodQuery,
    Progress,
    Rows,
    Rules,
    Seen,
    SeenAchievements,
    Skill,
    Stats,
    Streak,
    Summary,
    Teaser,
    UserSkill,
)

A = TypeVar("A", bound=ResponseModel)

api = Api(__file__)


@api.get("/gamification/summary")
def summary(db: Db) -> Summary:
    """Level, coins, streak and the like in one document."""
    return db.one(Summary, "summary")


@api.get("/gamification/stats")
def stats(db: Db) -> Stats:
    """The summary with every counter and the boosts that run."""
    return db.one(Stats, "stats")


@api.get("/gamification/teaser", envelope=False)
def teaser(db: Db) -> Teaser:
    """The achievement closest to being earned; null once there is none left."""
    return db.one(Teaser, "teaser")


@api.get("/gamification/achievements")
def achievement_book(db: Db, query: AchievementsQuery) -> AchievementBook:
    """Every achievement the user may know of, with the progress towards it. The counts are not narrowed by `earned`."""
    return db.one(AchievementBook, "achievement_book", **query.model_dump())


@api.post("/gamification/achievements/seen")
def mark_seen(db: Db, body: SeenAchievements) -> Seen:
    """Note that the user has seen achievements, all of them or those named; unknown keys are ignored."""
    return db.one(Seen, "mark_seen", keys=body.keys)


@api.get("/gamification/ledger")
def ledger(db: Db, query: LedgerQuery) -> Ledger:
    """The ledger line by line, newest first."""
    return db.one(Ledger, "ledger", **query.model_dump())


@api.get("/gamification/history")
def history(db: Db, query: HistoryQuery) -> History:
    """What each local day brought, days without anything too; oldest first."""
    return db.one(History, "history", days=query.days)


@api.get("/gamification/rules")
def rules(db: Db) -> Rules:
    """What the first thirty levels cost, and the lifetime XP at which they begin."""
    return db.one(Rules, "rules")


@api.get("/gamification/leaderboard")
def leaderboard(db: Db, query: BoardQuery) -> Board:
    """A board of the users who chose to be shown, and where the caller stands."""
    return db.one(Board, "leaderboard", **query.model_dump())


@api.get("/leaderboard/xp", envelope=False)
def xp_board(db: Db, query: PeriodQuery) -> list[LeaderRow]:
    """The users with the most XP of a period."""
    return db.one(Board, "leaderboard", board="xp", **query.model_dump()).entries


@api.get("/leaderboard/streaks", envelope=False)
def streak_board(db: Db, query: PeriodQuery) -> list[LeaderRow]:
    """The users with the longest running streaks; the period changes nothing."""
    return db.one(Board, "leaderboard", board="streaks", **query.model_dump()).entries


@api.get("/progress", envelope=False)
def progress(db: Db) -> Progress:
    """Level, XP, coins and the daily streak."""
    return db.one(Progress, "progress")


@api.get("/streaks", envelope=False)
def streaks(db: Db) -> list[Streak]:
    """The six streaks as they stand today."""
    return _rows(db, Streak, "streaks")


@api.get("/skills", envelope=False)
def skills(db: Db) -> list[Skill]:
    """The skills there are."""
    return _rows(db, Skill, "skills")


@api.get("/skills/user", envelope=False)
def user_skills(db: Db) -> list[UserSkill]:
    """How far the user has come in each skill."""
    return _rows(db, UserSkill, "user_skills")


@api.get("/achievements", envelope=False)
def achievements(db: Db) -> list[KnownAchievement]:
    """The achievements there are; hidden ones once they are earned."""
    return _rows(db, KnownAchievement, "achievements")


@api.get("/achievements/user", envelope=False)
def earned_achievements(db: Db, query: EarnedQuery) -> list[EarnedAchievement]:
    """What the user has earned, newest first; with unseen=true what has not been shown yet."""
    return _rows(db, EarnedAchievement, "earned_achievements", unseen=query.unseen)


@api.get("/activity", envelope=False)
def activities(db: Db, query: ActivityQuery) -> list[Activity]:
    """What clients logged and what was paid, as one feed, newest first."""
    return _rows(db, Activity, "activities", before=query.before, limit=min(query.limit, 100))


@api.post("/activity", envelope=False)
def log_activity(db: Db, body: LoggedActivity) -> Activity:
    """Log something that pays nothing; 429 rate_limited after 500 of a local day."""
    return db.one(
        Activity,
        "log_activity",
        event_type=body.event_type,
        category=body.category,
        metadata=body.metadata,
    )


def _rows(db: Db, model: type[A], name: str, **parameters: Any) -> list[A]:
    """The array that a statement answers."""
    return [model.model_validate(row) for row in db.one(Rows, name, **parameters).root]


handler = api.handler
