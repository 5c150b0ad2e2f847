"""The user: profile, what they have done in numbers, settings, exports, deletion (platform contract, 5 and 6)."""

from typing import Any

from questlog import identity
from questlog.api import Api, Reply
from questlog.db import Db
from questlog.notifications import channels
from questlog.paging import PageOrAll
from questlog.settings import settings as environment
from questlog.wire import Row, Success, Total

from functions.user import exports, imports
from functions.user.models import (
    AllSettings,
    AllSettingsChange,
    Changed,
    Counter,
    Deleted,
    Deletion,
    NewSetting,
    Overview,
    Person,
    Profile,
    ProfileChange,
    Provider,
    Setting,
    SettingsPage,
    Stats,
    StoredSetting,
    UserSettings,
    UserSettingsChange,
)
from functions.user.rules import counted, effective

api = Api(__file__)
api.include(exports.api)
api.include(imports.api)


@api.get("/user/profile", requires=identity.SESSION)
def profile(db: Db) -> Profile:
    """Return who the user is. It can be read before age and terms are confirmed."""
    return _profile(db, "profile")


@api.patch("/user/profile")
@api.put("/user/profile")
def change_profile(db: Db, body: ProfileChange) -> Profile:
    """Change name or image; what is not sent stays."""
    return _profile(db, "change_profile", changes=body.changes())


@api.delete("/user/delete", requires=identity.BROWSER, store_response=False, errors={409: ["last_admin"]})
def delete(db: Db, client: identity.Client, body: Deletion) -> Reply[Deleted]:
    """Delete the account with everything in it, for good. `confirm`, when sent, has to say "DELETE".

    409 last_admin where nobody else could administrate. Jobs are cancelled in a trip of their own: an import that is
    under way would hold the user's row against the deletion until it is done.
    """
    del body  # sent to be checked
    db.many(Row, "cancel_jobs")
    db.one(Success, "delete_user", client=client._asdict())
    return Reply(Deleted(), cookies=(identity.cleared_cookie(),))


@api.get("/user/stats")
def stats(db: Db) -> Stats:
    """Return what the user has done since they came."""
    overview, counters = db.each((Overview, list[Counter]), "stats")
    return Stats(**(dict(overview) | counted(counters)))


@api.get("/user/settings")
def user_settings(db: Db) -> UserSettings:
    """Return the settings that every client knows, as they hold now."""
    return _typed(db.many(Setting, "user_settings"))


@api.patch("/user/settings", errors={409: ["too_many_settings"]})
@api.put("/user/settings", errors={409: ["too_many_settings"]})
def change_user_settings(db: Db, body: UserSettingsChange) -> UserSettings:
    """Change some settings: absent keeps, null resets to the default.

    Days follow a new time zone at once. 409 too_many_settings at 200 stored keys.
    """
    return _typed(db.many(Setting, "change_user_settings", changes=body.changes()))


@api.get("/settings", envelope=False, etag=True)
def settings(db: Db, query: PageOrAll) -> AllSettings | SettingsPage:
    """Return what is stored, key by key, all of it or a page, and every known setting as it holds now."""
    stored, known, count = db.each((list[StoredSetting], list[Setting], Total), "settings", **query.bounds)
    data = effective(known, stored)
    if not query.is_paged:
        return AllSettings(settings=stored, data=data)
    return SettingsPage(settings=stored, data=data, total=count.total, **query.asked)


@api.get("/settings/{key}", envelope=False)
def setting(db: Db, key: str) -> Setting:
    """Return one setting as it holds now; 404 for a key that is neither known nor stored."""
    return db.one(Setting, "setting", key=key)


@api.post("/settings", envelope=False, errors={409: ["too_many_settings"]})
def set_one(db: Db, body: NewSetting) -> Changed:
    """Store one setting; null resets a known one. 409 too_many_settings at 200 stored keys."""
    return db.one(Changed, "set_one", key=body.key, changes={body.key: body.value})


@api.patch("/settings", envelope=False, errors={409: ["too_many_settings"]})
def set_many(db: Db, body: AllSettingsChange) -> AllSettings:
    """Store several settings, all or none of them. 409 too_many_settings at 200 stored keys."""
    stored, known = db.each((list[StoredSetting], list[Setting]), "set_many", changes=body.changes())
    return AllSettings(settings=stored, data=effective(known, stored))


@api.delete("/settings/{key}", envelope=False)
def unset(db: Db, key: str) -> Reply[None]:
    """Remove a stored setting; it is no error if there is none. A known setting has its default again."""
    db.one(Success, "unset", key=key)
    return Reply(None, 204)


def _typed(known: list[Setting]) -> UserSettings:
    """The settings that every client knows, and which ways of sending a message there are here."""
    here = channels()
    return UserSettings(**effective(known), push_available=here.push_available, email_available=here.email_available)


def _profile(db: Db, name: str, **parameters: Any) -> Profile:
    person, providers = db.each((Person, list[Provider]), name, terms=environment().tos_version, **parameters)
    return Profile(**dict(person), providers=providers)


handler = api.handler
