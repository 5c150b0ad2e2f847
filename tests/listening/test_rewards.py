"""What a listening session pays, and the summary of sessions (audio contract, 4.3)."""

from datetime import timedelta
from typing import Any

import pytest

from local.clock import Clock
from tests.conftest import Database, NewUser, User, at_once
from tests.listening.music import track
from tests.listening.test_sessions import changed, ended, shown, started, template
from tests.support.clock import NOON
from tests.support.ledger import boost, counter, payments, wallet

REWARD = {"xp_awarded", "coins_awarded", "leveled_up", "new_level", "achievements_unlocked", "streak"}

pytestmark = pytest.mark.usefixtures("noon")


def worthy(user: User, database: Database, *, listened_ms: int = 180_000, answers: int = 3) -> dict[str, Any]:
    """A session of a new track in which so much was listened and so many items were answered."""
    session = started(user, track(database, user))
    items = [{"id": item["id"], "checked": True} for item in session["items"][:answers]]
    listen(user, session, listened_ms)
    return changed(user, session, items=items)


def listen(user: User, session: dict[str, Any], listened_ms: int) -> None:
    while listened_ms > 0:
        changed(user, session, listened_ms_delta=min(listened_ms, 600_000))
        listened_ms -= 600_000


def complete(user: User, session: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = user.post(f"/reference/listening/sessions/{session['id']}/complete", fields)
    assert answer.status == 200, answer.text
    outcome: dict[str, Any] = answer.json
    return outcome


def test_a_session_is_paid(user: User, database: Database) -> None:
    session = worthy(user, database, listened_ms=239_999)
    paid = complete(user, session, notes=" n ", takeaway="t", rating=4)
    assert set(paid) == REWARD | {"session", "expected_observations", "awarded", "reason"}
    assert (paid["xp_awarded"], paid["coins_awarded"], paid["awarded"], paid["reason"]) == (15, 5, True, None)
    assert (paid["new_level"], paid["leveled_up"], paid["streak"]) == (1, False, 1)
    assert paid["expected_observations"] == []
    over = paid["session"]
    assert (over["status"], over["xp_awarded"], over["coins_awarded"]) == ("completed", 15, 5)
    assert (over["notes"], over["takeaway"], over["rating"]) == ("n", "t", 4)
    assert over == shown(user, session)
    assert wallet(database, user) == (15, 5)
    assert payments(database, user, "listening_complete") == [("listening_complete", 15, 5)]
    [row] = database.query(
        "SELECT skill_key, source_type, source_id::text, idempotency_key FROM points_ledger WHERE user_id = %s", user.id
    )
    assert row == {
        "skill_key": "knowledge",
        "source_type": "listening_session",
        "source_id": session["id"],
        "idempotency_key": f"listening_session:{session['id']}",
    }
    # whole minutes count
    assert counter(database, user, "listening_minutes") == 3
    assert counter(database, user, "listening_sessions") == 1


def test_what_is_sent_with_the_end_is_checked(user: User, database: Database) -> None:
    session = worthy(user, database)
    path = f"/reference/listening/sessions/{session['id']}/complete"
    bad = (("notes", "x" * 10_001), ("takeaway", "x" * 2001), ("rating", 0), ("rating", 6), ("rating", "5"))
    for field, value in bad:
        user.post(path, {field: value}).invalid(field)
    assert shown(user, session)["status"] == "in_progress"
    changed(user, session, notes="kept", rating=2)
    over = complete(user, session, notes=None, takeaway=None)["session"]
    assert (over["notes"], over["rating"]) == ("kept", 2)


def test_a_replay_returns_what_was_paid(user: User, database: Database) -> None:
    session = worthy(user, database)
    first = complete(user, session)
    assert complete(user, session, notes="later") == first
    assert wallet(database, user) == (15, 5)
    assert counter(database, user, "listening_sessions") == 1


def test_completes_at_once_pay_once(user: User, database: Database) -> None:
    session = worthy(user, database)
    answers = at_once(5, lambda: complete(user, session))
    assert all(answer == answers[0] for answer in answers)
    assert wallet(database, user) == (15, 5)


@pytest.mark.parametrize(
    ("listened_ms", "answers", "reason"),
    [
        (179_999, 3, "too_short"),
        (180_000, 3, None),
        (180_000, 2, "nothing_noted"),
        (179_999, 2, "too_short"),
        (0, 8, "too_short"),
    ],
)
def test_what_is_too_little(user: User, database: Database, listened_ms: int, answers: int, reason: str | None) -> None:
    session = worthy(user, database, listened_ms=listened_ms, answers=answers)
    outcome = complete(user, session)
    assert (outcome["reason"], outcome["awarded"]) == (reason, reason is None)
    assert (outcome["xp_awarded"], outcome["coins_awarded"]) == ((0, 0) if reason else (15, 5))
    assert complete(user, session) == outcome
    assert wallet(database, user)[0] == (0 if reason else 15)
    # what was not paid for what it lacks does not count either
    assert counter(database, user, "listening_sessions") == (0 if reason else 1)


@pytest.mark.parametrize("answer", [{"checked": True}, {"response": "x"}, {"score": 0}], ids=str)
def test_an_item_is_answered_by_any_of_it(user: User, database: Database, answer: dict[str, Any]) -> None:
    session = worthy(user, database, answers=2)
    changed(user, session, items=[{"id": session["items"][5]["id"], **answer}])
    assert complete(user, session)["awarded"] is True


def test_an_annotation_made_since_the_start_is_something_noted(user: User, database: Database, clock: Clock) -> None:
    mine = track(database, user)
    path, body = f"/reference/tracks/{mine}/annotations", {"start_time_ms": 0, "title": "x"}
    user.post(path, body)
    clock.advance(timedelta(minutes=1))
    session = started(user, mine)
    listen(user, session, 180_000)
    # neither one from before the start nor one of another track
    user.post(f"/reference/tracks/{track(database, user)}/annotations", body)
    assert complete(user, session)["reason"] == "nothing_noted"
    session = started(user, mine)
    listen(user, session, 180_000)
    user.post(path, body)
    assert complete(user, session)["awarded"] is True


def test_three_are_paid_a_local_day(user: User, database: Database, clock: Clock) -> None:
    outcomes = [complete(user, worthy(user, database)) for _ in range(4)]
    assert [one["reason"] for one in outcomes] == [None, None, None, "daily_limit"]
    assert (outcomes[3]["xp_awarded"], outcomes[3]["coins_awarded"], outcomes[3]["awarded"]) == (0, 0, False)
    assert wallet(database, user) == (45, 15)
    # what is over the cap counts all the same
    assert counter(database, user, "listening_sessions") == 4
    # that it was too short is said first
    assert complete(user, worthy(user, database, listened_ms=1))["reason"] == "too_short"
    assert complete(user, worthy(user, database, answers=1))["reason"] == "nothing_noted"
    # a deleted session frees nothing
    assert user.delete(f"/reference/listening/sessions/{outcomes[0]['session']['id']}").json == {"success": True}
    assert complete(user, worthy(user, database))["reason"] == "daily_limit"
    assert wallet(database, user) == (45, 15)
    clock.advance(timedelta(hours=12))
    assert complete(user, worthy(user, database))["awarded"] is True
    assert wallet(database, user) == (60, 20)


def test_deleted_tracks_free_nothing(user: User, database: Database) -> None:
    for _ in range(3):
        paid = complete(user, worthy(user, database))
        assert user.delete(f"/reference/tracks/{paid['session']['track_id']}").status == 200
    assert complete(user, worthy(user, database))["reason"] == "daily_limit"
    assert wallet(database, user) == (45, 15)


def test_the_day_is_the_users(new_user: NewUser, database: Database, clock: Clock) -> None:
    """In Auckland, with days that begin at 4, noon in UTC is 20 hours into the day: it ends at 16:00 in UTC."""
    user = new_user(settings={"timezone": "Pacific/Auckland", "day_start_hour": 4})
    for _ in range(3):
        complete(user, worthy(user, database))
    clock.set(NOON + timedelta(hours=3, minutes=59))
    assert complete(user, worthy(user, database))["reason"] == "daily_limit"
    clock.set(NOON + timedelta(hours=4))
    assert complete(user, worthy(user, database))["awarded"] is True


def test_four_completes_at_once_pay_three(user: User, database: Database) -> None:
    sessions = [worthy(user, database) for _ in range(4)]
    waiting = list(sessions)
    outcomes = at_once(4, lambda: complete(user, waiting.pop()))
    assert sorted(str(one["reason"]) for one in outcomes) == ["None", "None", "None", "daily_limit"]
    assert wallet(database, user) == (45, 15)


def test_a_boost_is_in_what_is_paid(user: User, database: Database) -> None:
    boost(database, user.id, factor=2, started="-1 hour", ends="1 hour")
    outcome = complete(user, worthy(user, database))
    assert (outcome["xp_awarded"], outcome["session"]["xp_awarded"]) == (30, 30)
    # the cap counts payments, however large
    assert [complete(user, worthy(user, database))["awarded"] for _ in range(3)] == [True, True, False]


def test_what_was_to_be_heard_is_told_at_the_end(user: User, database: Database) -> None:
    prompt = template(user, "Who owns the low end")["id"]
    session = started(user, track(database, user), template_id=prompt)
    outcome = complete(user, session)
    assert len(outcome["expected_observations"]) == 3
    assert complete(user, session) == outcome


def test_the_streak_of_learning_moves(user: User, database: Database) -> None:
    complete(user, worthy(user, database))
    rows = database.query("SELECT streak_type FROM user_streaks WHERE user_id = %s ORDER BY 1", user.id)
    assert [row["streak_type"] for row in rows] == ["daily_activity", "learning"]


# Summary --------------------------------------------------------------------------------------------------------------


def summary(user: User, **query: Any) -> dict[str, Any]:
    answer = user.get("/reference/listening/summary", query=query)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_nothing_yet(user: User, database: Database) -> None:
    empty = {"sessions": 0, "minutes": 0, "annotations": 0, "tracks": 0, "by_category": {}, "streak_days": 0}
    assert summary(user) == empty
    ended(user, worthy(user, database), "abandon")
    worthy(user, database)
    assert summary(user) == empty


def test_what_sessions_add_up_to(user: User, other: User, database: Database) -> None:
    mine = track(database, user)
    for _ in range(2):
        session = started(user, mine)
        listen(user, session, 90_000)
        changed(user, session, items=[{"id": session["items"][n]["id"], "score": 1} for n in (0, 1, 2)])
        ended(user, session, "complete")
    short = worthy(user, database, listened_ms=59_999, answers=1)
    ended(user, short, "complete")
    complete(other, worthy(other, database))
    user.post(f"/reference/tracks/{mine}/annotations", {"start_time_ms": 0, "title": "x"})
    assert summary(user) == {
        "sessions": 3,
        "minutes": 3,
        "annotations": 1,
        "tracks": 2,
        "by_category": {"frequency": 5, "mixing": 2},
        "streak_days": 1,
    }


def test_the_last_days(user: User, database: Database, clock: Clock) -> None:
    """From day 0 on: a session and an annotation on days 0, 2, 3 and 4."""
    for day in (0, 2, 3, 4):
        clock.set(NOON + timedelta(days=day))
        session = started(user, track(database, user))
        user.post(f"/reference/tracks/{session['track_id']}/annotations", {"start_time_ms": 0, "title": "x"})
        ended(user, session, "complete")
    for days, expected in ((1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (366, 4)):
        found = summary(user, days=days)
        assert (found["sessions"], found["tracks"], found["annotations"]) == (expected, expected, expected)
        assert found["streak_days"] == 3
    # it lives on through the next day, and not through the one after
    clock.set(NOON + timedelta(days=5))
    assert summary(user)["streak_days"] == 3
    clock.set(NOON + timedelta(days=6))
    assert summary(user)["streak_days"] == 0
    ended(user, started(user, track(database, user)), "complete")
    assert summary(user)["streak_days"] == 1
    for wrong in ("0", "367", "x"):
        user.get("/reference/listening/summary", query={"days": wrong}).invalid("days")


def test_a_day_with_two_sessions_is_one_day(user: User, database: Database) -> None:
    for _ in range(2):
        ended(user, started(user, track(database, user)), "complete")
    assert summary(user)["streak_days"] == 1


def test_days_begin_when_the_users_do(new_user: NewUser, database: Database, clock: Clock) -> None:
    user = new_user(settings={"timezone": "Pacific/Auckland", "day_start_hour": 4})
    mine = track(database, user)
    for hours in (3, 5):  # on both sides of the day's border at 16:00 in UTC
        clock.set(NOON + timedelta(hours=hours))
        ended(user, started(user, mine), "complete")
        user.post(f"/reference/tracks/{mine}/annotations", {"start_time_ms": 0, "title": "x"})
    today = summary(user, days=1)
    assert (today["sessions"], today["annotations"], today["streak_days"]) == (1, 1, 2)
    assert summary(user, days=2)["annotations"] == 2
