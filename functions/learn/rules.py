"""What the learning routes show of their rows."""

from collections.abc import Sequence

from functions.learn.grading import without_answers
from functions.learn.models import (
    Drill,
    Drills,
    Lesson,
    LessonContent,
    LessonDetail,
    LessonProgress,
    Lessons,
    ReviewList,
    Waiting,
)


def lessons(found: list[Lesson]) -> Lessons:
    """A list of lessons with its length."""
    return Lessons(lessons=found, total=len(found))


def drills(found: list[Drill]) -> Drills:
    """A list of drills with its length."""
    return Drills(drills=found, total=len(found))


def lesson_detail(
    lesson: Lesson, progress: LessonProgress, content: LessonContent, audio_url: str | None
) -> LessonDetail:
    """A lesson with all that may be seen of it before its quiz is answered."""
    return LessonDetail(
        **lesson,
        content_markdown=content["content_markdown"],
        quiz_json=without_answers(content["quiz_json"]) if content["quiz_json"] else None,
        audio_url=audio_url,
        progress=progress,
    )


def review_list(waiting: Waiting, lessons_due: Sequence[Lesson], drills_due: list[Drill]) -> ReviewList:
    """What waits for review; a lesson that does shows the status `review`."""
    return ReviewList(
        lessons_due=[{**lesson, "status": "review"} for lesson in lessons_due],
        drills_due=drills_due,
        total_due=waiting["lessons"] + waiting["drills"],
        cards_due=waiting["cards"],
    )
