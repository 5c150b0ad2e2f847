from uuid import uuid4

import pytest

from local.clock import Clock
from tests.calendar.conftest import added, at, listed, name_of, wallet
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.support.locks import after_a_wait

REWARD = {"xp_awarded", "coins_awarded", "leveled_up", "new_level", "achievements_unlocked", "streak"}


@pytest.fixture(params=["single", "occurrence", "exception"])
def path(request: pytest.FixtureRequest, user: User) -> str:
    """What can be done: an event, an occurrence of a series, and one that was moved."""
    if request.param == "single":
        return f"/calendar/{added(user)['id']}"
    series = added(user, recurrence_rule="FREQ=DAILY;COUNT=5")
    if request.param == "exception":
        user.put(f"/calendar/{name_of(series, '06')}", {"title": "Moved", "start_time": "2031-05-06T12:00:00Z"})
    return f"/calendar/{name_of(series, '06')}"


def test_pays_and_marks(user: User, path: str, database: Database) -> None:
    before = user.get(path).data
    answer = user.post(f"{path}/complete").data
    assert set(answer) == {"event", "already_completed", "reward_capped", *REWARD}
    assert (answer["xp_awarded"], answer["coins_awarded"], answer["streak"]) == (15, 5, 1)
    assert (answer["already_completed"], answer["reward_capped"]) == (False, False)
    assert answer["event"] == before | {"completed_at": answer["event"]["completed_at"]}
    assert answer["event"]["completed_at"] is not None
    assert user.get(path).data == answer["event"]
    assert [event for event in listed(user) if event["completed_at"]] == [answer["event"]]
    [row] = database.query("SELECT * FROM points_ledger WHERE user_id = %s", user.id)
    name = path.removeprefix("/calendar/")
    assert row["idempotency_key"] == f"planner_task_complete:{name.replace('_', ':')}"
    assert (row["event_type"], row["skill_key"]) == ("planner_task_complete", "discipline")


def test_a_repeat_answers_as_the_first_time(user: User, path: str, database: Database) -> None:
    first = user.post(f"{path}/complete", {"completed": True}).data
    paid = wallet(user, database)
    assert user.post(f"{path}/complete").data == first | {"already_completed": True}
    assert wallet(user, database) == paid == (15, 5)


def test_two_at_once_pay_once(user: User, path: str, database: Database) -> None:
    answers = at_once(4, lambda: user.post(f"{path}/complete").data)
    assert sorted(answer["already_completed"] for answer in answers) == [False, True, True, True]
    assert {answer["xp_awarded"] for answer in answers} == {15}
    assert wallet(user, database) == (15, 5)


def test_undo_takes_it_back_and_again_pays_again(user: User, path: str, database: Database) -> None:
    user.post(f"{path}/complete")
    undone = user.post(f"{path}/complete", {"completed": False}).data
    assert undone["event"]["completed_at"] is None
    assert {name: undone[name] for name in undone if name != "event"} == {
        "already_completed": False,
        "reward_capped": False,
        "xp_awarded": 0,
        "coins_awarded": 0,
        "leveled_up": False,
        "new_level": 1,
        "achievements_unlocked": [],
        "streak": 1,
    }
    assert wallet(user, database) == (0, 0)
    assert user.post(f"{path}/complete", {"completed": False}).data == undone
    assert wallet(user, database) == (0, 0)
    again = user.post(f"{path}/complete").data
    assert (again["xp_awarded"], again["already_completed"]) == (15, False)
    user.post(f"{path}/complete", {"completed": False})
    user.post(f"{path}/complete")
    keys = database.query(
        "SELECT idempotency_key AS key FROM points_ledger WHERE user_id = %s AND reverses IS NULL ORDER BY seq", user.id
    )
    first = keys[0]["key"]
    assert [row["key"] for row in keys] == [first, f"{first}:1", f"{first}:2"]
    assert wallet(user, database) == (15, 5)


def test_what_was_spent_cannot_be_taken_back(user: User, path: str, database: Database) -> None:
    user.post(f"{path}/complete")
    database.query(
        "SELECT set_config('app.user_id', %s, false),"
        " spend(5, 'market_purchase', 'market_purchase', gen_random_uuid(), 'purchase:test')",
        str(user.id),
    )
    details = user.post(f"{path}/complete", {"completed": False}).refused(409, "insufficient_coins")
    assert details == {"need": 5, "have": 0}
    assert user.get(path).data["completed_at"] is not None
    assert wallet(user, database) == (15, 0)


def test_ten_are_paid_a_day(user: User, database: Database) -> None:
    series = added(user, start_time="2031-05-01T09:00:00Z", recurrence_rule="FREQ=DAILY")
    names = [name_of(series, f"{day:02}") for day in range(1, 14)]
    answers = [user.post(f"/calendar/{name}/complete").data for name in names[:12]]
    assert [answer["xp_awarded"] for answer in answers] == [15] * 10 + [0] * 2
    assert [answer["coins_awarded"] for answer in answers] == [5] * 10 + [0] * 2
    assert [answer["reward_capped"] for answer in answers] == [False] * 10 + [True] * 2
    assert all(answer["event"]["completed_at"] for answer in answers)
    again = user.post(f"/calendar/{names[11]}/complete").data
    assert (again["already_completed"], again["reward_capped"], again["xp_awarded"]) == (True, True, 0)
    # One taken back makes room for another.
    user.post(f"/calendar/{names[0]}/complete", {"completed": False})
    assert user.post(f"/calendar/{names[12]}/complete").data["xp_awarded"] == 15
    user.post(f"/calendar/{names[11]}/complete", {"completed": False})
    assert wallet(user, database) == (150, 50)
    [counter] = database.query(
        "SELECT value FROM user_counters WHERE user_id = %s AND counter = 'planner_tasks_completed'", user.id
    )
    assert counter["value"] == 11


def test_the_cap_is_of_a_day_of_the_users(new_user: NewUser, clock: Clock) -> None:
    """In Tokyo, with days that begin at four, the 9th of May ends at 19:00 UTC."""
    clock.freeze()
    clock.set("2031-05-09T18:59:59Z")
    user = new_user(settings={"timezone": "Asia/Tokyo", "day_start_hour": 4})
    names = [added(user)["id"] for _ in range(12)]

    def paid(name: str) -> int:
        xp: int = user.post(f"/calendar/{name}/complete").data["xp_awarded"]
        return xp

    assert [paid(name) for name in names[:11]] == [15] * 10 + [0]
    clock.set("2031-05-09T19:00:00Z")
    assert paid(names[11]) == 15
    assert paid(names[10]) == 0, "done already"
    # Taken back and done again on another day, it is paid as of that day.
    user.post(f"/calendar/{names[10]}/complete", {"completed": False})
    assert paid(names[10]) == 15


@pytest.mark.parametrize("rule", [None, "FREQ=DAILY;COUNT=2"])
def test_it_is_dated_after_the_wait_for_the_lock(user: User, database: Database, rule: str | None) -> None:
    event = added(user, recurrence_rule=rule)
    path = f"/calendar/{name_of(event, '06') if rule else event['id']}"
    answer, released = after_a_wait(database, user, lambda: user.post(f"{path}/complete").data)
    assert at(answer["event"]["completed_at"]) >= released


def test_the_cap_holds_in_parallel(user: User, database: Database) -> None:
    names = [added(user)["id"] for _ in range(13)]
    for name in names[:8]:
        user.post(f"/calendar/{name}/complete")
    waiting = iter(names[8:])
    answers = at_once(5, lambda: user.post(f"/calendar/{next(waiting)}/complete").data)
    assert sorted(answer["xp_awarded"] for answer in answers) == [0, 0, 0, 15, 15]
    assert wallet(user, database) == (150, 50)


def test_a_series_is_done_occurrence_by_occurrence(user: User, database: Database) -> None:
    series = added(user, recurrence_rule="FREQ=DAILY")
    user.post(f"/calendar/{series['id']}/complete").invalid("id")
    user.post(f"/calendar/{series['id']}/complete", {"completed": False}).invalid("id")
    user.post(f"/calendar/{series['id']}_20310506T091500Z/complete").refused(404, "not_found")
    user.post(f"/calendar/{uuid4()}/complete").refused(404, "not_found")
    user.post(f"/calendar/{added(user)['id']}/complete", {"completed": "yes"}).invalid("completed")
    assert wallet(user, database) == (0, 0)


def test_someone_elses_is_absent(user: User, other: User, stranger: Client, path: str, database: Database) -> None:
    other.post(f"{path}/complete").refused(404, "not_found")
    stranger.post(f"{path}/complete").refused(401, "unauthorized")
    assert user.get(path).data["completed_at"] is None
    assert wallet(user, database) == wallet(other, database) == (0, 0)


def plan_items(user: User, day: str) -> dict[str, bool]:
    """The ids of the workouts in a day's plan, and whether each reads completed."""
    items = user.get("/daily-plan", query={"date": day}).json["plan"]["items"]
    return {item["id"].removeprefix("plan_workout_"): item["completed"] for item in items if item["type"] == "workout"}


def test_a_plan_sees_what_is_done(new_user: NewUser, clock: Clock) -> None:
    clock.set("2031-05-05T12:00:00Z")
    user = new_user(settings={"timezone": "Asia/Tokyo"})
    single = added(user, event_type="workout", start_time="2031-05-05T15:30:00Z")["id"]
    series = added(user, event_type="workout", start_time="2031-05-05T09:00:00Z", recurrence_rule="FREQ=DAILY;COUNT=5")
    occurrence, moved = (name_of(series, day) for day in ("06", "07"))
    user.put(f"/calendar/{moved}", {"start_time": "2031-05-07T15:30:00Z"})
    for day in ("2031-05-06", "2031-05-08"):
        user.post("/daily-plan", {"action": "generate", "date": day})
    # The single one is after midnight in Tokyo, and the moved one counts where it is now.
    assert plan_items(user, "2031-05-06") == {single: False, occurrence: False}
    assert plan_items(user, "2031-05-08") == {moved: False, name_of(series, "08"): False}
    for name in (single, occurrence, moved):
        user.post(f"/calendar/{name}/complete")
    assert plan_items(user, "2031-05-06") == {single: True, occurrence: True}
    assert plan_items(user, "2031-05-08") == {moved: True, name_of(series, "08"): False}
    user.post(f"/calendar/{single}/complete", {"completed": False})
    assert plan_items(user, "2031-05-06") == {single: False, occurrence: True}


def test_a_plan_finds_a_days_workouts(user: User, clock: Clock) -> None:
    clock.set("2031-05-05T12:00:00Z")
    run = added(
        user, title="Run", event_type="workout", start_time="2031-05-01T06:00:00Z", recurrence_rule="FREQ=DAILY;COUNT=8"
    )
    added(user, title="Lunch", start_time="2031-05-06T12:00:00Z")
    user.put(f"/calendar/{run['id']}_20310507T060000Z", {"title": "Early", "start_time": "2031-05-06T05:00:00Z"})

    def workouts(day: str) -> list[str]:
        user.post("/daily-plan", {"action": "generate", "date": day})
        items = user.get("/daily-plan", query={"date": day}).json["plan"]["items"]
        return [item["title"] for item in items if item["type"] == "workout"]

    assert workouts("2031-05-06") == ["Early", "Run"]
    assert workouts("2031-05-07") == []
    assert workouts("2031-05-08") == ["Run"]
    assert workouts("2031-05-09") == []
