"""The requests and answers of the user routes."""

import re
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.wire import (
    Body,
    Instant,
    MaxEntries,
    ResponseModel,
    Row,
    Success,
    Trimmed,
    absent,
    json_at_most,
)

KEY: Final = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_KEY_FORM: Final = "must be 1 to 255 letters, digits and signs of . _ : -"
# A host without credentials: a URL that others see must not hold a password.
_IMAGE_URL: Final = re.compile(r"https://[^\s\x00-\x20/?#@\\]+([/?#][^\s\x00-\x20]*)?")
# A language tag, RFC 5646, well-formed: a language and its subtags, or a private or grandfathered tag.
_LOCALE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*|[iIxX](-[A-Za-z0-9]{1,8})+")
_CLOCK_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _of_form(pattern: re.Pattern[str], sentence: str) -> AfterValidator:
    """Text that a pattern matches from end to end. pydantic's own check of a pattern would quote it to the user."""

    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(sentence)
        return text

    return AfterValidator(check)


def _described(pattern: re.Pattern[str]) -> Any:
    """The pattern for readers of the API's document."""
    return Field(json_schema_extra={"pattern": f"^({pattern.pattern})$"})


Key = Annotated[str, _of_form(KEY, _KEY_FORM), _described(KEY)]
Small = json_at_most(16_384)
Value = Annotated[JsonValue, Small]
Name = Annotated[Trimmed, StringConstraints(min_length=1, max_length=100)]
ImageUrl = Annotated[
    Trimmed,
    StringConstraints(max_length=2048),
    _of_form(_IMAGE_URL, "must be an https address without credentials, such as https://example.com/me.png"),
    _described(_IMAGE_URL),
]
Locale = Annotated[
    str,
    StringConstraints(max_length=35),
    _of_form(_LOCALE, "must be a language tag, such as en or zh-Hant-TW"),
    _described(_LOCALE),
]
ClockTime = Annotated[
    str,
    _of_form(_CLOCK_TIME, "must be a time of day, HH:MM"),
    Field(json_schema_extra={"pattern": f"^({_CLOCK_TIME.pattern})$", "examples": ["07:30"]}),
]


class Provider(ResponseModel):
    provider: Literal["google", "azure"]
    linked_at: Instant


class Person(ResponseModel):
    """A profile without its accounts."""

    id: UUID
    email: str
    name: str
    image: str | None
    role: Literal["user", "moderator", "admin"]
    created_at: Instant
    last_activity_at: Instant
    age_verified: bool
    tos_accepted: bool
    tos_version: str | None
    timezone: str
    level: int
    total_xp: int
    coins: int


class Profile(Person):
    providers: list[Provider]


class ProfileChange(Body):
    name: Name = absent()
    image: ImageUrl | None = absent()


class Deletion(Body):
    confirm: Literal["DELETE"] | None = None


class Deleted(Success):
    message: str = "The account and everything in it are deleted."


class Overview(ResponseModel):
    """The statistics without the counters."""

    level: int
    total_xp: int
    coins: int
    current_streak: int
    longest_streak: int
    active_days: int
    achievements: int
    member_since: date


class Stats(Overview):
    focus_sessions: int
    focus_minutes: int
    habit_completions: int
    goals_completed: int
    quests_completed: int
    workouts_completed: int
    books_finished: int
    pages_read: int
    lessons_completed: int


class Counter(Row):
    counter: str
    value: int


QuietTimes = TypedDict("QuietTimes", {"from": ClockTime, "to": ClockTime})


def _differ(quiet: QuietTimes) -> QuietTimes:
    if quiet["from"] == quiet["to"]:
        raise ValueError("must have two different times")
    return quiet


QuietHours = Annotated[QuietTimes, AfterValidator(_differ)]
"""From when to when, by the clock of the user's zone, nothing is sent; over midnight where `from` is the later one."""


class UserSettings(ResponseModel):
    notifications_enabled: bool
    email_notifications: bool
    push_notifications: bool
    theme: Literal["light", "dark", "system"]
    timezone: str
    locale: str
    profile_public: bool
    show_activity: bool
    daily_reminder_time: str | None
    quiet_hours: QuietHours | None
    max_notifications_per_day: int
    day_start_hour: int
    week_start: Literal["monday", "sunday"]
    push_available: bool
    email_available: bool


class UserSettingsChange(Body):
    """Any of the typed settings; null resets. Whether the time zone exists is the database's to say."""

    notifications_enabled: bool | None = absent()
    email_notifications: bool | None = absent()
    push_notifications: bool | None = absent()
    theme: Literal["light", "dark", "system"] | None = absent()
    timezone: str | None = absent()
    locale: Locale | None = absent()
    profile_public: bool | None = absent()
    show_activity: bool | None = absent()
    daily_reminder_time: ClockTime | None = absent()
    quiet_hours: QuietHours | None = absent()
    max_notifications_per_day: Annotated[int, Field(ge=0, le=50)] | None = absent()
    day_start_hour: Annotated[int, Field(ge=0, le=6)] | None = absent()
    week_start: Literal["monday", "sunday"] | None = absent()


class KnownSettings(UserSettingsChange):
    """The settings that mean something here, typed routes or not."""

    focus_duration: Annotated[int, Field(ge=1, le=240)] | None = absent()
    nudge_intensity: Literal["gentle", "standard", "energetic"] | None = absent()
    gamification_visible: bool | None = absent()
    module_weights: Annotated[dict[str, int | float], MaxEntries(1000), Small] | None = absent()
    interests: Annotated[list[str], Field(max_length=1000), Small] | None = absent()


class AllSettingsChange(KnownSettings):
    """Known settings by their types, and any others."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [{"theme": "dark", "my_app.layout": "wide"}]}
    )
    __pydantic_extra__: dict[str, Value]

    @model_validator(mode="after")
    def _keys(self) -> "AllSettingsChange":
        if not 1 <= len(self.model_fields_set) <= 50:
            raise ValueError("must hold 1 to 50 settings")
        misnamed = [_misnamed(key) for key in self.__pydantic_extra__ if not KEY.fullmatch(key)]
        if misnamed:
            raise ValidationError.from_exception_data("settings", misnamed)
        return self


def _misnamed(key: str) -> InitErrorDetails:
    return {"type": PydanticCustomError("value_error", "{error}", {"error": _KEY_FORM}), "loc": (key,), "input": None}


class NewSetting(Body):
    key: Key
    value: Value

    @field_validator("value")
    @classmethod
    def _fits(cls, value: JsonValue, info: ValidationInfo) -> Any:
        known = KnownSettings.model_fields.get(info.data.get("key", ""))
        if known is None:
            return value
        return TypeAdapter(known.annotation, config=ConfigDict(strict=True)).validate_python(value)


class Setting(ResponseModel):
    key: str
    value: Any


class Changed(Setting):
    updated: bool = True


class StoredSetting(Setting):
    id: UUID
    user_id: UUID
    created_at: Instant
    updated_at: Instant


class AllSettings(ResponseModel):
    settings: list[StoredSetting]
    data: dict[str, Any]


class SettingsPage(AllSettings):
    total: int
    page: int
    page_size: int
