"""Gamification: what the ledger adds up to, shown to its user (core contract, section 2)."""

from datetime import UTC, date, datetime

from questlog.api import Api, Tool
from questlog.db import Db

from functions.gamification import rules
from functions.gamification.models import (
    Achievement,
    AchievementBook,
    AchievementsQuery,
    Activity,
    ActivityQuery,
    Board,
    BoardQuery,
    BoardRow,
    Caller,
    ClosestAchievement,
    Counter,
    EarnedAchievement,
    EarnedQuery,
    Effect,
    History,
    HistoryDay,
    HistoryQuery,
    KnownAchievement,
    LeaderRow,
    Ledger,
    LedgerQuery,
    Level,
    LoggedActivity,
    NumberedEntry,
    PeriodQuery,
    Progress,
    ProgressRow,
    Rules,
    Seen,
    SeenAchievements,
    Skill,
    Stats,
    Streak,
    Summary,
    SummaryRow,
    Teaser,
    Today,
    UserSkill,
)

api = Api(__file__)

# Bounds that leave nothing out. With a plain bound the statement finds its first row by the index; with an optional one
# it would read all rows before that.
AFTER_ALL_ROWS = 2**63 - 1
AFTER_ALL_TIMES = datetime.max.replace(tzinfo=UTC)

# The statements of the ledger: by whether it is narrowed to a kind of event, and whether to days.
LEDGER = {
    (False, False): "ledger",
    (True, False): "ledger_of_kind",
    (False, True): "ledger_of_days",
    (True, True): "ledger_of_kind_and_days",
}


@api.get("/gamification/summary")
def summary(db: Db) -> Summary:
    """Return level, coins, streak and the like in one document."""
    return rules.summary(db.one(SummaryRow, "summary"))


@api.get("/gamification/stats")
def stats(db: Db) -> Stats:
    """Return the summary with every counter and the boosts that run."""
    row, counters, effects = db.each((SummaryRow, list[Counter], list[Effect]), "stats")
    return Stats(**dict(rules.summary(row)), counters={row.counter: row.value for row in counters}, effects=effects)


@api.get("/gamification/teaser", envelope=False)
def teaser(db: Db) -> Teaser:
    """Return the achievement closest to being earned; null once there is none left."""
    closest = db.maybe(ClosestAchievement, "teaser")
    return Teaser(teaser=rules.tease(closest) if closest else None)


@api.get("/gamification/achievements")
def achievement_book(db: Db, query: AchievementsQuery) -> AchievementBook:
    """List the achievements the user may know of, with the progress towards each.

    `earned` narrows the list and not the counts.
    """
    known = db.many(Achievement, "achievement_book", category=query.category)
    return AchievementBook(
        achievements=[achievement for achievement in known if query.earned in (None, achievement.earned)],
        earned_count=sum(achievement.earned for achievement in known),
        total=len(known),
    )


@api.post("/gamification/achievements/seen")
def mark_seen(db: Db, body: SeenAchievements) -> Seen:
    """Note that the user has seen achievements, all of them or those named; unknown keys are ignored."""
    return db.one(Seen, "mark_seen", keys=body.keys)


@api.get("/gamification/ledger")
def ledger(db: Db, query: LedgerQuery) -> Ledger:
    """List the rows of the ledger, newest first."""
    rows = db.many(
        NumberedEntry,
        LEDGER[query.event_type is not None, not query.from_ is query.to is None],
        before=AFTER_ALL_ROWS if query.cursor is None else query.cursor,
        first=query.from_ or date.min,
        last=query.to or date.max,
        event_type=query.event_type,
        rows=query.limit + 1,  # the one more tells whether there is a next page
    )
    return rules.page_of(rows, query.limit)


@api.get("/gamification/history")
def history(db: Db, query: HistoryQuery) -> History:
    """Return what each local day brought, days without anything too; oldest first."""
    today, moved = db.each((Today, list[HistoryDay]), "history", days=query.days)
    return History(days=rules.every_day(today.date, query.days, moved))


@api.get("/gamification/rules")
def level_rules(db: Db) -> Rules:
    """Return what the first thirty levels cost, and the lifetime XP at which each begins."""
    return Rules(levels=db.many(Level, "rules"))


@api.get("/gamification/leaderboard")
def leaderboard(db: Db, query: BoardQuery) -> Board:
    """Return a board of the users who chose to be shown, and where the caller stands."""
    caller, rows = db.each((Caller, list[BoardRow]), "leaderboard", **query.model_dump())
    return Board(
        board=query.board,
        period=query.period,
        opted_in=caller.opted_in,
        entries=[row for row in rows if row.place <= query.limit],
        me=next((row for row in rows if row.is_me), None),
    )


@api.get("/leaderboard/xp", envelope=False)
def xp_board(db: Db, query: PeriodQuery) -> list[LeaderRow]:
    """List the users with the most XP of a period."""
    return leaderboard(db, BoardQuery(board="xp", **query.model_dump())).entries


@api.get("/leaderboard/streaks", envelope=False)
def streak_board(db: Db, query: PeriodQuery) -> list[LeaderRow]:
    """List the users with the longest running streaks; the period changes nothing."""
    return leaderboard(db, BoardQuery(board="streaks", **query.model_dump())).entries


@api.get(
    "/progress",
    envelope=False,
    tools=[
        Tool("progress", "Level, XP, coins and the daily streak."),
    ],
)
def progress(db: Db) -> Progress:
    """Return level, XP, coins and the daily streak."""
    return rules.progress(db.one(ProgressRow, "progress"))


@api.get("/streaks", envelope=False)
def streaks(db: Db) -> list[Streak]:
    """List the six streaks as they stand today."""
    return db.many(Streak, "streaks")


@api.get("/skills", envelope=False)
def skills(db: Db) -> list[Skill]:
    """List the skills there are."""
    return db.many(Skill, "skills")


@api.get("/skills/user", envelope=False)
def user_skills(db: Db) -> list[UserSkill]:
    """Return how far the user has come in each skill."""
    return db.many(UserSkill, "user_skills")


@api.get("/achievements", envelope=False)
def achievements(db: Db) -> list[KnownAchievement]:
    """List the achievements there are; hidden ones once they are earned."""
    return db.many(KnownAchievement, "achievements")


@api.get("/achievements/user", envelope=False)
def earned_achievements(db: Db, query: EarnedQuery) -> list[EarnedAchievement]:
    """List what the user has earned, newest first; with unseen=true what has not been shown yet."""
    return db.many(EarnedAchievement, "earned_achievements", unseen=query.unseen)


@api.get("/activity", envelope=False)
def activities(db: Db, query: ActivityQuery) -> list[Activity]:
    """List what clients logged and what was paid as one feed, newest first."""
    return db.many(Activity, "activities", before=query.before or AFTER_ALL_TIMES, limit=min(query.limit, 100))


@api.post("/activity", envelope=False, errors={429: ["rate_limited"]})
def log_activity(db: Db, body: LoggedActivity) -> Activity:
    """Log something that pays nothing. 429 rate_limited after 500 of a local day."""
    return db.one(Activity, "log_activity", **body.model_dump(exclude={"type"}))


handler = api.handler
