"""The tables of the usual stack."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Text


class Base(DeclarativeBase):
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


class User(Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(unique=True)
    timezone: Mapped[str] = mapped_column(default="UTC")


class Login(Base):
    __tablename__ = "sessions"
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    expires_at: Mapped[datetime]


class FocusSession(Base):
    __tablename__ = "focus_sessions"
    __table_args__ = (Index("focus_sessions_by_user", "user_id", "status"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    duration_seconds: Mapped[int] = mapped_column(default=1500)
    status: Mapped[str] = mapped_column(default="active")
    task_title: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(default=list)
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    xp_awarded: Mapped[int] = mapped_column(default=0)
    coins_awarded: Mapped[int] = mapped_column(default=0)


class Habit(Base):
    __tablename__ = "habits"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    description: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    sort_order: Mapped[int]
    xp_reward: Mapped[int] = mapped_column(default=10)
    coin_reward: Mapped[int] = mapped_column(default=5)
    current_streak: Mapped[int] = mapped_column(default=0)
    longest_streak: Mapped[int] = mapped_column(default=0)
    last_completed_on: Mapped[date | None]
    created_at: Mapped[datetime]


class HabitCompletion(Base):
    __tablename__ = "habit_completions"
    __table_args__ = (UniqueConstraint("habit_id", "completed_date"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    habit_id: Mapped[UUID] = mapped_column(ForeignKey("habits.id"))
    completed_date: Mapped[date]
    completed_at: Mapped[datetime]


class LedgerEntry(Base):
    __tablename__ = "ledger"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key"),
        Index("ledger_by_day", "user_id", "created_at"),
    )
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    event_type: Mapped[str]
    xp: Mapped[int]
    coins: Mapped[int]
    idempotency_key: Mapped[str]
    created_at: Mapped[datetime]


class Progress(Base):
    __tablename__ = "user_progress"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    total_xp: Mapped[int] = mapped_column(BigInteger, default=0)
    level: Mapped[int] = mapped_column(default=1)


class Wallet(Base):
    __tablename__ = "user_wallet"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    coins: Mapped[int] = mapped_column(BigInteger, default=0)


class Streak(Base):
    __tablename__ = "user_streaks"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    streak_type: Mapped[str] = mapped_column(primary_key=True)
    current_streak: Mapped[int] = mapped_column(default=0)
    longest_streak: Mapped[int] = mapped_column(default=0)
    last_activity_date: Mapped[date | None]


class Goal(Base):
    __tablename__ = "goals"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    title: Mapped[str]
    status: Mapped[str] = mapped_column(default="active")
    deadline: Mapped[date | None]


class UserQuest(Base):
    __tablename__ = "user_quests"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    title: Mapped[str]
    status: Mapped[str] = mapped_column(default="active")
    progress: Mapped[int] = mapped_column(default=0)
    target: Mapped[int] = mapped_column(default=1)


class DailyPlan(Base):
    __tablename__ = "daily_plans"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    items: Mapped[list[dict[str, Any]]] = mapped_column(default=list)


class Setting(Base):
    __tablename__ = "user_settings"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    values: Mapped[dict[str, Any]] = mapped_column(default=dict)
