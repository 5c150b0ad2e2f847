"""The routes of the usual stack: a dependency for the database, one for the user, and a query for each thing."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from math import isqrt
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Cookie, Depends, FastAPI, HTTPException
from mangum import Mangum
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bench.peer.models import (
    DailyPlan,
    FocusSession,
    Goal,
    Habit,
    HabitCompletion,
    LedgerEntry,
    Login,
    Progress,
    Setting,
    Streak,
    User,
    UserQuest,
    Wallet,
)

app = FastAPI()


@cache
def engine() -> Engine:
    """One connection per process: a Lambda environment serves one request at a time."""
    return create_engine(os.environ["PEER_DATABASE_URL"], pool_size=1, max_overflow=0)


def database() -> Iterator[Session]:
    with Session(engine()) as session:
        yield session


Database = Annotated[Session, Depends(database)]


def signed_in(db: Database, session: Annotated[str, Cookie()]) -> User:
    token_hash = hashlib.sha256(session.encode()).digest()
    user = db.scalars(
        select(User).join(Login).where(Login.token_hash == token_hash, Login.expires_at > datetime.now(UTC))
    ).one_or_none()
    if user is None:
        raise HTTPException(401, "Sign in to do this.")
    return user


CurrentUser = Annotated[User, Depends(signed_in)]


class Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class FocusStart(BaseModel):
    duration_seconds: int = 1500
    task_title: str | None = None
    tags: list[str] = []


class FocusRead(Read):
    id: UUID
    duration_seconds: int
    status: str
    task_title: str | None
    tags: list[str]
    started_at: datetime
    completed_at: datetime | None
    xp_awarded: int
    coins_awarded: int


class ActiveRead(BaseModel):
    session: FocusRead | None
    time_remaining_seconds: int


class Reward(BaseModel):
    xp_awarded: int
    coins_awarded: int
    leveled_up: bool
    new_level: int
    streak: int


class FocusCompleted(Reward):
    session: FocusRead


class HabitRead(Read):
    id: UUID
    name: str
    description: str | None
    is_active: bool
    sort_order: int
    xp_reward: int
    coin_reward: int
    current_streak: int
    longest_streak: int
    last_completed_on: date | None
    created_at: datetime
    completed_today: bool = False


class Habits(BaseModel):
    habits: list[HabitRead]


class HabitCompleted(Reward):
    habit: HabitRead


class TodayRead(BaseModel):
    date: date
    plan_items: list[dict[str, Any]]
    habits_done: int
    habits_due: int
    focus_seconds: int
    focus_sessions: int
    focus_active: bool
    quests_active: int
    quests_ready: int
    streak_days: int
    level: int
    total_xp: int
    coins: int
    xp_today: int
    coins_today: int
    overdue_goals: int
    settings: dict[str, Any]
    uses: dict[str, int]


def today_of(user: User) -> date:
    return datetime.now(ZoneInfo(user.timezone)).date()


def start_of(day: date, user: User) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(user.timezone))


def level_of(total_xp: int) -> int:
    level, floor = 1, isqrt(10_000)
    while total_xp >= floor:
        level += 1
        floor += isqrt(10_000 * level**3)
    return level


def award(db: Session, user: User, event_type: str, cause: UUID, *, xp: int, coins: int) -> Reward:
    """Pay once per cause: the ledger row, then progress, wallet and streak."""
    paid = db.execute(
        insert(LedgerEntry)
        .values(
            user_id=user.id,
            event_type=event_type,
            xp=xp,
            coins=coins,
            idempotency_key=f"{event_type}:{cause}",
            created_at=datetime.now(UTC),
        )
        .on_conflict_do_nothing()
        .returning(LedgerEntry.id)
    ).one_or_none()
    progress = db.scalars(select(Progress).where(Progress.user_id == user.id).with_for_update()).one()
    wallet = db.scalars(select(Wallet).where(Wallet.user_id == user.id).with_for_update()).one()
    streak = db.scalars(
        select(Streak).where(Streak.user_id == user.id, Streak.streak_type == "daily_activity").with_for_update()
    ).one()
    before = progress.level
    if paid is not None:
        progress.total_xp += xp
        progress.level = level_of(progress.total_xp)
        wallet.coins += coins
        today = today_of(user)
        if streak.last_activity_date != today:
            follows = streak.last_activity_date == today - timedelta(days=1)
            streak.current_streak = streak.current_streak + 1 if follows else 1
            streak.longest_streak = max(streak.longest_streak, streak.current_streak)
            streak.last_activity_date = today
    return Reward(
        xp_awarded=xp,
        coins_awarded=coins,
        leveled_up=progress.level > before,
        new_level=progress.level,
        streak=streak.current_streak,
    )


@app.post("/focus")
def start_focus(db: Database, user: CurrentUser, body: FocusStart) -> FocusRead:
    running = db.scalars(
        select(FocusSession).where(FocusSession.user_id == user.id, FocusSession.status == "active")
    ).one_or_none()
    if running is not None:
        raise HTTPException(409, "A session is running.")
    session = FocusSession(user_id=user.id, started_at=datetime.now(UTC), **body.model_dump())
    db.add(session)
    db.flush()
    answer = FocusRead.model_validate(session)
    db.commit()
    return answer


@app.get("/focus/active")
def active_focus(db: Database, user: CurrentUser) -> ActiveRead:
    session = db.scalars(
        select(FocusSession).where(FocusSession.user_id == user.id, FocusSession.status == "active")
    ).one_or_none()
    if session is None:
        return ActiveRead(session=None, time_remaining_seconds=0)
    left = session.started_at + timedelta(seconds=session.duration_seconds) - datetime.now(UTC)
    return ActiveRead(
        session=FocusRead.model_validate(session), time_remaining_seconds=max(0, int(left.total_seconds()))
    )


@app.post("/focus/{session_id}/complete")
def complete_focus(db: Database, user: CurrentUser, session_id: UUID) -> FocusCompleted:
    session = db.scalars(
        select(FocusSession).where(FocusSession.user_id == user.id, FocusSession.id == session_id).with_for_update()
    ).one_or_none()
    if session is None:
        raise HTTPException(404, "There is no such session.")
    minutes = session.duration_seconds // 60
    reward = award(db, user, "focus_complete", session.id, xp=minutes, coins=minutes // 5)
    session.status = "completed"
    session.completed_at = datetime.now(UTC)
    session.xp_awarded, session.coins_awarded = reward.xp_awarded, reward.coins_awarded
    db.flush()
    answer = FocusCompleted(**reward.model_dump(), session=FocusRead.model_validate(session))
    db.commit()
    return answer


@app.get("/habits")
def list_habits(db: Database, user: CurrentUser) -> Habits:
    today = today_of(user)
    habits = db.scalars(
        select(Habit).where(Habit.user_id == user.id, Habit.is_active).order_by(Habit.sort_order, Habit.created_at)
    ).all()
    done = set(
        db.scalars(
            select(HabitCompletion.habit_id).where(
                HabitCompletion.user_id == user.id, HabitCompletion.completed_date == today
            )
        )
    )
    return Habits(
        habits=[
            HabitRead.model_validate(habit).model_copy(update={"completed_today": habit.id in done}) for habit in habits
        ]
    )


@app.post("/habits/{habit_id}/complete")
def complete_habit(db: Database, user: CurrentUser, habit_id: UUID) -> HabitCompleted:
    today = today_of(user)
    habit = db.scalars(
        select(Habit).where(Habit.user_id == user.id, Habit.id == habit_id).with_for_update()
    ).one_or_none()
    if habit is None:
        raise HTTPException(404, "There is no such habit.")
    done = db.scalars(
        select(HabitCompletion).where(HabitCompletion.habit_id == habit.id, HabitCompletion.completed_date == today)
    ).one_or_none()
    if done is None:
        done = HabitCompletion(user_id=user.id, habit_id=habit.id, completed_date=today, completed_at=datetime.now(UTC))
        db.add(done)
        follows = habit.last_completed_on == today - timedelta(days=1)
        habit.current_streak = habit.current_streak + 1 if follows else 1
        habit.longest_streak = max(habit.longest_streak, habit.current_streak)
        habit.last_completed_on = today
        db.flush()
    reward = award(db, user, "habit_complete", done.id, xp=habit.xp_reward, coins=habit.coin_reward)
    read = HabitRead.model_validate(habit).model_copy(update={"completed_today": True})
    answer = HabitCompleted(**reward.model_dump(), habit=read)
    db.commit()
    return answer


@app.get("/today")
def read_today(db: Database, user: CurrentUser) -> TodayRead:
    today = today_of(user)
    start, two_weeks = start_of(today, user), datetime.now(UTC) - timedelta(days=14)
    progress = db.scalars(select(Progress).where(Progress.user_id == user.id)).one()
    wallet = db.scalars(select(Wallet).where(Wallet.user_id == user.id)).one()
    streak = db.scalars(select(Streak).where(Streak.user_id == user.id, Streak.streak_type == "daily_activity")).one()
    plan = db.get(DailyPlan, (user.id, today))
    due = db.scalar(select(func.count()).where(Habit.user_id == user.id, Habit.is_active)) or 0
    done = (
        db.scalar(
            select(func.count()).where(HabitCompletion.user_id == user.id, HabitCompletion.completed_date == today)
        )
        or 0
    )
    seconds, sessions = db.execute(
        select(func.coalesce(func.sum(FocusSession.duration_seconds), 0), func.count()).where(
            FocusSession.user_id == user.id, FocusSession.status == "completed", FocusSession.completed_at >= start
        )
    ).one()
    focus_active = db.scalar(
        select(func.count()).where(FocusSession.user_id == user.id, FocusSession.status == "active")
    )
    active, ready = db.execute(
        select(func.count(), func.count().filter(UserQuest.progress >= UserQuest.target)).where(
            UserQuest.user_id == user.id, UserQuest.status == "active"
        )
    ).one()
    xp, coins = db.execute(
        select(func.coalesce(func.sum(LedgerEntry.xp), 0), func.coalesce(func.sum(LedgerEntry.coins), 0)).where(
            LedgerEntry.user_id == user.id, LedgerEntry.created_at >= start
        )
    ).one()
    overdue = (
        db.scalar(select(func.count()).where(Goal.user_id == user.id, Goal.status == "active", Goal.deadline < today))
        or 0
    )
    uses = db.execute(
        select(LedgerEntry.event_type, func.count().label("times"))
        .where(LedgerEntry.user_id == user.id, LedgerEntry.created_at >= two_weeks)
        .group_by(LedgerEntry.event_type)
    ).all()
    setting = db.get(Setting, user.id)
    return TodayRead(
        date=today,
        plan_items=plan.items if plan else [],
        habits_done=done,
        habits_due=due,
        focus_seconds=seconds,
        focus_sessions=sessions,
        focus_active=bool(focus_active),
        quests_active=active,
        quests_ready=ready,
        streak_days=streak.current_streak,
        level=progress.level,
        total_xp=progress.total_xp,
        coins=wallet.coins,
        xp_today=xp,
        coins_today=coins,
        overdue_goals=overdue,
        settings=setting.values if setting else {},
        uses={used.event_type: used.times for used in uses},
    )


handler = Mangum(app, lifespan="off")
