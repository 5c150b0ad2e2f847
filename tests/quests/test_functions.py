"""What other groups and the ledger call."""

from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from local.clock import Clock
from tests.conftest import Database, NewUser, User
from tests.quests.conftest import Earn, run_out, universal
from tests.support.factories import quest as added
from tests.support.ledger import as_user


def test_ready_is_at_the_target_and_not_yet_said(user: User, earn: Earn, database: Database) -> None:
    def ready() -> list[str]:
        return [
            row["title"]
            for row in as_user(database, user, "SELECT title FROM quests_now WHERE ready ORDER BY sort_order")
        ]

    earn(user, focus_minutes=25, exercise_minutes=15)
    assert ready() == ["Twenty-five quiet minutes", "A quarter hour on your feet"]
    user.post(f"/quests/{universal(user, 'daily_focus')['id']}/complete")
    user.post(f"/quests/{universal(user, 'daily_move')['id']}/abandon")
    assert ready() == []
    own = added(user, title="Own", target=5)
    user.post(f"/quests/{own['id']}/progress", {"increment": 3})
    user.patch(f"/quests/{own['id']}", {"target": 2})
    assert ready() == ["Own"]
    run_out(database, own["id"])
    assert ready() == []


def test_counts_agree_with_the_list(user: User, earn: Earn, database: Database) -> None:
    def counts() -> dict[str, int]:
        [row] = as_user(database, user, "SELECT * FROM quest_counts()")
        [listed] = as_user(
            database,
            user,
            """
            SELECT count(*) FILTER (WHERE status = 'accepted') AS active, count(*) FILTER (WHERE ready) AS ready,
                   count(*) FILTER (WHERE status = 'expired' AND accepted_at IS NOT NULL) AS overdue
              FROM quests_now
            """,
        )
        assert row == listed
        return dict(row)

    assert counts() == {"active": 0, "ready": 0, "overdue": 0}
    accepted, late, done = (added(user, title=title) for title in "abc")
    repeated = added(user, is_repeatable=True)
    for quest in (accepted, late, done, repeated, universal(user, "weekly_focus")):
        user.post(f"/quests/{quest['id']}/accept")
    assert counts() == {"active": 5, "ready": 0, "overdue": 0}
    user.post(f"/quests/{done['id']}/complete")
    run_out(database, late["id"])
    assert counts() == {"active": 3, "ready": 0, "overdue": 1}
    earn(user, focus_minutes=180)
    assert counts() == {"active": 3, "ready": 2, "overdue": 1}
    # What was accepted in a period that is over is not active now.
    database.query(
        "UPDATE user_quest_progress SET period_key = '2001-01-01', period_start = '2001-01-01' WHERE quest_id = %s",
        repeated["id"],
    )
    assert counts() == {"active": 2, "ready": 2, "overdue": 1}
    # The row of a length the quest no longer has counts for nothing.
    user.patch(f"/quests/{accepted['id']}", {"is_repeatable": True})
    assert counts() == {"active": 1, "ready": 2, "overdue": 1}
    user.patch(f"/quests/{accepted['id']}", {"repeat_frequency": "weekly"})
    assert counts() == {"active": 1, "ready": 2, "overdue": 1}
    user.patch(f"/quests/{accepted['id']}", {"is_repeatable": False})
    assert counts() == {"active": 2, "ready": 2, "overdue": 1}


def test_counts_follow_a_quest_that_is_changed(user: User, clock: Clock, database: Database) -> None:
    def counts() -> tuple[int, int, int]:
        [row] = as_user(database, user, "SELECT * FROM quest_counts()")
        return row["active"], row["ready"], row["overdue"]

    path = f"/quests/{added(user, target=5, expires_at='2031-05-09T14:00:00Z')['id']}"
    user.post(f"{path}/progress", {"increment": 3})
    assert counts() == (1, 0, 0)
    user.patch(path, {"target": 3})
    assert counts() == (1, 1, 0)
    user.patch(path, {"target": 4})
    assert counts() == (1, 0, 0)
    user.patch(path, {"expires_at": "2031-05-09T13:00:00Z", "target": 2})
    clock.advance("1 hour")
    assert counts() == (0, 0, 1)
    user.patch(path, {"expires_at": None})
    assert counts() == (1, 1, 0)
    # What is changed meanwhile holds for who accepts the quest again.
    user.post(f"{path}/abandon")
    user.patch(path, {"expires_at": "2031-05-09T15:00:00Z", "target": 5})
    assert counts() == (0, 0, 0)
    user.post(f"{path}/accept")
    assert counts() == (1, 0, 0)
    clock.advance("2 hours")
    assert counts() == (0, 0, 1)


def test_a_row_that_is_not_as_its_quest_is_found_and_mended(user: User, database: Database) -> None:
    accepted, completed = added(user, accepted=True), added(user)
    user.post(f"/quests/{completed['id']}/complete")
    for quest, change in (
        (accepted, "target = 2"),
        (accepted, "target = NULL"),
        (accepted, "expires_at = clock()"),
        (accepted, "quest_created_at = NULL"),
        (completed, "quest_created_at = NULL"),
        (completed, "quest_created_at = clock()"),
    ):
        database.query(f"UPDATE user_quest_progress SET {change} WHERE quest_id = %s", quest["id"])
        assert len(database.audit(user.id)) == 1, change
        # What an import ends with.
        database.query("SELECT count_totals(%s)", user.id)
        assert database.audit(user.id) == [], change


def test_an_award_that_moves_no_quest_writes_none(user: User, earn: Earn, database: Database) -> None:
    def rows() -> list[DictRow]:
        return database.query(
            "SELECT xmin::text, p.* FROM user_quest_progress AS p WHERE user_id = %s ORDER BY id", user.id
        )

    earn(user, "focus_partial", focus_minutes=25)
    before = rows()
    # The streak stands where it stood, and no quest counts this.
    earn(user, "drill_complete")
    assert rows() == before
    earn(user, "focus_partial", focus_minutes=0)
    assert rows() == before


EVENTS = st.tuples(
    st.sampled_from(["focus_minutes", "exercise_minutes", "reading_minutes"]), st.integers(0, 40), st.booleans()
)


@settings(max_examples=25)
@given(events=st.lists(EVENTS, max_size=8))
def test_progress_is_what_was_gained_and_not_undone(
    new_user: NewUser, database: Database, events: list[tuple[str, int, bool]]
) -> None:
    """Against a model that adds and takes away one event at a time, within 0 and the target."""
    user = new_user()
    targets = {
        ("daily_focus", 25): "focus_minutes",
        ("weekly_focus", 180): "focus_minutes",
        ("monthly_focus", 1200): "focus_minutes",
        ("daily_move", 15): "exercise_minutes",
        ("weekly_reading", 60): "reading_minutes",
    }
    model = dict.fromkeys(targets, 0)
    for number, (counter, amount, undone) in enumerate(events):
        as_user(
            database,
            user,
            "SELECT award('focus_partial', 'test', NULL, 0, 0, %(key)s, counters => %(counters)s)",
            key=str(number),
            counters=Jsonb({counter: amount}),
        )
        if undone:
            as_user(database, user, "SELECT reverse(%(key)s, 'a test')", key=str(number))
        for (key, target), counted in targets.items():
            if counted == counter:
                gained = min(target, model[key, target] + amount)
                model[key, target] = max(0, gained - amount) if undone else gained
    shown = {quest["key"]: quest["progress"] for quest in user.get("/quests").data["quests"]}
    assert {key: shown[key] for key, _ in targets} == {key: progress for (key, _), progress in model.items()}
