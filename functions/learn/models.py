"""Requests and responses of the course routes: topics, lessons, drills, and what of them comes back for review.

Rows and answers are TypedDicts, for the reason that card_models.py gives.
"""

from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,  # pydantic takes the one of typing from Python 3.12 on
)
from uuid import UUID

from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from questlog.wire import Body, Instant, Query, RewardFields, Trimmed

Difficulty = Literal["beginner", "intermediate", "advanced"]
DrillType = Literal["interval", "chord", "rhythm", "scale", "recall", "sequence", "timing"]
Progress = Literal["not_started", "in_progress", "completed"]

Search = Annotated[Trimmed, StringConstraints(max_length=200)]
Name = Annotated[str, StringConstraints(max_length=100)]
"""How a client names a topic, lesson or drill: by its key or its id."""
Score = Annotated[int, Field(ge=0, le=100)]


class LessonsQuery(Query):
    q: Search | None = None
    topic: Name | None = None
    difficulty: Difficulty | None = None
    status: Progress | None = None


class DrillsQuery(Query):
    topic: Name | None = None
    drill_type: DrillType | None = None


class QuizAnswer(Body):
    question_id: Annotated[str, StringConstraints(max_length=64)]
    choices: Annotated[list[int], Field(max_length=50)]


class Completing(Body):
    quiz_score: Score | None = None
    answers: Annotated[list[QuizAnswer], Field(max_length=100)] | None = None


class Attempt(Body):
    score: Score
    correct_count: Annotated[int, Field(ge=0, le=1000)]
    total_count: Annotated[int, Field(ge=1, le=1000)]
    time_seconds: Annotated[int, Field(ge=0, le=86_400)]


class Topic(TypedDict):
    id: UUID
    key: str
    name: str
    description: str | None
    category: Literal["theory", "practice"]
    icon: str | None
    lesson_count: int
    completed_count: int
    drill_count: int


class Topics(TypedDict):
    topics: list[Topic]
    total: int


class Lesson(TypedDict):
    id: UUID
    topic_id: UUID
    topic_key: str
    key: str
    title: str
    description: str | None
    duration_minutes: int
    difficulty: Difficulty
    xp_reward: int
    coin_reward: int
    status: Literal["not_started", "in_progress", "completed", "review"]
    has_quiz: bool
    has_audio: bool
    best_quiz_score: int | None


class Lessons(TypedDict):
    lessons: list[Lesson]
    total: int


class LessonProgress(TypedDict):
    status: Progress
    started_at: Instant | None
    completed_at: Instant | None
    quiz_score: int | None
    attempts: int


class StoredQuestion(TypedDict):
    """A question with its answer, as the database holds it."""

    id: str
    prompt: str
    options: list[str]
    multiple: bool
    right: list[int]
    explanation: NotRequired[str | None]


class StoredQuiz(TypedDict):
    questions: list[StoredQuestion]


class Question(TypedDict):
    """A question as a browser may see it before it has answered."""

    id: str
    prompt: str
    options: list[str]
    multiple: bool


class Quiz(TypedDict):
    questions: list[Question]


class LessonContent(TypedDict):
    """What a lesson holds beside what lists show of it."""

    content_markdown: str | None
    quiz_json: StoredQuiz | None
    audio_r2_key: str | None


class LessonDetail(Lesson):
    content_markdown: str | None
    quiz_json: Quiz | None
    audio_url: str | None
    progress: LessonProgress


class ReviewItem(TypedDict):
    """The schedule of a lesson or drill: how it was after so many reviews; nulls and 0 before the first."""

    stability: float | None
    difficulty: float | None
    reps: int
    elapsed_days: int | None


class GradableLesson(ReviewItem):
    id: UUID
    quiz_json: StoredQuiz | None


class PlayableDrill(ReviewItem):
    id: UUID
    xp_reward: int


class QuestionResult(TypedDict):
    question_id: str
    correct: bool
    choices: list[int]
    right: list[int]
    explanation: str | None


class GradedQuiz(TypedDict):
    score: int
    correct: int
    total: int
    results: list[QuestionResult]


class LessonCompletion(RewardFields):
    is_first_completion: bool


class CompletedLesson(LessonCompletion):
    lesson_id: UUID
    quiz_score: int | None
    quiz: GradedQuiz | None
    progress: LessonProgress


class Drill(TypedDict):
    id: UUID
    topic_id: UUID
    topic_key: str
    key: str
    title: str
    description: str | None
    drill_type: DrillType
    difficulty: Difficulty
    duration_seconds: int
    xp_reward: int
    best_score: int | None
    current_streak: int
    attempts: int
    last_attempt_at: Instant | None


class Drills(TypedDict):
    drills: list[Drill]
    total: int


class PastAttempt(TypedDict):
    score: int
    correct_count: int
    total_count: int
    time_seconds: int
    created_at: Instant


class DrillContent(Drill):
    config: dict[str, Any]
    average_score: float | None
    best_streak: int


class DrillDetail(DrillContent):
    history: list[PastAttempt]


class DrillResult(RewardFields):
    is_new_best: bool
    best_score: int
    streak_continued: bool
    new_streak: int


class SubmittedDrill(DrillResult):
    drill_id: UUID
    score: int


class TopicDetail(Topic):
    lessons: list[Lesson]
    drills: list[Drill]


class Summary(TypedDict):
    topics_started: int
    lessons_completed: int
    total_lessons: int
    drills_practiced: int
    total_xp_earned: int
    current_streak_days: int
    longest_streak_days: int
    cards_reviewed_today: int


class Waiting(TypedDict):
    """How many lessons, drills and cards wait for review."""

    lessons: int
    drills: int
    cards: int


class Overview(TypedDict):
    progress: Summary
    review_count: int
    cards_due: int
    topics: list[Topic]
    continue_lesson: Lesson | None


class ReviewList(TypedDict):
    lessons_due: list[Lesson]
    drills_due: list[Drill]
    total_due: int
    cards_due: int
