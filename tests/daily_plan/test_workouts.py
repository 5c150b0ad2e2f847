from typing import Any

from tests.conftest import NewUser, User
from tests.daily_plan.conftest import generated, ids, plan_of, shown, ticked
from tests.support.clock import ahead
from tests.test_trips import Count, count, line, proxy

__all__ = ["count", "line", "proxy"]


def workout(user: User, title: str, start: str, **fields: Any) -> str:
    """The id of a workout in the calendar."""
    event = {"title": title, "start_time": start, "event_type": "workout", **fields}
    return str(user.post("/calendar", event).data["id"])


def planned(plan: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["id"].removeprefix("plan_workout_"), item["title"]) for item in plan["items"][1:3]]


def test_the_first_two_workouts_of_the_day(user: User) -> None:
    late = workout(user, "Swim", f"{ahead(1)}T18:00:00Z")
    early = workout(user, "Run", f"{ahead(1)}T06:00:00Z")
    workout(user, "Climb", f"{ahead(1)}T20:00:00Z")
    workout(user, "Row", f"{ahead(2)}T06:00:00Z")
    user.post("/calendar", {"title": "Lunch", "start_time": f"{ahead(1)}T05:00:00Z"})
    plan = generated(user, date=ahead(1))
    assert planned(plan) == [(early, "Run"), (late, "Swim")]
    assert [(item["type"], item["action_url"], item["priority"]) for item in plan["items"][1:3]] == [
        ("workout", "/exercise", 110),
        ("workout", "/exercise", 120),
    ]


def test_occurrences_are_planned_by_their_own_names(user: User) -> None:
    series = workout(user, "Run", f"{ahead(-10)}T06:00:00Z", recurrence_rule="FREQ=DAILY")
    single = workout(user, "Swim", f"{ahead(1)}T05:00:00Z")
    workout(user, "Climb", f"{ahead(-10)}T07:00:00Z", recurrence_rule="FREQ=DAILY")
    stamp = ahead(1).replace("-", "") + "T060000Z"
    plan = generated(user, date=ahead(1))
    assert planned(plan) == [(single, "Swim"), (f"{series}_{stamp}", "Run")]
    again = generated(user, date=ahead(1))
    assert (again["items"], again["version"]) == (plan["items"], 2)


def test_a_removed_occurrence_is_not_planned(user: User) -> None:
    series = workout(user, "Run", f"{ahead(-10)}T06:00:00Z", recurrence_rule="FREQ=DAILY")
    item = f"plan_workout_{series}_{ahead(1).replace('-', '')}T060000Z"
    assert item in ids(generated(user, date=ahead(1)))
    user.delete(f"/calendar/{item.removeprefix('plan_workout_')}")
    assert item not in ids(generated(user, date=ahead(1)))
    assert item.replace(ahead(1).replace("-", ""), ahead(2).replace("-", "")) in ids(generated(user, date=ahead(2)))


def test_a_series_that_is_over_plans_nothing(user: User) -> None:
    workout(user, "Run", f"{ahead(-10)}T06:00:00Z", recurrence_rule="FREQ=DAILY;COUNT=3")
    workout(user, "Swim", f"{ahead(-10)}T06:00:00Z", recurrence_rule="FREQ=YEARLY")
    assert ids(generated(user))[1].startswith("plan_quest_")


def test_the_day_is_the_users_for_workouts_too(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": "Pacific/Kiritimati"})  # 14 hours ahead
    today = generated(user)["date"]
    series = workout(user, "Run", f"{ahead(-10)}T09:00:00", recurrence_rule="FREQ=DAILY", timezone="Pacific/Kiritimati")
    items = [item["id"] for item in generated(user)["items"] if item["type"] == "workout"]
    assert len(items) == 1
    assert items[0].startswith(f"plan_workout_{series}_")
    assert items[0].endswith("T190000Z"), f"09:00 on {today} there"


def test_completing_a_workout_completes_its_item_only(user: User) -> None:
    series = workout(user, "Run", f"{ahead(-10)}T06:00:00Z", recurrence_rule="FREQ=DAILY")
    single = workout(user, "Swim", f"{ahead(0)}T05:00:00Z")
    name = f"{series}_{ahead(0).replace('-', '')}T060000Z"
    generated(user)
    generated(user, date=ahead(1))
    for done, event in enumerate((single, name), 1):
        user.post(f"/calendar/{event}/complete")
        plan = shown(user)
        assert plan["completed_count"] == done
        assert [item["completed"] for item in plan["items"][1:3]] == [True, done == 2]
    assert shown(user, date=ahead(1))["completed_count"] == 0
    user.post(f"/calendar/{name}/complete", {"completed": False})
    assert shown(user)["completed_count"] == 1


def test_what_the_user_did_to_an_occurrence_stays(user: User) -> None:
    series = workout(user, "Run", f"{ahead(-10)}T06:00:00Z", recurrence_rule="FREQ=DAILY")
    item = f"plan_workout_{series}_{ahead(0).replace('-', '')}T060000Z"
    generated(user)
    plan_of(user.patch(f"/daily-plan/tasks/{item}", {"title": "Run slowly"}))
    before = ticked(user, item)
    after = generated(user)
    assert after["items"] == before["items"]
    user.delete(f"/calendar/{series}")
    assert generated(user)["items"] == before["items"]


def test_a_day_out_of_reach_is_refused_before_anything_is_expanded(user: User) -> None:
    workout(user, "Run", f"{ahead(-10)}T06:00:00Z", recurrence_rule="FREQ=DAILY")
    user.post("/daily-plan", {"action": "generate", "date": ahead(32)}).invalid("date")


def test_a_second_trip_only_where_workouts_recur(user: User, count: Count) -> None:
    def generate(days: int) -> tuple[int, int]:
        trips, answer = count(lambda: user.post("/daily-plan", {"action": "generate", "date": ahead(days)}))
        return trips, plan_of(answer)["version"]

    workout(user, "Swim", f"{ahead(0)}T05:00:00Z")
    assert generate(0) == (1, 1)
    workout(user, "Run", f"{ahead(1)}T06:00:00Z", recurrence_rule="FREQ=DAILY")
    assert generate(0) == (1, 2)
    assert generate(1) == (2, 1), "and the first of the two wrote nothing"
