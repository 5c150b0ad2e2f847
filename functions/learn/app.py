"""Learn: courses with quizzes and drills, and flashcards, all of which come back by FSRS-6 (learn contract, part 2)."""

from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from questlog.api import Api, Tool
from questlog.db import Db
from questlog.errors import Invalid
from questlog.wire import Total

from functions.learn import card_rules, grading, rules, scheduling
from functions.learn.card_models import (
    Affected,
    BulkChange,
    Card,
    CardChange,
    CardRow,
    Cards,
    CardsQuery,
    CardsReport,
    CopiedDeck,
    Copying,
    CountedCards,
    CreatedCards,
    DayOfCards,
    Deck,
    DeckChange,
    Decks,
    DecksQuery,
    Deleted,
    DueCards,
    DueQuery,
    Existing,
    ExportedCard,
    ExportQuery,
    Forecast,
    ImportCounts,
    ImportQuery,
    LessonCards,
    NewCard,
    NewDeck,
    PublicCard,
    PublicDeck,
    PublicDeckDetail,
    PublicDecks,
    Queue,
    QueuedCard,
    RecordedDay,
    RecordedReview,
    ReviewableCard,
    ReviewedCard,
    Reviewing,
    ReviewRow,
    Reviews,
    ReviewsQuery,
    Settings,
    SettingsChange,
    SpanQuery,
    Stats,
    Today,
    Undoing,
    UndoneCard,
    UndoneReview,
)
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
from functions.learn.scheduling import CardScheduler

api = Api(__file__)


@api.get("/learn")
def overview(db: Db) -> Overview:
    """Return the user's progress, what waits for review, the topics, and the lesson to go on with."""
    progress, waiting, topics, next_lessons = db.each((Summary, Waiting, list[Topic], list[Lesson]), "overview")
    return Overview(
        progress=progress,
        review_count=waiting["lessons"] + waiting["drills"] + waiting["cards"],
        cards_due=waiting["cards"],
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
    return TopicDetail(**found, lessons=lessons, drills=drills)


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
    quiz = None if body.answers is None else grading.grade(found["quiz_json"], body.answers)
    score = quiz["score"] if quiz else body.quiz_score
    completion, progress = db.each(
        (LessonCompletion, LessonProgress),
        "complete",
        lesson_id=found["id"],
        given=score,
        graded=quiz["score"] if quiz else None,
        reps=found["reps"],
        **scheduling.next_review(found, score)._asdict(),
    )
    return CompletedLesson(**completion, lesson_id=found["id"], quiz_score=score, quiz=quiz, progress=progress)


@api.get("/learn/drills")
def drills(db: Db, query: DrillsQuery) -> Drills:
    """List the drills by topic."""
    return rules.drills(db.many(Drill, "drills", **query.model_dump()))


@api.get("/learn/drills/{drill}")
def drill(db: Db, drill: str) -> DrillDetail:
    """Return one drill with what it is played from, and the user's 20 newest attempts."""
    found, history = db.each((DrillContent, list[PastAttempt]), "drill", drill=drill)
    return DrillDetail(**found, history=history)


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
        drill_id=found["id"],
        xp=grading.drill_xp(body.score, found["xp_reward"]),
        reps=found["reps"],
        **body.model_dump(),
        **scheduling.next_review(found, body.score)._asdict(),
    )
    return SubmittedDrill(**result, drill_id=found["id"], score=body.score)


@api.get(
    "/learn/review",
    tools=[
        Tool("reviews_due", "What waits for review: lessons, drills, and how many cards."),
    ],
)
def review(db: Db) -> ReviewList:
    """List the lessons and drills that wait for review, longest overdue first, and count the cards that do."""
    return rules.review_list(*db.each((Waiting, list[Lesson], list[Drill]), "review"))


# Decks -------------------------------------------------------------------------------------------------------------


@api.get("/learn/decks")
def decks(db: Db, query: DecksQuery) -> Decks:
    """List the user's decks by name, or the archived ones."""
    return card_rules.decks(db.many(Deck, "decks", archived=query.archived))


@api.post("/learn/decks", errors={409: ["limit_reached"]})
def add_deck(db: Db, body: NewDeck) -> Deck:
    """Add a deck. 409 limit_reached when there are 200."""
    return db.one(Deck, "add_deck", **body.model_dump())


@api.get("/learn/decks/public")
def public_decks(db: Db) -> PublicDecks:
    """List the decks that anyone can copy, each with the user's copy."""
    found = db.many(PublicDeck, "public_decks")
    return PublicDecks(decks=found, total=len(found))


@api.get("/learn/decks/public/{key}")
def public_deck(db: Db, key: str) -> PublicDeckDetail:
    """Return a deck that anyone can copy, with its cards."""
    found, cards = db.each((PublicDeck, list[PublicCard]), "public_deck", key=key)
    return PublicDeckDetail(**found, cards=cards)


@api.post("/learn/decks/public/{key}/copy", errors={409: ["limit_reached"]})
def copy_deck(db: Db, key: str) -> CopiedDeck:
    """Copy a deck with its cards. A copy that still exists, archived or not, is returned instead."""
    copying, deck = db.each((Copying, Deck), "copy_deck", key=key)
    return CopiedDeck(deck=deck, copied=copying["copied"])


@api.get("/learn/decks/{deck_id}")
def deck(db: Db, deck_id: UUID) -> Deck:
    """Return one deck."""
    return db.one(Deck, "deck", deck_id=deck_id)


@api.patch("/learn/decks/{deck_id}")
def change_deck(db: Db, deck_id: UUID, body: DeckChange) -> Deck:
    """Change a deck. An archived one hides its cards from the queue until it is taken back."""
    changes = body.changes()
    archived = changes.pop("archived", None)
    return db.one(Deck, "change_deck", deck_id=deck_id, changes=changes, archived=archived)


@api.delete("/learn/decks/{deck_id}")
def delete_deck(db: Db, deck_id: UUID) -> Deleted:
    """Delete a deck with its cards; it can be restored for 30 days."""
    return db.one(Deleted, "delete_deck", deck_id=deck_id)


@api.post("/learn/decks/{deck_id}/restore", errors={409: ["limit_reached"]})
def restore_deck(db: Db, deck_id: UUID) -> Deck:
    """Restore a deck that was deleted in the last 30 days, with its cards and their schedules."""
    return db.one(Deck, "restore_deck", deck_id=deck_id)


# Cards -------------------------------------------------------------------------------------------------------------


@api.get("/learn/decks/{deck_id}/cards")
def cards(db: Db, deck_id: UUID, query: CardsQuery) -> Cards:
    """List the cards of a deck, oldest first; `q` looks into both sides."""
    filters = query.model_dump(include={"q", "tag", "state"})
    name = "cards_found" if any(filters.values()) else "cards"
    page = query.model_dump(include={"page", "page_size"})
    total, rows = db.each((Total, list[CardRow]), name, deck_id=deck_id, **filters, **page)
    return card_rules.cards(rows, total.total, **page)


@api.post("/learn/decks/{deck_id}/cards", errors={409: ["limit_reached", "conflict"]})
def add_card(db: Db, deck_id: UUID, body: NewCard) -> Card:
    """Add a card, under the client's `id` if there is one: sent again, the card is returned as it is.

    409 limit_reached when the deck has 10000 cards, conflict when a deleted card had this id.
    """
    fields = body.model_dump() | {"id": body.id or uuid4()}
    return card_rules.card(db.one(CardRow, "add_card", deck_id=deck_id, **fields))


@api.post("/learn/decks/{deck_id}/import", errors={409: ["limit_reached"]})
def import_cards(db: Db, deck_id: UUID, request: Request, query: ImportQuery, content: bytes) -> CardsReport:
    """Add the cards of a CSV file or of Anki's text export, sent as they are or as {"format": ..., "text": ...}.

    409 limit_reached when the deck would have more than 10000 cards.
    """
    from functions.learn import importing  # noqa: PLC0415 - only who imports or exports pays for it

    sent = importing.Sent(db, request, query, content)
    return sent.report(db.one(ImportCounts, "import_cards", deck_id=deck_id, **sent.parameters()))


@api.get("/learn/decks/{deck_id}/export", errors={413: ["answer_too_large"]})
def export(db: Db, deck_id: UUID, query: ExportQuery) -> Response:
    """Return the cards of a deck as CSV or as the text that Anki imports, oldest first, 5000 on a page."""
    from functions.learn import importing  # noqa: PLC0415 - only who imports or exports pays for it

    _, found = db.each((Existing, list[ExportedCard]), "export", deck_id=deck_id, page=query.page)
    return importing.attached(found, query.format)


@api.post(
    "/learn/lessons/{lesson}/cards",
    errors={404: ["not_found"], 409: ["lesson_not_completed", "no_quiz", "limit_reached"]},
)
def add_lesson_cards(db: Db, lesson: str, body: LessonCards) -> CreatedCards:
    """Make cards of the questions of a completed lesson. Those that the deck has already are skipped."""
    return db.one(CreatedCards, "add_lesson_cards", lesson=lesson, **body.model_dump())


@api.post("/learn/cards/bulk", errors={404: ["not_found"], 409: ["limit_reached"]})
def change_cards(db: Db, body: BulkChange) -> Affected:
    """Do the same to up to 500 cards; 404 when one of them is not the user's, and then nothing is changed."""
    if body.action == "move" and body.deck_id is None:
        db.authenticate_only()
        raise Invalid([("deck_id", "is required to move cards")])
    if body.action in ("tag", "untag") and body.tags is None:
        db.authenticate_only()
        raise Invalid([("tags", "must name a tag")])
    return db.one(Affected, "change_cards", **body.model_dump())


@api.get("/learn/cards/due", errors={404: ["not_found"]})
def due(db: Db, query: DueQuery) -> DueCards:
    """Return the cards to be asked for now, within the day's limits, and what each answer to them would do."""
    queue, settings, rows = db.each((Queue, Settings, list[QueuedCard]), "due", **query.model_dump())
    return card_rules.due_cards(queue, settings, rows)


@api.get("/learn/cards/{card_id}")
def card(db: Db, card_id: UUID) -> Card:
    """Return one card."""
    return card_rules.card(db.one(CardRow, "card", card_id=card_id))


@api.patch("/learn/cards/{card_id}", errors={409: ["limit_reached"]})
def change_card(db: Db, card_id: UUID, body: CardChange) -> Card:
    """Change a card, move it, or suspend it. Its schedule stays."""
    return card_rules.card(db.one(CardRow, "change_card", card_id=card_id, changes=body.changes()))


@api.delete("/learn/cards/{card_id}")
def delete_card(db: Db, card_id: UUID) -> Deleted:
    """Delete a card; past statistics keep its reviews."""
    return db.one(Deleted, "delete_card", card_id=card_id)


# Reviews -----------------------------------------------------------------------------------------------------------


@api.post("/learn/cards/{card_id}/review", errors={409: ["card_suspended", "card_changed", "review_out_of_order"]})
def review_card(db: Db, card_id: UUID, body: Reviewing) -> ReviewedCard:
    """Record an answer to a card and schedule it. The same `client_id` again changes nothing.

    Two trips: the schedule is computed here, from what is stored. 409 card_changed when that has changed meanwhile.
    """
    found, settings = db.each(
        (ReviewableCard, Settings), "reviewable_card", card_id=card_id, reviewed_at=body.reviewed_at
    )
    scheduler = CardScheduler.of(settings, found["desired_retention"])
    recorded, row = db.each(
        (RecordedReview, CardRow),
        "record_review",
        **body.model_dump(exclude={"reviewed_at"}),
        card_id=card_id,
        at=found["at"],
        days_since=found["days_since"],
        reps=found["reps"],
        log_seq=found["log_seq"],
        scheduler=scheduler.document(),
        **scheduler.outcome(found, body.rating, found["at"], found["days_since"])._asdict(),
    )
    return card_rules.reviewed_card(recorded, row, scheduler.preview(row, recorded["now"], row["elapsed_days"]))


@api.post("/learn/reviews/undo", errors={404: ["not_found"], 409: ["nothing_to_undo"]})
def undo(db: Db, body: Undoing) -> UndoneCard:
    """Take back the newest review, or the newest of a card; again, the one before it. What it paid stays."""
    undone, row = db.each((UndoneReview, CardRow), "undo", **body.model_dump())
    return UndoneCard(card=card_rules.card(row), undone_review_id=undone["undone_review_id"])


@api.get("/learn/cards/{card_id}/reviews")
def card_reviews(db: Db, card_id: UUID, query: ReviewsQuery) -> Reviews:
    """List the reviews of a card, and what was taken back of them, newest first."""
    _, rows = db.each((Existing, list[ReviewRow]), "reviews", card_id=card_id, before=query.cursor, limit=query.limit)
    return card_rules.reviews(rows, query.limit)


@api.get("/learn/stats", errors={404: ["not_found"]})
def stats(db: Db, query: SpanQuery) -> Stats:
    """Return what there is of cards, what was reviewed in the last days, and how much of it was remembered."""
    counted, today, recorded = db.each(
        (CountedCards, Today, list[RecordedDay]),
        "stats",
        **query.model_dump(),
        factor=scheduling.FACTOR,
        decay=scheduling.DECAY,
    )
    return card_rules.stats(counted, today["today"], recorded, query.days)


@api.get("/learn/forecast", errors={404: ["not_found"]})
def forecast(db: Db, query: SpanQuery) -> Forecast:
    """Return how many cards come back on each of the next days."""
    today, counted = db.each((Today, list[DayOfCards]), "forecast", **query.model_dump())
    return card_rules.forecast(today["today"], counted, query.days)


@api.get("/learn/settings")
def settings(db: Db) -> Settings:
    """Return how the user's cards are scheduled."""
    return db.one(Settings, "settings")


@api.put("/learn/settings")
def change_settings(db: Db, body: SettingsChange) -> Settings:
    """Change how the user's cards are scheduled; what is absent stays. Schedules that were made stay too."""
    return db.one(Settings, "change_settings", changes=body.changes())


handler = api.handler


def _audio_url(content: LessonContent) -> str | None:
    """Where the lesson's recording can be fetched for a while, if it has one."""
    if content["audio_r2_key"] is None:
        return None
    from questlog import storage  # noqa: PLC0415 - only lessons with a recording pay for the signer

    return storage.signed_get(content["audio_r2_key"]).url
