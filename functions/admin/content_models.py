"""Requests and responses of the content routes: the fields of each type, which are those of its own group's page.

In what changes something, absent keeps and null clears.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from questlog.wire import (
    Body,
    Color,
    Flag,
    Instant,
    MaxEntries,
    Page,
    PageSize,
    Query,
    Trimmed,
    absent,
    blank_is_null,
    json_at_most,
)

from functions.admin.models import Key

ContentType = Literal["market_items", "topics", "lessons", "drills", "exercises", "achievements"]

LARGEST_JSON = 16_384
SmallInt = Annotated[int, Field(ge=-(2**31), lt=2**31)]
PositiveInt = Annotated[int, Field(ge=1, lt=2**31)]
Word = Annotated[Trimmed, StringConstraints(min_length=1, max_length=40)]
OptionalWord = Annotated[Trimmed, StringConstraints(max_length=40), AfterValidator(blank_is_null)]
Name80 = Annotated[Trimmed, StringConstraints(min_length=1, max_length=80)]
Name100 = Annotated[Trimmed, StringConstraints(min_length=1, max_length=100)]
Name120 = Annotated[Trimmed, StringConstraints(min_length=1, max_length=120)]
Title = Annotated[Trimmed, StringConstraints(min_length=1, max_length=200)]
Text500 = Annotated[Trimmed, StringConstraints(max_length=500), AfterValidator(blank_is_null)]
Text1000 = Annotated[Trimmed, StringConstraints(max_length=1_000), AfterValidator(blank_is_null)]
Text2000 = Annotated[Trimmed, StringConstraints(max_length=2_000), AfterValidator(blank_is_null)]
Text5000 = Annotated[Trimmed, StringConstraints(max_length=5_000), AfterValidator(blank_is_null)]
Text10000 = Annotated[Trimmed, StringConstraints(max_length=10_000), AfterValidator(blank_is_null)]
FreeJson = Annotated[dict[str, Any], json_at_most(LARGEST_JSON)]
Difficulty = Literal["beginner", "intermediate", "advanced"]
XpReward = Annotated[int, Field(ge=0, le=500)]
CoinReward = Annotated[int, Field(ge=0, le=250)]


class ContentQuery(Query):
    search: Annotated[str, StringConstraints(max_length=200)] = ""
    include_inactive: Flag = True
    page: Page = 1
    page_size: PageSize = 50


class ContentFields(Body):
    """The fields of one row of content. Which ones there are depends on the type that the path names."""

    model_config = ConfigDict(extra="allow")


# The market -----------------------------------------------------------------------------------------------------------

Rarity = Literal["common", "rare", "epic", "legendary"]
LimitPeriod = Literal["ever", "day", "held"]
Price = Annotated[int, Field(ge=0, le=1_000_000)]
Uses = Annotated[int, Field(ge=1, le=100)]
Stock = Annotated[int, Field(ge=0, lt=2**31)]
Limit = Annotated[int, Field(ge=1, le=99)]
ValidDays = Annotated[int, Field(ge=1, le=365)]


class Boost(Body):
    type: Literal["xp_multiplier"]
    factor: Annotated[int | float, Field(ge=1, le=100, allow_inf_nan=False)]
    seconds: Annotated[int, Field(ge=1, le=31_536_000)]


class Shield(Body):
    type: Literal["streak_shield"]
    days: Literal[1]


class Unlock(Body):
    type: Literal["unlock"]
    slot: Literal["theme", "avatar"]
    value: Name100


Effect = Annotated[Boost | Shield | Unlock, Field(discriminator="type")]


class NewMarketItem(Body):
    key: Key
    name: Name80
    description: Text500 | None = None
    category: Word
    price_coins: Price
    rarity: Rarity = "common"
    icon: OptionalWord | None = None
    is_consumable: bool = True
    uses_per_purchase: Uses = 1
    total_stock: Stock | None = None
    limit_per_user: Limit | None = None
    limit_period: LimitPeriod = "ever"
    requires_level: PositiveInt | None = None
    valid_days: ValidDays | None = None
    effect_json: Effect | None = None
    available_from: Instant | None = None
    available_until: Instant | None = None
    sort_order: SmallInt = 0
    is_active: bool = True


class MarketItemChange(Body):
    key: Key = absent()
    name: Name80 = absent()
    description: Text500 | None = absent()
    category: Word = absent()
    price_coins: Price = absent()
    rarity: Rarity = absent()
    icon: OptionalWord | None = absent()
    is_consumable: bool = absent()
    uses_per_purchase: Uses = absent()
    total_stock: Stock | None = absent()
    limit_per_user: Limit | None = absent()
    limit_period: LimitPeriod = absent()
    requires_level: PositiveInt | None = absent()
    valid_days: ValidDays | None = absent()
    effect_json: Effect | None = absent()
    available_from: Instant | None = absent()
    available_until: Instant | None = absent()
    sort_order: SmallInt = absent()
    is_active: bool = absent()


class MarketItem(TypedDict):
    id: UUID
    key: str
    name: str
    description: str | None
    category: str
    price_coins: int
    rarity: Rarity
    icon: str | None
    is_active: bool
    is_consumable: bool
    uses_per_purchase: int
    total_stock: int | None
    remaining_stock: int | None
    limit_per_user: int | None
    limit_period: LimitPeriod
    requires_level: int | None
    valid_days: int | None
    effect_json: dict[str, Any] | None
    available_from: Instant | None
    available_until: Instant | None
    sort_order: int
    is_built_in: bool
    created_at: Instant
    updated_at: Instant


# Courses --------------------------------------------------------------------------------------------------------------

TopicCategory = Literal["theory", "practice"]
DrillType = Literal["interval", "chord", "rhythm", "scale", "recall", "sequence", "timing"]
Minutes = Annotated[int, Field(ge=1, le=240)]
Seconds = Annotated[int, Field(ge=10, le=3_600)]


class NewTopic(Body):
    key: Key
    name: Name100
    description: Text1000 | None = None
    category: TopicCategory
    icon: OptionalWord | None = None
    color: Color | None = None
    sort_order: SmallInt = 0
    is_active: bool = True


class TopicChange(Body):
    key: Key = absent()
    name: Name100 = absent()
    description: Text1000 | None = absent()
    category: TopicCategory = absent()
    icon: OptionalWord | None = absent()
    color: Color | None = absent()
    sort_order: SmallInt = absent()
    is_active: bool = absent()


class Topic(TypedDict):
    id: UUID
    key: str
    name: str
    description: str | None
    category: TopicCategory
    icon: str | None
    color: str | None
    sort_order: int
    is_active: bool
    is_built_in: bool


class Question(Body):
    """A question of a quiz; `right` holds the indexes of the right options."""

    id: Annotated[Trimmed, StringConstraints(min_length=1, max_length=64)]
    prompt: Annotated[Trimmed, StringConstraints(min_length=1, max_length=1_000)]
    options: Annotated[
        list[Annotated[Trimmed, StringConstraints(min_length=1, max_length=300)]], Field(min_length=2, max_length=8)
    ]
    multiple: bool = False
    right: Annotated[list[Annotated[int, Field(ge=0, le=7)]], Field(min_length=1, max_length=8)]
    explanation: Text1000 | None = None

    @model_validator(mode="after")
    def _right_options_are_some(self) -> "Question":
        if len(set(self.right)) < len(self.right) or max(self.right) >= len(self.options):
            raise ValueError("must name each right option once, by its index in the options")
        if len(self.right) > 1 and not self.multiple:
            raise ValueError("must have one right option, or be multiple")
        return self


def _with_ids_of_their_own(questions: list[Question]) -> list[Question]:
    if len({question.id for question in questions}) < len(questions):
        raise ValueError("must have questions with different ids")
    return questions


class Quiz(Body):
    questions: Annotated[list[Question], Field(min_length=1, max_length=50), AfterValidator(_with_ids_of_their_own)]

    @model_validator(mode="after")
    def _is_small(self) -> "Quiz":
        if len(self.model_dump_json().encode()) > LARGEST_JSON:
            raise ValueError(f"must be at most {LARGEST_JSON} bytes of JSON")
        return self


class NewLesson(Body):
    topic_id: UUID
    key: Key
    title: Title
    description: Text1000 | None = None
    content_markdown: Text5000 | None = None
    duration_minutes: Minutes = 10
    difficulty: Difficulty = "beginner"
    xp_reward: XpReward = 30
    coin_reward: CoinReward = 15
    quiz_json: Quiz | None = None
    skill_key: Word = "knowledge"
    sort_order: SmallInt = 0
    is_active: bool = True


class LessonChange(Body):
    topic_id: UUID = absent()
    key: Key = absent()
    title: Title = absent()
    description: Text1000 | None = absent()
    content_markdown: Text5000 | None = absent()
    duration_minutes: Minutes = absent()
    difficulty: Difficulty = absent()
    xp_reward: XpReward = absent()
    coin_reward: CoinReward = absent()
    quiz_json: Quiz | None = absent()
    skill_key: Word = absent()
    sort_order: SmallInt = absent()
    is_active: bool = absent()


class Lesson(TypedDict):
    id: UUID
    topic_id: UUID
    key: str
    title: str
    description: str | None
    content_markdown: str | None
    duration_minutes: int
    difficulty: Difficulty
    xp_reward: int
    coin_reward: int
    quiz_json: dict[str, Any] | None
    skill_key: str
    skill_star_reward: int
    audio_r2_key: str | None
    sort_order: int
    is_active: bool
    is_built_in: bool


class NewDrill(Body):
    topic_id: UUID
    key: Key
    title: Title
    description: Text1000 | None = None
    drill_type: DrillType
    config_json: FreeJson = Field(default_factory=dict)
    difficulty: Difficulty = "beginner"
    duration_seconds: Seconds = 60
    xp_reward: XpReward = 5
    sort_order: SmallInt = 0
    is_active: bool = True


class DrillChange(Body):
    topic_id: UUID = absent()
    key: Key = absent()
    title: Title = absent()
    description: Text1000 | None = absent()
    drill_type: DrillType = absent()
    config_json: FreeJson = absent()
    difficulty: Difficulty = absent()
    duration_seconds: Seconds = absent()
    xp_reward: XpReward = absent()
    sort_order: SmallInt = absent()
    is_active: bool = absent()


class Drill(TypedDict):
    id: UUID
    topic_id: UUID
    key: str
    title: str
    description: str | None
    drill_type: DrillType
    config_json: dict[str, Any]
    difficulty: Difficulty
    duration_seconds: int
    xp_reward: int
    sort_order: int
    is_active: bool
    is_built_in: bool


# Exercises ------------------------------------------------------------------------------------------------------------


def _lowered(words: list[str]) -> list[str]:
    """The words in lower case, each once."""
    return list(dict.fromkeys(word.lower() for word in words))


Words = Annotated[list[Word], Field(max_length=20), AfterValidator(_lowered)]
ExerciseCategory = Annotated[Word, AfterValidator(str.lower)]
Force = Literal["push", "pull", "static"]
Level = Literal["beginner", "intermediate", "expert"]
Mechanic = Literal["compound", "isolation"]


class NewExercise(Body):
    name: Name120
    category: ExerciseCategory
    description: Text2000 | None = None
    instructions: Text10000 | None = None
    primary_muscles: Words = Field(default_factory=list)
    secondary_muscles: Words = Field(default_factory=list)
    equipment: Words = Field(default_factory=list)
    force: Force | None = None
    level: Level | None = None
    mechanic: Mechanic | None = None


class ExerciseChange(Body):
    name: Name120 = absent()
    category: ExerciseCategory = absent()
    description: Text2000 | None = absent()
    instructions: Text10000 | None = absent()
    primary_muscles: Words = absent()
    secondary_muscles: Words = absent()
    equipment: Words = absent()
    force: Force | None = absent()
    level: Level | None = absent()
    mechanic: Mechanic | None = absent()


class Exercise(TypedDict):
    id: UUID
    slug: str
    name: str
    category: str
    description: str | None
    instructions: str | None
    primary_muscles: list[str]
    secondary_muscles: list[str]
    equipment: list[str]
    force: Force | None
    level: Level | None
    mechanic: Mechanic | None
    deleted_at: Instant | None
    created_at: Instant
    updated_at: Instant


# Achievements ---------------------------------------------------------------------------------------------------------

TriggerType = Literal["counter", "streak", "event", "level"]
AchievementXp = Annotated[int, Field(ge=0, le=10_000)]
AchievementCoins = Annotated[int, Field(ge=0, le=5_000)]
Count = Annotated[int, Field(ge=1, lt=2**53)]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Threshold = Annotated[int | float, Field(allow_inf_nan=False)]


class Trigger(Body):
    """What an achievement waits for: which of these a trigger needs, its type says."""

    counter: Word = absent()
    streak_type: Word = absent()
    event_type: Word = absent()
    count: Count = absent()
    level: Count = absent()
    min: Annotated[
        dict[
            Annotated[str, StringConstraints(min_length=1, max_length=64)], Annotated[float, Field(allow_inf_nan=False)]
        ],
        MaxEntries(20),
    ] = absent()


class NewAchievement(Body):
    key: Key
    name: Name100
    description: Text5000 | None = None
    category: Word
    icon: OptionalWord | None = None
    trigger_type: TriggerType
    trigger_config: Trigger = Field(default_factory=Trigger)
    reward_xp: AchievementXp = 0
    reward_coins: AchievementCoins = 0
    is_hidden: bool = False
    sort_order: SmallInt = 0
    is_active: bool = True


class AchievementChange(Body):
    key: Key = absent()
    name: Name100 = absent()
    description: Text5000 | None = absent()
    category: Word = absent()
    icon: OptionalWord | None = absent()
    trigger_type: TriggerType = absent()
    trigger_config: Trigger = absent()
    reward_xp: AchievementXp = absent()
    reward_coins: AchievementCoins = absent()
    is_hidden: bool = absent()
    sort_order: SmallInt = absent()
    is_active: bool = absent()


class Achievement(TypedDict):
    """An achievement; its id is its key."""

    id: str
    key: str
    name: str
    description: str | None
    category: str
    icon: str | None
    trigger_type: TriggerType
    trigger_config: dict[str, Any]
    reward_xp: int
    reward_coins: int
    is_hidden: bool
    sort_order: int
    is_active: bool
    is_built_in: bool
    created_at: Instant


# Answers --------------------------------------------------------------------------------------------------------------

Content = MarketItem | Topic | Lesson | Drill | Exercise | Achievement


class ContentItem(TypedDict):
    item: Content


class ContentItems(TypedDict):
    items: list[Content]
    total: int
    page: int
    page_size: int


class ContentCount(TypedDict):
    """How many rows a type has."""

    content_type: ContentType
    rows: int


class ContentCounts(TypedDict):
    counts: dict[ContentType, int]


class Removal(TypedDict):
    """Whether a row was archived because users refer to it or it is built in; otherwise it is gone."""

    archived: bool


class Removed(TypedDict):
    success: bool
    message: str
    archived: bool
