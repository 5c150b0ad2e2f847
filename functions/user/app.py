"""The user: profile, what they have done in numbers, and their settings (platform contract, section 5)."""

from questlog import identity
from questlog.api import Api, Reply
from questlog.db import Db
from questlog.settings import settings as environment
from questlog.wire import Success

from functions.user.models import (
    Changed,
    NewSetting,
    Profile,
    ProfileChange,
    Setting,
    Settings,
    SettingsChange,
    Stats,
    UserSettings,
    UserSettingsChange,
)

api = Api(__file__)


@api.get("/user/profile", requires=identity.SESSION)
def profile(db: Db) -> Profile:
    """Who the user is; answered before age and terms are confirmed."""
    return db.one(Profile, "profile", terms=environment().tos_version)


@api.patch("/user/profile")
@api.put("/user/profile")
def change_profile(db: Db, body: ProfileChange) -> Profile:
    """Change name or image; what is not sent stays."""
    return db.one(Profile, "change_profile", changes=body.changes(), terms=environment().tos_version)


@api.get("/user/stats")
def stats(db: Db) -> Stats:
    """What the user has done since they came."""
    return db.one(Stats, "stats")


@api.get("/user/settings")
def user_settings(db: Db) -> UserSettings:
    """The settings every client knows, as they hold now."""
    return db.one(UserSettings, "user_settings")


@api.patch("/user/settings")
@api.put("/user/settings")
def change_user_settings(db: Db, body: UserSettingsChange) -> UserSettings:
    """Change some settings: absent keeps, null resets to the default. Days follow the new time zone at once."""
    return db.one(UserSettings, "change_user_settings", changes=body.changes())


@api.get("/settings", envelope=False, etag=True)
def settings(db: Db) -> Settings:
    """What is stored, key by key, and every setting as it holds now."""
    return db.one(Settings, "settings")


@api.get("/settings/{key}", envelope=False)
def setting(db: Db, key: str) -> Setting:
    """One setting as it holds now; 404 for a key that is neither known nor stored."""
    return db.one(Setting, "setting", key=key)


@api.post("/settings", envelope=False)
def set_one(db: Db, body: NewSetting) -> Changed:
    """Store one setting; null resets a known one. 409 too_many_settings at 200 stored keys."""
    return db.one(Changed, "set_one", key=body.key, changes={body.key: body.value})


@api.patch("/settings", envelope=False)
def set_many(db: Db, body: SettingsChange) -> Settings:
    """Store several settings, all or nothing; otherwise as one by one."""
    return db.one(Settings, "set_many", changes=body.changes())


@api.delete("/settings/{key}", envelope=False)
def unset(db: Db, key: str) -> Reply[None]:
    """Forget a setting, also one that was never set; a known one has its default again."""
    db.maybe(Success, "unset", key=key)
    return Reply(None, 204)


handler = api.handler
