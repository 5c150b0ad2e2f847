from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from local.clock import Clock
from tests.conftest import Client, NewUser, User
from tests.support import factories


def test_a_closed_tab_is_paid_at_the_next_poll(user: User, clock: Clock) -> None:
    session = factories.focus_session(user, duration_seconds=1500)
    clock.advance("100000 s")
    assert user.get("/focus/active").data["session"] is None
    shown = user.get(f"/focus/{session['id']}").data
    assert (shown["status"], shown["xp_awarded"], shown["actual_seconds"]) == ("completed", 25, 1500)


def test_a_late_complete_is_a_replay(user: User, clock: Clock) -> None:
    session = factories.focus_session(user, duration_seconds=1500)
    clock.advance("1600 s")
    user.get("/focus/active")
    answer = user.post(f"/focus/{session['id']}/complete").data
    assert (answer["already_completed"], answer["xp_awarded"]) == (True, 25)


def test_active_is_polled_by_tag(user: User) -> None:
    factories.focus_session(user)
    first = user.get("/focus/active")
    assert first.headers["cache-control"] == "no-store", "a clock in a browser's cache would stand still"
    unchanged = user.get("/focus/active", headers={"If-None-Match": first.headers["etag"]})
    assert (unchanged.status, unchanged.text) == (304, "")
    assert unchanged.headers["etag"] == first.headers["etag"]
    weak = user.get("/focus/active", headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert weak.status == 304
    user.post("/focus/pause")
    assert user.get("/focus/active", headers={"If-None-Match": first.headers["etag"]}).status == 200


def test_lists_newest_first_and_by_page(user: User) -> None:
    ids = [factories.focus_session(user, task_title=f"task {n}")["id"] for n in range(5)]
    page = user.get("/focus", query={"page": 2, "page_size": 2}).data
    assert [session["id"] for session in page["sessions"]] == [ids[2], ids[1]]
    assert (page["total"], page["page"], page["page_size"]) == (5, 2, 2)
    assert user.get("/focus", query={"page": 9}).data["sessions"] == []


def test_filters(user: User) -> None:
    factories.focus_session(user, mode="break", tags=["rest"])
    kept = factories.focus_session(user, tags=["deep", "work"])["id"]
    for query in ({"mode": "focus"}, {"status": "active"}, {"tag": "deep"}, {"tag": "deep", "mode": "", "status": ""}):
        assert [session["id"] for session in user.get("/focus", query=query).data["sessions"]] == [kept]
    assert user.get("/focus", query={"tag": "%"}).data["total"] == 0


def test_filters_by_local_day(new_user: NewUser, clock: Clock) -> None:
    # 03:30 on the 10th in Tokyo still belongs to the 9th of a user whose days begin at four.
    clock.set("2031-05-09T18:30Z")
    user = new_user(settings={"timezone": "Asia/Tokyo", "day_start_hour": 4})
    factories.focus_session(user)
    for day, total in (("2031-05-08", 0), ("2031-05-09", 1), ("2031-05-10", 0)):
        assert user.get("/focus", query={"from": day, "to": day}).data["total"] == total
    for query, total in (({"from": "2031-05-10"}, 0), ({"from": "2031-05-09"}, 1), ({"to": "2031-05-08"}, 0)):
        assert user.get("/focus", query=query).data["total"] == total
    assert user.get("/focus", query={"to": "2031-05-09T23:00:00Z"}).data["total"] == 1
    # The first moment of the 10th.
    clock.set("2031-05-09T19:00Z")
    tenth = factories.focus_session(user)["id"]
    found = user.get("/focus", query={"from": "2031-05-10", "to": "2031-05-10"}).data["sessions"]
    assert [session["id"] for session in found] == [tenth]
    assert user.get("/focus", query={"to": "2031-05-09"}).data["total"] == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page": 0}, "page"),
        ({"page": "x"}, "page"),
        ({"page_size": 101}, "page_size"),
        ({"mode": "nap"}, "mode"),
        ({"status": "done"}, "status"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2031-02-30"}, "to"),
        ({"stats": "yes"}, "stats"),
        ({"stats": "true", "period": "year"}, "period"),
    ],
)
def test_bad_queries_are_named(user: User, query: dict[str, object], field: str) -> None:
    user.get("/focus", query=query).invalid(field)


def test_changes_keep_what_is_absent_and_clear_what_is_null(user: User) -> None:
    session = factories.focus_session(user, task_title="Write", tags=["a"])
    path = f"/focus/{session['id']}"
    assert user.patch(path, {"notes": " went well "}).data["notes"] == "went well"
    changed = user.patch(path, {"task_title": None}).data
    assert (changed["task_title"], changed["notes"], changed["tags"]) == (None, "went well", ["a"])
    assert user.patch(path, {"status": "completed", "xp_awarded": 9999, "user_id": str(uuid4())}).data == changed
    user.patch(path, {"tags": None}).invalid("tags")
    user.patch(path, {"notes": "x" * 2001}).invalid("notes")
    user.post(f"{path}/abandon")
    assert user.patch(path, {"tags": []}).data["tags"] == []


def test_abandon_pays_nothing_and_can_be_repeated(user: User, clock: Clock) -> None:
    session = factories.focus_session(user)
    clock.advance("900 s")
    first = user.post(f"/focus/{session['id']}/abandon").data
    assert (first["status"], first["xp_awarded"]) == ("abandoned", 0)
    assert first["actual_seconds"] == 900
    assert user.post(f"/focus/{session['id']}/abandon").data == first


def test_what_is_completed_cannot_be_abandoned(user: User) -> None:
    session = factories.focus_session(user)
    user.post(f"/focus/{session['id']}/complete")
    details = user.post(f"/focus/{session['id']}/abandon").refused(409, "invalid_state")
    assert details == {"status": "completed"}


def test_someone_elses_session_is_absent_on_every_verb(user: User, other: User, stranger: Client) -> None:
    path = f"/focus/{factories.focus_session(user)['id']}"
    before = user.get(path).data
    for client, status, error in ((other, 404, "not_found"), (stranger, 401, "unauthorized")):
        client.get(path).refused(status, error)
        client.patch(path, {"notes": "mine"}).refused(status, error)
        client.post(f"{path}/abandon").refused(status, error)
    after = user.get(path).data
    volatile = {"time_remaining_seconds", "actual_seconds"}
    assert {k: after[k] for k in after.keys() - volatile} == {k: before[k] for k in before.keys() - volatile}


def test_statistics(user: User, clock: Clock) -> None:
    factories.focus_session(user, duration_seconds=1500)
    clock.advance("1500 s")
    user.get("/focus/active")
    user.post(f"/focus/{factories.focus_session(user)['id']}/abandon")
    factories.focus_session(user, duration_seconds=3000)
    clock.advance("600 s")
    user.post("/focus/pause")
    clock.advance("3600 s")
    factories.focus_session(user, mode="break")
    stats = user.get("/focus", query={"stats": "true"}).data
    day = stats.pop("by_day")
    assert stats == {
        "completed_sessions": 1,
        "abandoned_sessions": 2,
        "total_sessions": 3,
        "total_focus_seconds": 2100,
        "total_xp_earned": 35,
        "total_coins_earned": 7,
        "average_session_seconds": 1050,
        "days_active": 1,
        "focus_streak": 1,
    }
    assert [(d["seconds"], d["sessions"]) for d in day] == [(2100, 2)]
    assert totals(user) == {"day": 3, "week": 3, "month": 3, "all": 3}
    clock.advance("8 days")
    assert totals(user) == {"day": 0, "week": 0, "month": 3, "all": 3}


def totals(user: User) -> dict[str, int]:
    """How many focus sessions ended in each period."""
    periods = ("day", "week", "month", "all")
    return {
        period: user.get("/focus", query={"stats": "1", "period": period}).data["total_sessions"] for period in periods
    }


def test_periods_are_of_whole_local_days(new_user: NewUser, clock: Clock) -> None:
    """A session that ended at the first moment of a day is in each period until the last moment of that period."""
    # Days that begin at four in Tokyo begin at 19:00 in UTC.
    first_moment = datetime(2031, 5, 8, 19, tzinfo=UTC)
    clock.set(first_moment - timedelta(seconds=60))
    user = new_user(settings={"timezone": "Asia/Tokyo", "day_start_hour": 4})
    session = factories.focus_session(user, duration_seconds=60)
    clock.set(first_moment)
    assert user.get(f"/focus/{session['id']}").data["ended_at"] == "2031-05-08T19:00:00.000000Z"
    assert user.get("/focus", query={"stats": "1"}).data["by_day"] == [
        {"date": "2031-05-09", "seconds": 60, "sessions": 1}
    ]
    # 20: a browser that is idle for two weeks is signed out.
    for later, periods in ((0, "day week month"), (1, "week month"), (6, "week month"), (7, "month"), (20, "month")):
        expect_in(user, clock, first_moment + timedelta(later), periods)
    expect_in(user, clock, first_moment + timedelta(29), "month")
    expect_in(user, clock, first_moment + timedelta(30), "")


def expect_in(user: User, clock: Clock, day: datetime, periods: str) -> None:
    """The one session is in these periods and in all time, from the first moment of the day to the last."""
    for moment in (day, day + timedelta(days=1, microseconds=-1)):
        clock.set(moment)
        assert {period for period, total in totals(user).items() if total} == {"all", *periods.split()}


def test_the_statistics_count_time_by_its_mode_and_end(user: User, clock: Clock) -> None:
    """Breaks are left out, and so is the time of abandoned sessions; a day of those alone is not active."""
    factories.focus_session(user, mode="break")
    clock.advance("300 s")
    factories.focus_session(user)
    clock.advance("900 s")
    factories.focus_session(user, mode="break")
    stats = user.get("/focus", query={"stats": "true"}).data
    assert stats == {
        "completed_sessions": 0,
        "abandoned_sessions": 1,
        "total_sessions": 1,
        "total_focus_seconds": 0,
        "total_xp_earned": 0,
        "total_coins_earned": 0,
        "average_session_seconds": 0,
        "days_active": 0,
        "focus_streak": 0,
        "by_day": [],
    }


def test_statistics_of_nothing(user: User) -> None:
    stats = user.get("/focus", query={"stats": "true"}).data
    assert stats.pop("by_day") == []
    assert set(stats.values()) == {0}
