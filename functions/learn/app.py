"""Learn: courses with quizzes and drills, and flashcards, all of which come back by FSRS-6 (learn contract, part 2)."""

from questlog.api import Api
from questlog.db import Db
from questlog.errors import Invalid

from functions.learn import grading, rules, scheduling
from functions.learn.models import (
    Attempt,
    CompletedLesson,
    Completing,
    Drill,
    DrillContent,
    DrillDetail,
    DrillResult,
    Drills,
    DrillsQuery,
    GradableLesson,
    Lesson,
    LessonCompletion,
    LessonContent,
    LessonDetail,
    LessonProgress,
    Lessons,
    LessonsQuery,
    Overview,
    PastAttempt,
    PlayableDrill,
    ReviewList,
    SubmittedDrill,
    Summary,
    Topic,
    TopicDetail,
    Topics,
    Waiting,
)

api = Api(__file__)


@api.get("/learn")
def overview(db: Db) -> Overview:
    """Return the user's progress, what waits for review, the topics, and the lesson to go on with."""
    progress, waiting, topics, next_lessons = db.each((Summary, Waiting, list[Topic], list[Lesson]), "overview")
    return Overview(
        progress=progress,
        review_count=waiting.lessons + waiting.drills + waiting.cards,
        cards_due=waiting.cards,
        topics=topics,
        continue_lesson=next_lessons[0] if next_lessons else None,
    )


@api.get("/learn/progress")
def progress(db: Db) -> Summary:
    """Return what the user has done so far."""
    return db.one(Summary, "progress")


@api.get("/learn/topics")
def topics(db: Db) -> Topics:
    """List the topics."""
    found = db.many(Topic, "topics")
    return Topics(topics=found, total=len(found))


@api.get("/learn/topics/{topic}")
def topic(db: Db, topic: str) -> TopicDetail:
    """Return one topic with its lessons and drills, by its key or id."""
    found, lessons, drills = db.each((Topic, list[Lesson], list[Drill]), "topic", topic=topic)
    return TopicDetail(**dict(found), lessons=lessons, drills=drills)


@api.get("/learn/topics/{topic}/lessons")
def topic_lessons(db: Db, topic: str) -> Lessons:
    """List the lessons of a topic."""
    _, lessons, _ = db.each((Topic, list[Lesson], list[Drill]), "topic", topic=topic)
    return rules.lessons(lessons)


@api.get("/learn/topics/{topic}/drills")
def topic_drills(db: Db, topic: str) -> Drills:
    """List the drills of a topic."""
    _, _, drills = db.each((Topic, list[Lesson], list[Drill]), "topic", topic=topic)
    return rules.drills(drills)


@api.get("/learn/lessons", envelope=False)
def lessons(db: Db, query: LessonsQuery) -> list[Lesson]:
    """List the lessons by topic; `q` looks into titles and descriptions."""
    return db.many(Lesson, "lessons", **query.model_dump())


@api.get("/learn/lessons/{lesson}")
def lesson(db: Db, lesson: str) -> LessonDetail:
    """Return one lesson with its text and its quiz, without the right answers."""
    found, progress, content = db.each((Lesson, LessonProgress, LessonContent), "lesson", lesson=lesson)
    return rules.lesson_detail(found, progress, content, _audio_url(content))


@api.post("/learn/lessons/{lesson}/start")
def start(db: Db, lesson: str) -> LessonProgress:
    """Start a lesson. One that was started before stays as it is."""
    return db.one(LessonProgress, "start", lesson=lesson)


@api.post("/learn/lessons/{lesson}/complete")
def complete(db: Db, lesson: str, body: Completing) -> CompletedLesson:
    """Complete a lesson and grade its quiz; the first completion pays.

    Two trips: grading and scheduling are done here, from what is stored.
    """
    found = db.one(GradableLesson, "gradable_lesson", lesson=lesson)
    quiz = None if body.answers is None else grading.grade(found.quiz_json, body.answers)
    score = quiz.score if quiz else body.quiz_score
    completion, progress = db.each(
        (LessonCompletion, LessonProgress),
        "complete",
        lesson_id=found.id,
        given=score,
        graded=quiz.score if quiz else None,
        reps=found.reps,
        **scheduling.next_review(found, score)._asdict(),
    )
    return CompletedLesson(**dict(completion), lesson_id=found.id, quiz_score=score, quiz=quiz, progress=progress)


@api.get("/learn/drills")
def drills(db: Db, query: DrillsQuery) -> Drills:
    """List the drills by topic."""
    return rules.drills(db.many(Drill, "drills", **query.model_dump()))


@api.get("/learn/drills/{drill}")
def drill(db: Db, drill: str) -> DrillDetail:
    """Return one drill with what it is played from, and the user's 20 newest attempts."""
    found, history = db.each((DrillContent, list[PastAttempt]), "drill", drill=drill)
    return DrillDetail(**dict(found), history=history)


@api.post("/learn/drills/{drill}/submit")
def submit(db: Db, drill: str, body: Attempt) -> SubmittedDrill:
    """Record an attempt of a drill; the first of a day pays.

    Two trips: when the drill comes back is computed here, from what is stored.
    """
    if body.correct_count > body.total_count:
        db.authenticate_only()
        raise Invalid([("correct_count", "must be at most total_count")])
    found = db.one(PlayableDrill, "playable_drill", drill=drill)
    result = db.one(
        DrillResult,
        "submit",
        drill_id=found.id,
        xp=grading.drill_xp(body.score, found.xp_reward),
        reps=found.reps,
        **body.model_dump(),
        **scheduling.next_review(found, body.score)._asdict(),
    )
    return SubmittedDrill(**dict(result), drill_id=found.id, score=body.score)


@api.get("/learn/review")
def review(db: Db) -> ReviewList:
    """List the lessons and drills that wait for review, longest overdue first, and count the cards that do."""
    return rules.review_list(*db.each((Waiting, list[Lesson], list[Drill]), "review"))


handler = api.handler


def _audio_url(content: LessonContent) -> str | None:
    """Where the lesson's recording can be fetched for a while, if it has one."""
    if content.audio_r2_key is None:
        return None
    from questlog import storage  # noqa: PLC0415 - only lessons with a recording pay for the signer

    return storage.signed_get(content.audio_r2_key)
