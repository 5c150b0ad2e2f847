"""POST /habits/import and GET /habits/export.zip (imports contract; the formats have files of their own)."""

import io
import json
import logging
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, LiteralString

import pytest

from local.clock import Clock
from tests.conftest import Client, Database, NewUser, User, at_once
from tests.habits.test_habitica import LOSSES
from tests.habits.test_habitica import SAMPLE as HABITICA
from tests.habits.test_loop import HEADER, packed
from tests.habits.test_loop import SAMPLE as LOOP
from tests.support import factories
from tests.support.effort import at_most
from tests.support.locks import after_a_wait

ZIP = {"content-type": "application/zip"}
READ = "001,Read,YES_NO,,,1,1,#00897B,,,,false"
RUN = "002,Run,YES_NO,,,3,7,#039BE5,,,,false"
READ_DAYS = "Date,Value,Notes\n2031-05-07,YES_MANUAL,\n2031-05-06,YES_MANUAL,deep\n2031-05-04,SKIP,\n"
RUN_DAYS = "Date,Value,Notes\n2031-05-07,YES_MANUAL,\n"
NOON = "2031-05-08T12:00:00+00:00"


def file_of(*habits: tuple[str, str]) -> bytes:
    """A Loop export of these lines of Habits.csv, each with its days."""
    files = {f"{line[:3]} x/Checkmarks.csv": days for line, days in habits}
    return packed({"Habits.csv": "\n".join([HEADER, *(line for line, _ in habits), ""]), **files})


FILE = file_of((READ, READ_DAYS), (RUN, RUN_DAYS))


def sent(user: Client, content: bytes, **query: Any) -> dict[str, Any]:
    headers = ZIP if content.startswith(b"PK") else {}
    report: dict[str, Any] = user.post("/habits/import", content, query=query, headers=headers).data
    return report


def counts(report: dict[str, Any]) -> tuple[int, int, int, int]:
    """Imported, updated, unchanged, skipped."""
    return report["imported"], report["updated"], report["unchanged"], report["skipped"]


def habits(user: Client, *, archived: bool = False) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = user.get("/habits", query={"archived": str(archived).lower()}).data["habits"]
    return listed


def named(user: Client, name: str) -> dict[str, Any]:
    return next(habit for habit in [*habits(user), *habits(user, archived=True)] if habit["name"] == name)


def days(user: Client, habit: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """The days that are done or skipped, with their notes, of the year before the tests' noon."""
    query = {"from": "2030-12-01", "to": "2031-05-08"}
    listed = user.get(f"/habits/{habit['id']}/history", query=query).data["days"]
    return {day["date"]: (day["status"], day["notes"]) for day in listed if day["status"] in ("done", "skipped")}


def amounts(user: Client, habit: dict[str, Any]) -> dict[str, float]:
    """The amounts of the days that have one."""
    query = {"from": "2030-12-01", "to": "2031-05-08"}
    listed = user.get(f"/habits/{habit['id']}/history", query=query).data["days"]
    return {day["date"]: day["amount"] for day in listed if day["amount"] is not None}


def ledger(user: User, database: Database) -> list[list[dict[str, Any]]]:
    """Everything that an import must not move."""
    tables = ("points_ledger", "user_counters", "user_quest_progress", "user_streaks", "user_achievements")
    return [
        database.query(f"SELECT to_jsonb(t) AS row FROM {table} AS t WHERE user_id = %s", user.id) for table in tables
    ]


@pytest.fixture(autouse=True)
def _noon(clock: Clock) -> None:
    clock.set(NOON)


def test_the_sample_of_loop(user: User, database: Database) -> None:
    before = ledger(user, database)
    report = sent(user, packed(LOOP))
    assert set(report) == {
        *("format", "imported", "updated", "unchanged", "skipped", "problems", "dry_run"),
        *("completions", "skips", "quests"),
    }
    assert (report["format"], counts(report), report["problems"], report["dry_run"]) == (
        "loop",
        (2, 0, 0, 0),
        [],
        False,
    )
    assert (report["completions"], report["skips"], report["quests"]) == (2, 1, 0)
    stretch, water = named(user, "Stretch, long"), named(user, "Water")
    assert (stretch["frequency"], stretch["target_count"], stretch["color"]) == ("weekly", 3, "#00897B")
    assert (stretch["description"], stretch["category"]) == ("Did you stretch?", "general")
    assert days(user, stretch) == {"2031-03-02": ("skipped", None), "2031-03-03": ("done", 'hips, "better"')}
    assert (water["frequency"], water["is_active"]) == ("daily", False)
    assert (water["kind"], water["target_amount"], water["unit"], water["period"]) == ("amount", 6, "cups", "day")
    assert days(user, water) == {"2031-03-03": ("done", None)}
    assert amounts(user, water) == {"2031-03-02": 0, "2031-03-03": 7.35}
    [row] = database.query("SELECT created_on FROM habits WHERE id = %s", stretch["id"])
    assert row["created_on"] == date(2031, 3, 2)
    again = sent(user, packed(LOOP))
    assert (counts(again), again["completions"], again["skips"]) == ((0, 0, 2, 0), 0, 0)
    assert ledger(user, database) == before


def test_the_sample_of_habitica(user: User, database: Database) -> None:
    before = ledger(user, database)
    report = sent(user, HABITICA.encode())
    assert (report["format"], counts(report), report["completions"]) == ("habitica", (2, 0, 0, 0), 1)
    assert [problem["message"] for problem in report["problems"]] == LOSSES
    stretch, sugar = habits(user)
    assert (sugar["name"], sugar["kind"], sugar["direction"], sugar["target_amount"]) == (
        "Sugar",
        "amount",
        "at_most",
        0,
    )
    assert amounts(user, sugar) == {"2031-03-03": 3}
    # From 4 March to 7 May.
    assert (sugar["current_streak"], sugar["longest_streak"]) == (65, 65)
    assert (stretch["name"], stretch["category"]) == ("Stretch :muscle:", "home")
    assert (stretch["frequency"], stretch["custom_days"]) == ("custom", [1, 2, 3, 4, 5])
    assert stretch["description"] == "a\nb"
    assert days(user, stretch) == {"2031-03-03": ("done", None)}
    assert counts(sent(user, HABITICA.encode(), format="habitica")) == (0, 0, 2, 0)
    assert ledger(user, database) == before


def test_ids_and_scores_that_cannot_be_stored_as_they_are(user: User) -> None:
    """Nobody's app writes them, but a file may hold them."""
    often = [{"date": 1930300000000, "scoredDown": 100_000}] * 10_001
    tasks = {
        "habits": [{"id": "a\0", "text": "Sugar", "up": False, "down": True, "history": often}],
        "dailys": [{"id": "\ud800", "text": "Read", "frequency": "daily"}],
        "todos": [{"id": "b\ud800", "text": "Post the letter"}],
    }
    content = json.dumps({"tasks": tasks}).encode()
    report = sent(user, content)
    assert (counts(report), report["quests"], report["problems"]) == ((2, 0, 0, 0), 1, [])
    again = sent(user, content)
    assert (counts(again), again["quests"]) == ((0, 0, 2, 0), 0)


def test_streaks_are_the_users_own_history(user: User) -> None:
    sent(user, FILE)
    read = named(user, "Read")
    assert (read["current_streak"], read["longest_streak"], read["completed_today"]) == (2, 2, False)
    completed = user.post(f"/habits/{read['id']}/complete").data
    assert (completed["new_streak"], completed["xp_awarded"]) == (3, 10)


def test_what_was_done_today_elsewhere_is_not_paid_here(user: User) -> None:
    sent(user, file_of((READ, READ_DAYS + "2031-05-08,YES_MANUAL,\n")))
    read = named(user, "Read")
    assert read["completed_today"]
    completed = user.post(f"/habits/{read['id']}/complete").data
    assert (completed["already_completed"], completed["xp_awarded"]) == (True, 0)


def test_to_dos_become_quests_once(user: User) -> None:
    todos = [{"id": f"t-{n}", "text": f"Task {n}", "priority": priority} for n, priority in enumerate((0.1, 1, 1.5, 2))]
    document = json.dumps({"tasks": {"todos": todos}}).encode()
    report = sent(user, document)
    assert (counts(report), report["quests"]) == ((0, 0, 0, 0), 4)
    listed = user.get("/quests", query={"kind": "user", "page_size": 50}).data["quests"]
    found = {quest["title"]: quest for quest in listed}
    assert {title: (one["difficulty"], one["xp_reward"], one["coin_reward"]) for title, one in found.items()} == {
        "Task 0": ("easy", 25, 10),
        "Task 1": ("easy", 25, 10),
        "Task 2": ("medium", 50, 25),
        "Task 3": ("hard", 100, 50),
    }
    user.delete(f"/quests/{found['Task 0']['id']}")
    user.post(f"/quests/{found['Task 1']['id']}/accept")
    assert sent(user, document)["quests"] == 0
    more = json.dumps({"tasks": {"todos": [*todos, {"id": "t-9", "text": "Task 9"}]}}).encode()
    assert sorted(report["quests"] for report in at_once(2, lambda: sent(user, more))) == [0, 1]


def test_the_day_on_which_a_to_do_is_due_stands_in_the_quest(new_user: NewUser) -> None:
    user = new_user(settings={"timezone": "America/New_York"})
    days = {
        "midnight": "2031-05-09T04:00:00.000Z",
        "late": "2031-05-10T03:59:59.000Z",
        "date": "2031-05-09",
        "never": "",
    }
    todos: list[dict[str, Any]] = [{"id": name, "text": name, "date": day} for name, day in days.items()]
    todos.append({"id": "long", "text": "long", "date": "2020-02-29", "notes": "x" * 5_000, "tags": ["a"]})
    document = json.dumps({"tasks": {"todos": todos}, "tags": [{"id": "a", "name": "home"}]}).encode()
    assert [problem["name"] for problem in sent(user, document)["problems"]] == ["long"]
    found = {quest["title"]: quest for quest in user.get("/quests", query={"kind": "user"}).data["quests"]}
    assert {title: quest["description"] for title, quest in found.items()} == {
        **dict.fromkeys(("midnight", "late", "date"), "Due on 2031-05-09."),
        "never": None,
        "long": "x" * 4_981 + "\nDue on 2020-02-29.",
    }
    assert {quest["expires_at"] for quest in found.values()} == {None}
    assert {quest["status"] for quest in found.values()} == {"available"}
    assert {title for title, quest in found.items() if quest["category"] == "home"} == {"long"}


def test_a_later_export_brings_what_is_new_and_what_has_changed(user: User) -> None:
    sent(user, FILE)
    read = named(user, "Read")
    later = READ_DAYS.replace("2031-05-06,YES_MANUAL,deep", "2031-05-06,YES_MANUAL,deeper").replace(
        "2031-05-04,SKIP", "2031-05-04,YES_MANUAL"
    )
    later = later.replace("2031-05-07,YES_MANUAL,\n", "2031-05-05,YES_MANUAL,\n2031-05-03,SKIP,\n")
    report = sent(user, file_of((READ.replace(",1,1,", ",5,7,").replace("false", "true"), later), (RUN, RUN_DAYS)))
    assert counts(report) == (0, 1, 1, 0)
    assert (report["completions"], report["skips"]) == (3, 1)
    after = named(user, "Read")
    assert (after["id"], after["frequency"], after["target_count"], after["is_active"]) == (
        read["id"],
        "weekly",
        5,
        False,
    )
    assert days(user, read) == {
        "2031-05-03": ("skipped", None),
        "2031-05-04": ("done", None),
        "2031-05-05": ("done", None),
        "2031-05-06": ("done", "deeper"),
    }
    assert (named(user, "Run")["id"], counts(sent(user, FILE))) == (named(user, "Run")["id"], (0, 1, 1, 0))


def test_days_of_both_apps_go_together(user: User, clock: Clock) -> None:
    sent(user, FILE)
    read = named(user, "Read")
    user.post(f"/habits/{read['id']}/complete", {"notes": "here"})
    user.post(f"/habits/{read['id']}/skip", {"date": "2031-05-05"})
    later = READ_DAYS + "2031-05-08,YES_MANUAL,there\n2031-05-05,YES_MANUAL,\n2031-05-03,YES_MANUAL,\n"
    assert counts(sent(user, file_of((READ, later)))) == (0, 1, 0, 0)
    assert days(user, read) == {
        "2031-05-03": ("done", None),
        "2031-05-04": ("skipped", None),
        "2031-05-05": ("skipped", None),
        "2031-05-06": ("done", "deep"),
        "2031-05-07": ("done", None),
        "2031-05-08": ("done", "here"),
    }
    assert named(user, "Read")["current_streak"] == 4
    # A skip of the file does not take a day back that was done here.
    assert counts(sent(user, file_of((READ, later.replace("08,YES_MANUAL,there", "08,SKIP,"))))) == (0, 1, 0, 0)
    assert days(user, read)["2031-05-08"] == ("done", "here")


@pytest.mark.parametrize(
    "edit",
    [
        lambda user, path: user.patch(path, {"name": "Read more"}),
        lambda user, path: user.post(f"{path}/archive"),
        lambda user, path: user.delete(f"{path}/complete", {"date": "2031-05-07"}),
        lambda user, path: user.delete(f"{path}/skip", {"date": "2031-05-04"}),
        lambda user, path: (user.post(f"{path}/archive"), user.post(f"{path}/restore"))[1],
    ],
    ids=["changed", "archived", "undone", "unskipped", "restored"],
)
def test_what_the_user_has_changed_stays(user: User, edit: Callable[[User, str], Any]) -> None:
    sent(user, FILE)
    read = named(user, "Read")
    assert edit(user, f"/habits/{read['id']}").status == 200
    mine = user.get(f"/habits/{read['id']}").data, days(user, read)
    later = file_of((READ.replace("#00897B", "#000000"), READ_DAYS + "2031-05-01,YES_MANUAL,\n"), (RUN, RUN_DAYS))
    assert counts(sent(user, later)) == (0, 0, 2, 0)
    assert (user.get(f"/habits/{read['id']}").data, days(user, read)) == mine


def test_what_is_undone_here_was_not_of_the_file(user: User) -> None:
    """Taking back what was done here is no change to what the file said."""
    sent(user, FILE)
    path = f"/habits/{named(user, 'Read')['id']}"
    user.post(f"{path}/complete")
    user.delete(f"{path}/complete")
    assert counts(sent(user, file_of((READ, READ_DAYS + "2031-05-01,YES_MANUAL,\n")))) == (0, 1, 0, 0)


def test_what_the_user_has_deleted_stays_deleted(user: User) -> None:
    sent(user, FILE)
    user.delete(f"/habits/{named(user, 'Read')['id']}")
    for content in (FILE, file_of((READ, READ_DAYS + "2031-05-01,YES_MANUAL,\n"), (RUN, RUN_DAYS))):
        assert counts(sent(user, content)) == (0, 0, 2, 0)
    # In another place of the list it is the same habit.
    assert counts(
        sent(user, file_of((RUN.replace("002", "001"), RUN_DAYS), (READ.replace("001", "002"), READ_DAYS)))
    ) == (*(0, 0, 2, 0),)
    assert [habit["name"] for habit in habits(user)] == ["Run"]


def test_a_habit_in_another_place_of_the_list_is_the_same(user: User) -> None:
    sent(user, FILE)
    run = named(user, "Run")
    moved = RUN.replace("002", "001")
    assert counts(sent(user, file_of((moved, RUN_DAYS)))) == (0, 0, 1, 0)
    assert counts(sent(user, file_of((moved, RUN_DAYS + "2031-05-01,YES_MANUAL,\n")))) == (0, 1, 0, 0)
    assert (named(user, "Run")["id"], len(habits(user))) == (run["id"], 2)
    assert counts(sent(user, file_of((moved, RUN_DAYS + "2031-05-01,YES_MANUAL,\n")))) == (0, 0, 1, 0)


def test_habits_of_one_name(user: User) -> None:
    twins = file_of((READ, READ_DAYS), (READ.replace("001", "002"), RUN_DAYS), (READ.replace("001", "003"), ""))
    assert counts(sent(user, twins)) == (3, 0, 0, 0)
    assert counts(sent(user, twins)) == (0, 0, 3, 0)
    assert len(habits(user)) == 3


def test_habits_of_one_name_in_other_places_of_the_list(user: User) -> None:
    read = [(READ.replace("001", f"{place:03}"), day) for place, day in ((1, READ_DAYS), (2, RUN_DAYS))]
    sent(user, file_of(*read))
    before = {habit["id"]: set(days(user, habit)) for habit in habits(user)}
    moved = [(line.replace("00", "01", 1), f"{lines}2031-05-01,YES_MANUAL,\n") for line, lines in read]
    assert counts(sent(user, file_of(*moved))) == (0, 2, 0, 0)
    assert {habit["id"]: set(days(user, habit)) for habit in habits(user)} == {
        habit: known | {"2031-05-01"} for habit, known in before.items()
    }


def test_a_habit_of_ones_own_with_another_history_is_another(user: User) -> None:
    factories.habit(user, "Read")
    assert counts(sent(user, FILE)) == (2, 0, 0, 0)
    assert counts(sent(user, FILE)) == (0, 0, 2, 0)
    assert len(habits(user)) == 3


def test_new_habits_stand_last_in_the_order_of_the_file(user: User) -> None:
    factories.habit(user, "First")
    sent(user, FILE)
    assert [habit["name"] for habit in habits(user)] == ["First", "Read", "Run"]


def test_a_dry_run_says_the_same_and_writes_nothing(user: User) -> None:
    tried = sent(user, FILE, dry_run="true")
    assert habits(user) == []
    assert (tried["dry_run"], sent(user, FILE)) == (True, tried | {"dry_run": False})


def test_the_limit_of_skips_does_not_apply(user: User) -> None:
    skips = "".join(f"2031-05-0{day},SKIP,\n" for day in range(1, 7))
    assert sent(user, file_of((READ, "Date,Value,Notes\n" + skips)))["skips"] == 6
    assert len(days(user, named(user, "Read"))) == 6


@pytest.mark.parametrize("zone", ["Pacific/Apia", "America/New_York", "Pacific/Kiritimati"])
def test_days_are_days_in_every_zone(new_user: NewUser, zone: str) -> None:
    user = new_user(settings={"timezone": zone, "day_start_hour": 6})
    sent(user, FILE)
    read = named(user, "Read")
    assert set(days(user, read)) == {"2031-05-04", "2031-05-06", "2031-05-07"}
    user.patch("/settings", {"timezone": "UTC", "day_start_hour": 0})
    assert counts(sent(user, FILE)) == (0, 0, 2, 0)


def test_no_more_than_the_limit(user: User, database: Database) -> None:
    database.query(
        "INSERT INTO habits (user_id, name, sort_order, created_on)"
        " SELECT %s, 'H' || n, n, '2031-01-01' FROM generate_series(1, 199) AS n",
        user.id,
    )
    for dry_run in ("true", "false"):
        answer = user.post("/habits/import", FILE, query={"dry_run": dry_run}, headers=ZIP)
        assert answer.refused(409, "limit_reached") == {"limit": 200}
    assert len(habits(user)) == 199
    archived = file_of((READ.replace("false", "true"), READ_DAYS), (RUN, RUN_DAYS))
    assert counts(sent(user, archived)) == (2, 0, 0, 0)
    user.post("/habits/import", FILE, headers=ZIP).refused(409, "limit_reached")
    assert counts(sent(user, archived)) == (0, 0, 2, 0)
    gone = file_of((READ, READ_DAYS), (RUN.replace("false", "true"), RUN_DAYS))
    assert counts(sent(user, gone)) == (0, 2, 0, 0)
    assert len(habits(user)) == 200


# Bad input --------------------------------------------------------------------------------------------------------


def bomb() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("Habits.csv", f"{HEADER}\n{READ}\n")
        zipped.writestr("001 x/Checkmarks.csv", b"0" * (200 * 1024 * 1024))
    return archive.getvalue()


def entries() -> bytes:
    return packed({f"{n}/Checkmarks.csv": "" for n in range(5_001)})


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"PK", 400),
        (b"PK\x03\x04 and nothing else", 400),
        (FILE[:-40], 400),
        (packed({"x.csv": "1"}), 400),
        (packed({"Habits.csv": "Name\nRead\n"}), 400),
        (packed({"Habits.csv": "a,b\n1,2\n"}), 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"tasks": {"habits": 1}}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
        (b'{"tasks": {"habits": []}, "x": NaN}', 400),
        (b"Title,Author\n", 400),
        (b'{"tasks": {"habits": []}, "x": "' + b"x" * (4 * 1024 * 1024) + b'"}', 413),
        (entries(), 413),
    ],
)
def test_what_is_no_such_file(user: User, content: bytes, status: int) -> None:
    with at_most(1):
        answer = user.post("/habits/import", content, headers=ZIP if content.startswith(b"P") else {})
    assert answer.status == status, answer.text
    if status == 400:
        answer.invalid("body")
    else:
        answer.refused(413, "payload_too_large")
    assert habits(user) == []


def test_a_bomb_costs_nothing(user: User) -> None:
    content = bomb()
    with at_most(1):
        user.post("/habits/import", content, headers=ZIP).refused(413, "payload_too_large")


def test_more_days_than_are_written_at_once(user: User) -> None:
    first = date(1950, 1, 1)
    lines = "".join(f"{first + timedelta(days=n)},2\n" for n in range(50_001))
    content = file_of(*[(READ.replace("001", f"{n:03}"), lines) for n in range(1, 5)])
    user.post("/habits/import", content, headers=ZIP).refused(413, "payload_too_large")
    assert habits(user) == []


@pytest.mark.parametrize(
    ("query", "field"), [({"format": "hevy"}, "format"), ({"dry_run": "2"}, "dry_run"), ({"format": ""}, None)]
)
def test_queries(user: User, query: dict[str, str], field: str | None) -> None:
    answer = user.post("/habits/import", FILE, headers=ZIP, query=query)
    if field is None:
        assert counts(answer.data) == (2, 0, 0, 0)
    else:
        answer.invalid(field)
        assert habits(user) == []


def test_the_format_that_is_named_decides(user: User) -> None:
    for content, source in ((FILE, "habitica"), (HABITICA.encode(), "loop"), (HABITICA.encode(), "questlog")):
        headers = ZIP if content.startswith(b"PK") else {}
        user.post("/habits/import", content, headers=headers, query={"format": source}).invalid("body")
    for media_type in ("application/x-zip-compressed", "Application/ZIP; x=1"):
        assert user.post("/habits/import", FILE, headers={"content-type": media_type}).status == 200
    user.post("/habits/import", FILE, headers={"content-type": "image/png"}).refused(415, "unsupported_media_type")


def test_no_byte_of_the_rest_is_kept_logged_or_told(
    user: User, database: Database, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "hunter2-token"
    document = json.loads(HABITICA) | {
        "apiToken": secret,
        "auth": {"local": {"email": secret}},
        "inbox": {"messages": {"1": {"text": secret}}},
        "webhooks": [{"url": secret}],
    }
    caplog.set_level(logging.DEBUG)
    answers = [
        user.post("/habits/import", json.dumps(document).encode(), query={"format": one}) for one in ("auto", "loop")
    ]
    answers += [user.post("/habits/import", json.dumps({"apiToken": secret, "tasks": {}}).encode())]
    answers += [user.post("/habits/import", json.dumps(document).encode()[:-1])]
    assert [answer.status for answer in answers] == [200, 400, 400, 400]
    assert secret not in "".join(answer.text for answer in answers)
    assert secret not in caplog.text + "".join(capsys.readouterr())
    for table in ("habits", "habit_completions", "quests", "deleted_imports", "idempotency_keys"):
        assert secret not in str(database.query(f"SELECT * FROM {table} WHERE user_id = %s", user.id))


# Others -----------------------------------------------------------------------------------------------------------


def test_strangers_and_others(user: User, other: User, stranger: Client) -> None:
    for path in ("/habits/import", "/api/habits/import"):
        stranger.post(path, FILE, headers=ZIP).refused(401, "unauthorized")
    stranger.post("/habits/import", b"{}").refused(401, "unauthorized")
    stranger.get("/habits/export.zip").refused(401, "unauthorized")
    sent(other, FILE)
    before = habits(other)
    assert counts(sent(user, FILE)) == (2, 0, 0, 0)
    user.delete(f"/habits/{named(user, 'Read')['id']}")
    assert habits(other) == before
    assert counts(sent(other, FILE)) == (0, 0, 2, 0)


def test_a_replay(user: User) -> None:
    key = {"idempotency-key": "once"} | ZIP
    first = user.post("/habits/import", FILE, headers=key)
    again = user.post("/habits/import", FILE, headers=key)
    assert (again.data, again.headers["idempotent-replay"]) == (first.data, "true")
    user.post("/habits/import", packed(LOOP), headers=key).refused(422, "idempotency_mismatch")


def test_two_at_once(user: User) -> None:
    reports = at_once(2, lambda: sent(user, FILE))
    assert sorted(map(counts, reports)) == [(0, 0, 2, 0), (2, 0, 0, 0)]
    assert len(habits(user)) == 2


@pytest.mark.parametrize(
    ("meanwhile", "expected"),
    [
        ("SELECT", (0, 1, 1, 0)),
        ("UPDATE habits SET import_digest = NULL", (0, 0, 2, 0)),
        ("DELETE FROM habits", (2, 0, 0, 0)),
        ("INSERT INTO habits (name, sort_order, created_on) VALUES ('x', 9, '2031-05-01')", (0, 1, 1, 0)),
    ],
)
def test_a_change_in_between_is_noticed(
    user: User, database: Database, meanwhile: LiteralString, expected: tuple[int, int, int, int]
) -> None:
    sent(user, FILE)
    later = file_of((READ, READ_DAYS + "2031-05-01,YES_MANUAL,\n"), (RUN, RUN_DAYS))
    report, _ = after_a_wait(database, user, lambda: sent(user, later), meanwhile=meanwhile)
    assert counts(report) == expected


def test_a_hundred_habits_of_three_years(user: User) -> None:
    first = date(2028, 5, 1)
    lines = "Date,Value,Notes\n" + "".join(f"{first + timedelta(days=n)},YES_MANUAL,\n" for n in range(1_095))
    content = file_of(*[(READ.replace("001", f"{n:03}").replace("Read", f"Read {n}"), lines) for n in range(1, 101)])
    with at_most(6):  # and the database takes three
        report = sent(user, content)
    assert (counts(report), report["completions"]) == ((100, 0, 0, 0), 109_500)
    assert habits(user)[0]["longest_streak"] == 1_095
    assert counts(sent(user, content)) == (0, 0, 100, 0)


# Export -----------------------------------------------------------------------------------------------------------


def exported(user: Client) -> bytes:
    answer = user.get("/habits/export.zip")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="habits.zip"'
    return answer.content


def unpacked(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_export_has_loops_layout(user: User) -> None:
    habit = factories.habit(
        user, "Stretch, long", description="hips", frequency="weekly", target_count=3, color="#00897B"
    )
    user.post(f"/habits/{habit['id']}/complete", {"notes": "deep"})
    push = factories.habit(user, "Push-ups", target_count=3)
    user.post(f"/habits/{push['id']}/complete")
    user.post(f"/habits/{push['id']}/complete")
    user.post(f"/habits/{factories.habit(user, 'Old')['id']}/archive")
    assert unpacked(exported(user)) == {
        "Habits.csv": f"{HEADER}\n"
        '001,"Stretch, long",YES_NO,,hips,3,7,#00897B,,,,false\n'
        "002,Push-ups,NUMERICAL,,,1,1,#757575,times,AT_LEAST,3.0,false\n"
        "003,Old,YES_NO,,,1,1,#757575,,,,true\n",
        "Checkmarks.csv": 'Date,"Stretch, long",Push-ups,Old,\n2031-05-08,YES_MANUAL,2000,UNKNOWN,\n',
        "001 Stretch long/Checkmarks.csv": "Date,Value,Notes\n2031-05-08,YES_MANUAL,deep\n",
        "002 Push-ups/Checkmarks.csv": "Date,Value,Notes\n2031-05-08,2000,\n",
        "003 Old/Checkmarks.csv": "Date,Value,Notes\n",
    }


def test_a_day_that_was_not_done_often_enough_is_no_completion_elsewhere(user: User) -> None:
    habit = factories.habit(user, target_count=2)
    user.post(f"/habits/{habit['id']}/complete", {"date": "2031-05-08"})
    user.patch(f"/habits/{habit['id']}", {"target_count": 1, "frequency": "weekly"})
    user.patch(f"/habits/{habit['id']}", {"frequency": "daily", "target_count": 2})
    report = sent(user, exported(user), dry_run="true")
    assert report["completions"] == 0


SHOWN = (
    *("name", "description", "frequency", "target_count", "color", "is_active", "current_streak", "longest_streak"),
    *("kind", "direction", "target_amount", "unit", "period", "amount_period", "remaining"),
)


@pytest.mark.parametrize("source", ["questlog", "loop", "auto"])
def test_the_export_comes_back(user: User, other: User, source: str) -> None:
    sent(user, FILE)
    sent(user, HABITICA.encode())
    for name in ("Own", "Own"):
        factories.habit(user, name, color="#112233", description="a\nb")
    habit = factories.habit(user, "Archived", color="#112233")
    user.post(f"/habits/{habit['id']}/complete", {"notes": 'once, "twice"\n;'})
    user.post(f"/habits/{habit['id']}/skip", {"date": "2031-05-08"})
    user.post(f"/habits/{habit['id']}/archive")
    run = factories.habit(user, "Run", kind="amount", target_amount=20.5, unit="km", period="week", color="#112233")
    for amount in (7.5, -0.25):
        user.post(f"/habits/{run['id']}/log", {"amount": amount, "notes": "slow"})
    content = exported(user)
    assert counts(sent(user, content, format=source)) == (0, 0, 8, 0)
    assert counts(sent(other, content, format=source)) == (8, 0, 0, 0)
    for archived in (False, True):
        for mine, theirs in zip(habits(user, archived=archived), habits(other, archived=archived), strict=True):
            expected = {name: mine[name] for name in SHOWN}
            if mine["frequency"] == "custom":  # Loop has no weekdays, and no habit without a colour
                expected |= {"frequency": "weekly", "target_count": len(mine["custom_days"]), "color": "#757575"}
                expected |= {name: theirs[name] for name in ("current_streak", "longest_streak")}
            expected["color"] = expected["color"] or "#757575"
            assert {name: theirs[name] for name in SHOWN} == expected
            assert days(other, theirs) == days(user, mine)
            assert amounts(other, theirs) == amounts(user, mine)
    assert counts(sent(other, content, format=source)) == (0, 0, 8, 0)
    assert exported(other) == content


LIMITS = file_of(
    (
        "001,Wine,NUMERICAL,,,1,7,#8E24AA,dl,AT_MOST,2.5,false",
        "Date,Value,Notes\n2031-05-08,1250,\n2031-04-30,2600,party\n",
    ),
    (
        "002,Weigh,NUMERICAL,,,3,7,#00897B,kg,AT_LEAST,0.5,false",
        "Date,Value,Notes\n2031-05-07,82755,\n2031-05-06,SKIP,\n",
    ),
    (
        "003,Pages,NUMERICAL,,,1,30,#00897B,,AT_LEAST,500.0,true",
        "Date,Value,Notes\n2031-05-08,NO,\n2031-04-30,500000,\n",
    ),
)


def test_loops_amounts_go_out_as_they_came(user: User) -> None:
    assert counts(sent(user, LIMITS)) == (3, 0, 0, 0)
    wine, weigh = habits(user)
    assert (wine["period"], wine["amount_period"], wine["current_streak"]) == ("week", 1.25, 0)
    assert (weigh["frequency"], weigh["target_count"], weigh["kind"]) == ("weekly", 3, "amount")
    files = unpacked(exported(user))
    assert files["Habits.csv"] == unpacked(LIMITS)["Habits.csv"]
    for number, name in (("001", "Wine"), ("002", "Weigh"), ("003", "Pages")):
        assert files[f"{number} {name}/Checkmarks.csv"] == unpacked(LIMITS)[f"{number} x/Checkmarks.csv"]
    assert counts(sent(user, exported(user))) == (0, 0, 3, 0)


def test_an_imported_limit_is_claimed(user: User, database: Database, clock: Clock) -> None:
    sent(user, HABITICA.encode())
    sugar = named(user, "Sugar")
    assert user.post(f"/habits/{sugar['id']}/kept").data["new_streak"] == 65
    # What is corrected here stays, whatever the file says.
    assert user.put(f"/habits/{sugar['id']}/log", {"amount": 0, "date": "2031-05-08"}).data["completion_id"] is None
    user.post(f"/habits/{sugar['id']}/log", {"amount": 1, "date": "2031-05-07"})
    user.put(f"/habits/{sugar['id']}/log", {"amount": 2, "date": "2031-05-07"})
    assert counts(sent(user, HABITICA.encode())) == (0, 0, 2, 0)
    assert amounts(user, named(user, "Sugar")) == {"2031-03-03": 3, "2031-05-07": 2}


def test_our_own_export_is_known_by_the_names_alone(user: User) -> None:
    """Also an older one, since whose making something was done."""
    habit = factories.habit(user)
    content = exported(user)
    user.post(f"/habits/{habit['id']}/complete")
    assert counts(sent(user, content, format="questlog")) == (0, 0, 1, 0)
    assert named(user, "Read")["completed_today"]
    assert counts(sent(user, content, format="loop")) == (1, 0, 0, 0)


def test_days_far_apart_do_not_fill_the_file(user: User) -> None:
    far = "Date,Value,Notes\n1900-01-01,YES_MANUAL,\n2199-12-31,YES_MANUAL,\n"
    sent(user, file_of(*[(READ.replace("001", f"{n:03}").replace("Read", f"Read {n}"), far) for n in range(1, 31)]))
    with at_most(1):
        assert "Checkmarks.csv" not in unpacked(exported(user))
