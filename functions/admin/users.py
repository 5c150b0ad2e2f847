"""The routes of users: list, change, pay and delete them."""

from typing import Annotated, cast
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, ValidationInfo, field_validator
from typing_extensions import TypedDict

from questlog.api import Api
from questlog.db import Db
from questlog.identity import Client
from questlog.settings import settings
from questlog.wire import Body, Page, PageSize, Query, Row, Success, Total, Trimmed, absent

from functions.admin.models import ROLE, Done, NamedNumber, Paging, Role, Search, User, UserStatistics

api = Api(__file__, queries="users.sql", role=ROLE)

Amount = Annotated[int, Field(ge=0, le=100_000)]

Days = Annotated[int, Field(ge=0, le=3650)]


class UsersQuery(Query):
    search: Search | None = None
    role: Role | None = None
    page: Page = 1
    page_size: PageSize = 50


class UserChange(Body):
    role: Role = absent()
    approved: bool = absent()


class Adjustment(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"coins": 25, "reason": "A refund"}]})

    xp: Amount = 0
    coins: Annotated[Amount, Field(validate_default=True)] = 0
    reason: Annotated[Trimmed, StringConstraints(min_length=1, max_length=500)]

    @field_validator("coins")
    @classmethod
    def _something(cls, coins: int, sent: ValidationInfo) -> int:
        if coins == 0 and sent.data.get("xp") == 0:
            raise ValueError("must be more than 0 where xp is not")
        return coins


class AbandonedQuery(Query):
    older_than_days: Days = 30


class Cleanup(Body):
    older_than_days: Days = 30
    ids: Annotated[list[UUID], Field(max_length=1000)] | None = None


class Users(Paging):
    users: list[User]


class FoundUser(User):
    """A user, and how many a search has found."""

    found: int


class AbandonedRow(User):
    """A user, and how many abandoned accounts there are."""

    abandoned: int


class Abandoned(TypedDict):
    """Accounts that were made and never begun: the oldest of them, and how many there are among how many users."""

    users: list[User]
    count: int
    total_users: int


class UserId(TypedDict):
    id: UUID


class CleanedUp(TypedDict):
    """The accounts that were deleted."""

    deleted: int
    ids: list[UUID]


class Payment(TypedDict):
    """An adjustment: its row in the audit trail, and the user's balances after it."""

    audit_id: UUID
    coins: int
    total_xp: int


class Adjusted(Done, Payment):
    pass


class Held(TypedDict):
    """How many tables held rows of a user."""

    tables_cleaned: int


class UserDeleted(Done, Held):
    pass


@api.get("/admin/users", requires="users:manage", envelope=False)
def users(db: Db, query: UsersQuery) -> Users:
    """List the users, newest first; `search` is looked for in e-mail and name, whatever its case."""
    asked = {**query.model_dump(), "terms": settings().tos_version}
    if query.search:
        found, count = db.each((list[FoundUser], Total), "found_users", **asked)
        shown: list[User] = [*found]
        total = found[0]["found"] if found else count.total
    else:
        shown, count = db.each((list[User], Total), "users", **asked)
        total = count.total
    return {"users": shown, "total": total, "page": query.page, "page_size": query.page_size}


@api.get("/admin/users/stats", requires="users:manage", envelope=False)
def statistics(db: Db) -> UserStatistics:
    """Return the users in numbers; in a large installation those of the last clean-up, as GET /admin/stats does."""
    rows = db.many(NamedNumber, "user_statistics", terms=settings().tos_version)
    return cast(UserStatistics, {row["name"]: row["value"] for row in rows})


@api.get("/admin/users/{user_id}", requires="users:manage", envelope=False)
def user(db: Db, user_id: UUID) -> User:
    """Return one user."""
    return db.one(User, "user", user_id=user_id, terms=settings().tos_version)


@api.patch("/admin/users/{user_id}", requires="users:manage", envelope=False, errors={409: ["self", "last_admin"]})
def change(db: Db, client: Client, user_id: UUID, body: UserChange) -> User:
    """Change a user's role, suspend or readmit them. Suspending a user ends all their sessions.

    409 self for the caller's own account, last_admin where nobody else could administrate.
    """
    return db.one(
        User,
        "change_user",
        user_id=user_id,
        role=body.role,
        approved=body.approved,
        client=client._asdict(),
        terms=settings().tos_version,
    )


@api.post("/admin/users/{user_id}/adjustments", requires="users:manage", envelope=False)
def adjust(db: Db, client: Client, user_id: UUID, body: Adjustment) -> Adjusted:
    """Give a user XP, coins or both. Returns the balances after it.

    Send an Idempotency-Key: each request without one gives again.
    """
    payment = db.one(Payment, "adjust_user", user_id=user_id, client=client._asdict(), **body.model_dump())
    return {"success": True, "message": f"Gave {body.xp} XP and {body.coins} coins.", **payment}


@api.delete(
    "/admin/users/{user_id}",
    requires="users:manage",
    envelope=False,
    store_response=False,
    errors={409: ["self", "last_admin"]},
)
def delete(db: Db, client: Client, user_id: UUID) -> UserDeleted:
    """Delete a user with everything of theirs, for good. Returns how many tables held rows of the user.

    409 self for the caller's own account, last_admin where nobody else could administrate. Jobs are cancelled in a trip
    of their own: an import that is under way would hold the user's row against the deletion until it is done.
    """
    db.many(Row, "cancel_jobs", user_id=user_id)
    held, _ = db.each((Held, Success), "delete_user", user_id=user_id, client=client._asdict())
    return {"success": True, "message": "The user and everything of theirs are deleted.", **held}


@api.get("/admin/cleanup-users", requires="users:manage", envelope=False)
def abandoned(db: Db, query: AbandonedQuery) -> Abandoned:
    """List abandoned accounts, the oldest first, at most 1000.

    They are of plain users who never gave their age or accepted terms, created and last active so many days ago, and
    empty.
    """
    rows, total = db.each(
        (list[AbandonedRow], Total), "abandoned", days=query.older_than_days, terms=settings().tos_version
    )
    count = rows[0]["abandoned"] if rows else 0
    return {"users": [*rows], "count": count, "total_users": total.total}


@api.delete("/admin/cleanup-users", requires="users:manage", envelope=False)
def clean_up(db: Db, client: Client, body: Cleanup) -> CleanedUp:
    """Delete abandoned accounts, the oldest first, at most 1000; with `ids` only those of them that are abandoned."""
    rows = db.many(UserId, "delete_abandoned", days=body.older_than_days, ids=body.ids, client=client._asdict())
    return {"deleted": len(rows), "ids": [row["id"] for row in rows]}
