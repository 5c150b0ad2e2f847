"""Gamification: what the ledger adds up to, shown to its user (core contract, section 2)."""

from functions.gamification.models import (
    AchievementBook,
    AchievementsQuery,
    Activities,
    Activity,
    ActivityQuery,
    Board,
    BoardName,
    BoardQuery,
    EarnedAchievements,
    EarnedQuery,
    History,
    HistoryQuery,
    KnownAchievements,
    LeaderRows,
    Ledger,
    LedgerQuery,
    LoggedActivity,
    Period,
    PeriodQuery,
    Progress,
    Rules,
    Seen,
    SeenAchievements,
    Skills,
    Stats,
    Streaks,
    Summary,
    Teaser,
    UserSkills,
)
from questlog.api import Api
from questlog.db import Db

api = Api(__file__)


@api.get("/gamification/summary")
def summary(db: Db) -> Summary:
    """Level, coins, streak and the like in one document."""
    return db.one(Summary, "summary")


@api.get("/gamification/stats")
def stats(db: Db) -> Stats:
    """The summary with every counter and the boosts that run."""
    return db.one(Stats, "stats")


@api.get("/gamification/teaser", bare=True)
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


@api.get("/leaderboard/xp", bare=True)
def xp_board(db: Db, query: PeriodQuery) -> LeaderRows:
    """The users with the most XP of a period."""
    return _rows(db, "xp", query.period, query.limit)


@api.get("/leaderboard/streaks", bare=True)
def streak_board(db: Db, query: PeriodQuery) -> LeaderRows:
    """The users with the longest running streaks; the period changes nothing."""
    return _rows(db, "streaks", query.period, query.limit)


def _rows(db: Db, board: BoardName, period: Period, limit: int) -> LeaderRows:
    return LeaderRows(db.one(Board, "leaderboard", board=board, period=period, limit=limit).entries)


@api.get("/progress", bare=True)
def progress(db: Db) -> Progress:
    """Level, XP, coins and the daily streak."""
    return db.one(Progress, "progress")


@api.get("/streaks", bare=True)
def streaks(db: Db) -> Streaks:
    """The six streaks as they stand today."""
    return db.one(Streaks, "streaks")


@api.get("/skills", bare=True)
def skills(db: Db) -> Skills:
    """The skills there are."""
    return db.one(Skills, "skills")


@api.get("/skills/user", bare=True)
def user_skills(db: Db) -> UserSkills:
    """How far the user has come in each skill."""
    return db.one(UserSkills, "user_skills")


@api.get("/achievements", bare=True)
def achievements(db: Db) -> KnownAchievements:
    """The achievements there are; hidden ones once they are earned."""
    return db.one(KnownAchievements, "achievements")


@api.get("/achievements/user", bare=True)
def earned_achievements(db: Db, query: EarnedQuery) -> EarnedAchievements:
    """What the user has earned, newest first; with unseen=true what has not been shown yet."""
    return db.one(EarnedAchievements, "earned_achievements", unseen=query.unseen)


@api.get("/activity", bare=True)
def activities(db: Db, query: ActivityQuery) -> Activities:
    """What clients logged and what was paid, as one feed, newest first."""
    return db.one(Activities, "activities", before=query.before, limit=min(query.limit, 100))


@api.post("/activity", bare=True)
def log_activity(db: Db, body: LoggedActivity) -> Activity:
    """Log something that pays nothing; 429 rate_limited after 500 of a local day."""
    return db.one(
        Activity,
        "log_activity",
        event_type=body.event_type,
        category=body.category,
        metadata=body.metadata,
    )


handler = api.handler
