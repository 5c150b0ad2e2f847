"""Shared content: what administrators make shows to all users (platform contract, section 7, rules 1 to 3)."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from database.migrate import MIGRATIONS
from tests.conftest import Answer, Database, User, at_once
from tests.support.locks import is_waited_for
from tests.support.threads import in_thread

QUIZ = {
    "questions": [
        {
            "id": "a",
            "prompt": "Which?",
            "options": ["this", "that"],
            "multiple": False,
            "right": [1],
            "explanation": "So.",
        },
        {"id": "b", "prompt": "Which ones?", "options": ["x", "y", "z"], "multiple": True, "right": [0, 2]},
    ]
}
BOOST = {"type": "xp_multiplier", "factor": 1.5, "seconds": 600}


def key() -> str:
    return f"k{uuid4().hex}"


# What a row of each type needs, beside what names another row.
LEAST: dict[str, dict[str, Any]] = {
    "market_items": {"name": "Lamp", "category": "desk", "price_coins": 5},
    "topics": {"name": "Cooking", "category": "practice"},
    "lessons": {"title": "Knives"},
    "drills": {"title": "Chop", "drill_type": "timing"},
    "exercises": {"name": "Log walk", "category": "Balance"},
    "achievements": {
        "name": "Busy",
        "category": "focus",
        "trigger_type": "counter",
        "trigger_config": {"counter": "focus_sessions", "count": 100_000},
    },
}
TYPES = list(LEAST)
# Of each type, a field of text that every row has, and one that may be null.
NAME = {"lessons": "title", "drills": "title"}


@pytest.fixture
def topic(admin: User) -> str:
    return str(make(admin, "topics")["id"])


def make(admin: User, content_type: str, **fields: Any) -> dict[str, Any]:
    """A row of content; of a type whose rows have a topic, `topic_id` is among the fields."""
    named = {} if content_type == "exercises" else {"key": key()}
    answer = admin.post(f"/admin/content/{content_type}", LEAST[content_type] | named | fields)
    assert answer.status == 200, answer.text
    row: dict[str, Any] = answer.json["item"]
    return row


@pytest.fixture
def row(request: pytest.FixtureRequest, admin: User, topic: str) -> dict[str, Any]:
    """A row of the type that the test is about."""
    content_type = request.getfixturevalue("content_type")
    more = {"topic_id": topic} if content_type in ("lessons", "drills") else {}
    return make(admin, content_type, **more)


def audited(database: Database, admin: User) -> list[tuple[str, str, str]]:
    rows = database.query(
        "SELECT event_type, resource_type, resource_id FROM audit_log"
        " WHERE user_id = %s AND event_type LIKE 'resource%%' ORDER BY created_at, id",
        admin.id,
    )
    return [(row["event_type"], row["resource_type"], row["resource_id"]) for row in rows]


@pytest.mark.parametrize("content_type", TYPES)
def test_a_row_is_made_read_changed_and_deleted(
    content_type: str, row: dict[str, Any], admin: User, database: Database
) -> None:
    path = f"/admin/content/{content_type}/{row['id']}"
    assert admin.get(path).json == {"item": row}
    name = NAME.get(content_type, "name")
    assert row[name] == LEAST[content_type][name]
    changed = admin.put(path, {name: " Other name ", "description": "What it is."}).json["item"]
    assert (changed[name], changed["description"]) == ("Other name", "What it is.")
    kept = {field: value for field, value in changed.items() if field not in (name, "description", "updated_at")}
    assert kept == {field: row[field] for field in kept}, "what was not sent is kept"
    assert admin.put(path, {"description": None}).json["item"]["description"] is None
    found = admin.get(f"/admin/content/{content_type}", query={"search": "other NAME", "page_size": 100}).json
    assert row["id"] in [item["id"] for item in found["items"]]
    removed = admin.delete(path)
    assert removed.status == 200, removed.text
    assert (removed.json["success"], removed.json["archived"]) == (True, False)
    admin.get(path).refused(404, "not_found")
    admin.delete(path).refused(404, "not_found")
    admin.put(path, {}).refused(404, "not_found")
    mine = [event for event in audited(database, admin) if event[1:] == (content_type, row["id"])]
    assert [event[0].removeprefix("resource_") for event in mine] == ["created", "updated", "updated", "deleted"]


@pytest.mark.parametrize("content_type", TYPES)
def test_a_moderator_may_and_the_audit_names_them(
    content_type: str, row: dict[str, Any], moderator: User, database: Database
) -> None:
    assert moderator.put(f"/admin/content/{content_type}/{row['id']}", {"description": "x"}).status == 200
    assert audited(database, moderator) == [("resource_updated", content_type, row["id"])]


@pytest.mark.parametrize("content_type", TYPES)
def test_what_is_required_is_named(content_type: str, admin: User, database: Database) -> None:
    required = {*LEAST[content_type], "key"} - {"trigger_config"} - ({"key"} if content_type == "exercises" else set())
    required |= {"topic_id"} if content_type in ("lessons", "drills") else set()
    admin.post(f"/admin/content/{content_type}", {}).invalid(*required)
    assert audited(database, admin) == []


@pytest.mark.parametrize("content_type", [one for one in TYPES if one != "exercises"])
def test_a_key_is_there_once(content_type: str, row: dict[str, Any], admin: User, topic: str) -> None:
    body = LEAST[content_type] | {"key": row["key"], "topic_id": topic}
    admin.post(f"/admin/content/{content_type}", body).refused(409, "duplicate_key")
    for bad in ("", "A", "-a", "a b", "x" * 101, "é"):
        admin.post(f"/admin/content/{content_type}", body | {"key": bad}).invalid("key")
    longest = admin.post(f"/admin/content/{content_type}", body | {"key": (key() * 4)[:100]})
    assert longest.status == 200, longest.text
    answers = at_once(4, lambda: admin.post(f"/admin/content/{content_type}", body | {"key": f"{row['key']}x"}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]


def test_the_form_that_is_expected_is_said(admin: User) -> None:
    item = {"key": "A lamp", "name": "Lamp", "category": "desk", "price_coins": 5, "effect_json": {"factor": 2}}
    fields = admin.post("/admin/content/market_items", item).refused(400, "validation_error")["fields"]
    said = {one["field"]: one["message"] for one in fields}
    assert said["key"].startswith("must have 1 to 100 of the characters a to z, 0 to 9, _ and -")
    assert said["effect_json"] == "must have the field 'type'"


@pytest.mark.parametrize("content_type", ["market_items", "topics", "lessons", "drills"])
def test_a_key_may_change_but_not_to_a_taken_one(
    content_type: str, row: dict[str, Any], admin: User, topic: str
) -> None:
    second = make(admin, content_type, **({"topic_id": topic} if "topic_id" in row else {}))
    path = f"/admin/content/{content_type}/{row['id']}"
    admin.put(path, {"key": second["key"]}).refused(409, "duplicate_key")
    assert admin.put(path, {"key": row["key"]}).status == 200
    fresh = key()
    assert admin.put(path, {"key": fresh}).json["item"]["key"] == fresh


def test_the_key_of_an_achievement_stays(admin: User) -> None:
    row = make(admin, "achievements")
    admin.put(f"/admin/content/achievements/{row['key']}", {"key": key()}).invalid("key")
    assert admin.put(f"/admin/content/achievements/{row['key']}", {"key": row["key"]}).status == 200


@pytest.mark.parametrize("content_type", TYPES)
def test_a_key_that_is_used_again_makes_one_row(content_type: str, admin: User, topic: str) -> None:
    body = LEAST[content_type] | {"key": key(), "topic_id": topic}
    headers = {"Idempotency-Key": str(uuid4())}
    answers = [admin.post(f"/admin/content/{content_type}", body, headers=headers) for _ in range(2)]
    assert answers[0].json == answers[1].json
    assert answers[1].headers["idempotent-replay"] == "true"


def test_an_unknown_type_or_id_is_nothing(admin: User) -> None:
    for method in ("GET", "POST"):
        admin.request(method, "/admin/content/users", body={}).refused(404, "not_found")
    for method in ("GET", "PUT", "DELETE"):
        admin.request(method, f"/admin/content/users/{uuid4()}", body={}).refused(404, "not_found")
        for content_type in TYPES:
            for unknown in (str(uuid4()), "nothing"):
                admin.request(method, f"/admin/content/{content_type}/{unknown}", body={}).refused(404, "not_found")


def test_counts_are_those_of_the_lists(admin: User, user: User) -> None:
    user.post("/market/items", {"name": "Own", "price_coins": 1})
    user.post("/exercise", {"name": "Own", "category": "own"})
    counted = admin.get("/admin/content").json["counts"]
    assert list(counted) == TYPES
    for content_type, count in counted.items():
        listed = admin.get(f"/admin/content/{content_type}", query={"page_size": 1}).json
        assert listed["total"] == count > 0
        assert (listed["page"], listed["page_size"], len(listed["items"])) == (1, 1, 1)
        again = admin.get(f"/admin/content/{content_type}", query={"page_size": 1, "page": 2}).json
        assert again["items"] != listed["items"]


@pytest.mark.parametrize("content_type", TYPES)
def test_searched_text_is_ordinary(content_type: str, row: dict[str, Any], admin: User) -> None:
    name, path = NAME.get(content_type, "name"), f"/admin/content/{content_type}"
    admin.put(f"{path}/{row['id']}", {name: "100%_sure"})
    for search, hits in (("100%_SURE", 1), ("100__sure", 0), ("%%%", 0)):
        assert admin.get(path, query={"search": search}).json["total"] == hits
    admin.delete(f"{path}/{row['id']}")


def test_users_own_rows_are_not_content(admin: User, user: User) -> None:
    item = user.post("/market/items", {"name": "My own reward", "price_coins": 1}).data
    exercise = user.post("/exercise", {"name": "My own exercise", "category": "own"}).data
    for content_type, row in (("market_items", item), ("exercises", exercise)):
        path = f"/admin/content/{content_type}"
        assert admin.get(path, query={"search": "my own"}).json["items"] == []
        for method in ("GET", "PUT", "DELETE"):
            admin.request(method, f"{path}/{row['id']}", body={"name": "Taken"}).refused(404, "not_found")
    assert user.get(f"/market/items/{item['id']}").data["name"] == "My own reward"
    assert user.get(f"/exercise/{exercise['id']}").data["name"] == "My own exercise"


# Users see it at once, and no longer once it is inactive --------------------------------------------------------------


def keys(user: User, path: str) -> list[str]:
    """The keys of what a route lists: in the bare list of lessons, or in the field named as the path's last part."""
    document = user.get(path).json
    rows = document if isinstance(document, list) else document["data"][path.rpartition("/")[2]]
    return [row["key"] for row in rows]


@pytest.mark.parametrize(
    ("content_type", "path"),
    [
        ("market_items", "/market/items"),
        ("topics", "/learn/topics"),
        ("lessons", "/learn/lessons"),
        ("drills", "/learn/drills"),
        ("achievements", "/gamification/achievements"),
    ],
)
def test_users_see_what_is_active(content_type: str, path: str, row: dict[str, Any], admin: User, user: User) -> None:
    assert row["key"] in keys(user, path)
    shown = admin.put(f"/admin/content/{content_type}/{row['id']}", {"is_active": False}).json["item"]
    assert shown["is_active"] is False
    assert row["key"] not in keys(user, path)
    listed = f"/admin/content/{content_type}"
    search = {"search": row["key"]}
    assert admin.get(listed, query=search).json["total"] == 1
    assert admin.get(listed, query={**search, "include_inactive": "false"}).json["total"] == 0
    admin.put(f"/admin/content/{content_type}/{row['id']}", {"is_active": True})
    assert row["key"] in keys(user, path)


def test_an_inactive_topic_hides_what_is_under_it(admin: User, user: User, topic: str) -> None:
    lesson = make(admin, "lessons", topic_id=topic)
    assert user.get(f"/learn/lessons/{lesson['key']}").status == 200
    admin.put(f"/admin/content/topics/{topic}", {"is_active": False})
    user.get(f"/learn/lessons/{lesson['key']}").refused(404, "not_found")


def test_an_exercise_shows_in_the_library(admin: User, user: User) -> None:
    row = make(admin, "exercises", name="Log Walk!", primary_muscles=["Calves", "calves"], equipment=["Log"])
    shown = user.get(f"/exercise/{row['id']}").data
    assert (shown["name"], shown["category"], shown["muscle_groups"]) == ("Log Walk!", "balance", ["calves"])
    assert (shown["is_builtin"], shown["slug"]) == (True, row["slug"])
    assert row["slug"].startswith("log-walk-")
    assert make(admin, "exercises", name="鶴")["slug"]
    assert admin.delete(f"/admin/content/exercises/{row['id']}").json["archived"] is False
    user.get(f"/exercise/{row['id']}").refused(404, "not_found")


# What users refer to is archived --------------------------------------------------------------------------------------


def archived(admin: User, content_type: str, row_id: str) -> dict[str, Any]:
    """The row after it was deleted, which archives it; a second time too."""
    for _ in range(2):
        removed = admin.delete(f"/admin/content/{content_type}/{row_id}").json
        assert (removed["success"], removed["archived"]) == (True, True)
    row: dict[str, Any] = admin.get(f"/admin/content/{content_type}/{row_id}").json["item"]
    return row


def test_a_bought_item_is_archived_and_stays_with_its_buyer(admin: User, user: User) -> None:
    item = make(admin, "market_items", price_coins=0)
    user.post("/market/purchase", {"item_key": item["key"]})
    assert archived(admin, "market_items", item["id"])["is_active"] is False
    assert item["key"] not in keys(user, "/market/items")
    assert [bought["item_key"] for bought in user.get("/market/inventory").data["purchases"]] == [item["key"]]


def test_an_item_somebody_saves_for_is_archived(admin: User, user: User) -> None:
    item = make(admin, "market_items")
    user.put("/market/goal", {"item_key": item["key"]})
    assert archived(admin, "market_items", item["id"])["is_active"] is False


def test_a_lesson_somebody_began_is_archived(admin: User, user: User, topic: str) -> None:
    lesson = make(admin, "lessons", topic_id=topic)
    user.post(f"/learn/lessons/{lesson['key']}/start")
    assert archived(admin, "lessons", lesson["id"])["is_active"] is False
    assert archived(admin, "topics", topic)["is_active"] is False


def test_a_drill_somebody_tried_is_archived(admin: User, user: User, topic: str) -> None:
    drill = make(admin, "drills", topic_id=topic)
    attempt = {"score": 90, "correct_count": 9, "total_count": 10, "time_seconds": 30}
    assert user.post(f"/learn/drills/{drill['key']}/submit", attempt).status == 200
    assert archived(admin, "drills", drill["id"])["is_active"] is False


def test_an_exercise_of_a_workout_is_archived(admin: User, user: User) -> None:
    row = make(admin, "exercises")
    sections = [{"name": "Main", "section_type": "main", "exercises": [{"exercise_id": row["id"], "sets": 3}]}]
    workout = user.post("/exercise/workouts", {"name": "Walks", "sections": sections}).data
    assert archived(admin, "exercises", row["id"])["deleted_at"] is not None
    user.get(f"/exercise/{row['id']}").refused(404, "not_found")
    assert (
        user.get(f"/exercise/workouts/{workout['id']}").data["sections"][0]["exercises"][0]["exercise_name"]
        == row["name"]
    )


def test_an_exercise_that_was_performed_is_archived(admin: User, user: User) -> None:
    row = make(admin, "exercises")
    user.post("/exercise/sessions/start", {})
    user.post("/exercise/sessions/log-set", {"exercise_id": row["id"], "reps": 5})
    user.post("/exercise/sessions/complete")
    assert archived(admin, "exercises", row["id"])["deleted_at"] is not None


def test_an_earned_achievement_is_archived(admin: User, user: User) -> None:
    trigger = {"counter": "habits_completed", "count": 1}
    row = make(admin, "achievements", trigger_config=trigger, reward_xp=7, reward_coins=3)
    habit = user.post("/habits", {"name": "Read"}).data
    won = user.post(f"/habits/{habit['id']}/complete").data["achievements_unlocked"]
    expected = {"key": row["key"], "name": row["name"], "reward_xp": 7, "reward_coins": 3}
    assert expected in won
    assert archived(admin, "achievements", row["key"])["is_active"] is False
    assert row["key"] in [one["achievement_key"] for one in user.get("/achievements/user").json]


def test_what_is_just_being_used_is_archived(admin: User, user: User, database: Database) -> None:
    """A deletion waits for a purchase that is under way, and then finds it."""
    item = make(admin, "market_items", price_coins=0)
    with psycopg.connect(database.app_url) as buyer:
        buyer.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
        buyer.execute("SELECT app.purchase(gen_random_uuid(), %s, NULL, 1)", [item["key"]])
        removed = waiting(database, buyer, lambda: admin.delete(f"/admin/content/market_items/{item['id']}"))
    assert removed.json["archived"] is True


@pytest.mark.parametrize(
    ("content_type", "path", "body"),
    [
        ("lessons", "/learn/lessons/{}/start", {}),
        ("lessons", "/learn/lessons/{}/complete", {}),
        ("drills", "/learn/drills/{}/submit", {"score": 50, "correct_count": 1, "total_count": 2, "time_seconds": 9}),
    ],
)
def test_what_is_deleted_while_it_is_learned_is_not_there(
    *, content_type: str, path: str, body: dict[str, Any], admin: User, user: User, topic: str, database: Database
) -> None:
    row = make(admin, content_type, topic_id=topic)
    with psycopg.connect(database.admin_url) as deleting:
        deleting.execute(f"DELETE FROM learn_{content_type} WHERE id = %s".encode(), [row["id"]])
        waiting(database, deleting, lambda: user.post(path.format(row["id"]), body)).refused(404, "not_found")


def workout(exercise: str) -> dict[str, Any]:
    planned = {"exercise_id": exercise, "sets": 3, "reps_min": 5}
    return {"name": "Strongman", "sections": [{"name": "Main", "section_type": "main", "exercises": [planned]}]}


@pytest.mark.parametrize("key", [None, "once"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/exercise/workouts", workout),
        ("/exercise/sessions/log-set", lambda exercise: {"exercise_id": exercise, "reps": 1}),
        ("/exercise/{own}/merge", lambda exercise: {"into": exercise}),
    ],
)
def test_an_exercise_that_is_deleted_while_it_is_used_is_not_there(
    *, path: str, body: Callable[[str], dict[str, Any]], key: str | None, admin: User, user: User, database: Database
) -> None:
    """Whoever comes too late is answered as the one who comes later still."""
    exercise = make(admin, "exercises")["id"]
    path = path.format(own=user.post("/exercise", {"name": "Log carry", "category": "strength"}).data["id"])
    user.post("/exercise/sessions/start", {"name": "Today"})
    headers = {"Idempotency-Key": key} if key else {}
    with psycopg.connect(database.admin_url) as deleting:
        deleting.execute("DELETE FROM exercises WHERE id = %s", [exercise])
        answer = waiting(database, deleting, lambda: user.post(path, body(exercise), headers=headers))
    answer.refused(404, "not_found")
    later = user.post(path, body(exercise), headers=headers)
    assert later.json["error"] == answer.error
    assert ("idempotent-replay" in later.headers) is (key is not None)


def test_a_topic_that_is_deleted_while_a_lesson_is_added_is_not_there(
    admin: User, topic: str, database: Database
) -> None:
    body = LEAST["lessons"] | {"key": key(), "topic_id": topic}
    with psycopg.connect(database.admin_url) as deleting:
        deleting.execute("DELETE FROM learn_topics WHERE id = %s", [topic])
        waiting(database, deleting, lambda: admin.post("/admin/content/lessons", body)).invalid("topic_id")


def test_an_achievement_that_is_just_being_deleted_is_not_earned(admin: User, user: User, database: Database) -> None:
    """The payment that would complete it waits for the deletion, and is kept."""
    row = make(admin, "achievements", trigger_config={"counter": "habits_completed", "count": 1})
    habit = user.post("/habits", {"name": "Read"}).data
    with psycopg.connect(database.admin_url) as deleting:
        deleting.execute("DELETE FROM achievement_definitions WHERE key = %s", [row["key"]])
        done = waiting(database, deleting, lambda: user.post(f"/habits/{habit['id']}/complete")).data
    assert done["xp_awarded"] == 10
    assert [one["key"] for one in done["achievements_unlocked"]] == ["first_habit"]


@pytest.mark.parametrize("content_type", [one for one in TYPES if one != "exercises"])
def test_who_writes_a_type_waits_for_who_writes_it(
    content_type: str, row: dict[str, Any], admin: User, topic: str, database: Database
) -> None:
    """Or two could take one key: neither sees what the other has not committed."""
    body = LEAST[content_type] | {"key": key(), "topic_id": topic}
    path = f"/admin/content/{content_type}"
    for write in (lambda: admin.post(path, body), lambda: admin.put(f"{path}/{row['id']}", {"key": row["key"]})):
        with psycopg.connect(database.admin_url) as writer:
            writer.execute("SELECT lock_content(%s)", [content_type])
            assert waiting(database, writer, write).status == 200


def waiting(database: Database, holder: psycopg.Connection[Any], call: Callable[[], Answer]) -> Answer:
    """The answer to a request that waits for this transaction, which is then committed."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(in_thread, call)
        while not is_waited_for(database, holder.info.backend_pid):
            assert not answer.done(), "it did not wait"
            time.sleep(0.01)
        holder.commit()
        return answer.result()


BUILT_IN = [
    ("market_items", "key", "movie_night"),
    ("topics", "key", "mindfulness"),
    ("lessons", "key", "one_thing_at_a_time"),
    ("drills", "key", "minute_by_feel"),
    ("achievements", "key", "books_10"),
    ("exercises", "slug", "zottman-curl"),
]


@pytest.fixture
def undone(database: Database, admin: User) -> Any:
    """What is built in, as it was before once the test is over: the other tests of the run need it."""
    tables = ["market_items", "learn_topics", "learn_lessons", "learn_drills", "achievement_definitions", "exercises"]
    yield
    for table in tables:
        if table == "exercises":
            database.query(
                "UPDATE exercises SET deleted_at = NULL, is_edited = false WHERE is_builtin AND slug = 'zottman-curl'"
            )
            admin.post("/exercise/seed")
        else:
            database.query(f"UPDATE {table} SET is_active = true WHERE is_built_in")


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize(("content_type", "by", "name"), BUILT_IN)
def test_what_is_built_in_is_only_archived(content_type: str, by: str, name: str, admin: User) -> None:
    found = admin.get(f"/admin/content/{content_type}", query={"search": name}).json["items"]
    [row] = [item for item in found if item[by] == name]
    assert archived(admin, content_type, row["id"])[by] == name
    if content_type != "exercises":
        admin.put(f"/admin/content/{content_type}/{row['id']}", {"key": key()}).invalid("key")


@pytest.mark.usefixtures("undone")
def test_a_seed_brings_nothing_back_and_undoes_no_edit(admin: User, untouched: Database, database: Database) -> None:
    """Exercises are seeded by a route; the other seeds by their migrations, which can be run again."""
    [row] = [
        item
        for item in admin.get("/admin/content/exercises", query={"search": "zottman-curl"}).json["items"]
        if item["slug"] == "zottman-curl"
    ]
    path = f"/admin/content/exercises/{row['id']}"
    admin.put(path, {"name": "Zottman", "category": "arms"})
    admin.delete(path)
    admin.post("/exercise/seed")
    kept = admin.get(path).json["item"]
    assert (kept["name"], kept["category"]) == ("Zottman", "arms")
    assert kept["deleted_at"] is not None
    database.query("UPDATE exercises SET name = 'Zottman Curl', category = 'strength' WHERE slug = 'zottman-curl'")

    for migration, table, name in (
        ("0006_ledger_seeds", "achievement_definitions", "name"),
        ("0016_market_seeds", "market_items", "name"),
        ("0018_learn_seeds", "learn_topics", "name"),
        ("0018_learn_seeds", "learn_lessons", "title"),
        ("0018_learn_seeds", "learn_drills", "title"),
    ):
        untouched.query(f"UPDATE {table} SET {name} = 'edited', is_active = false")
        before = untouched.query(f"SELECT * FROM {table} ORDER BY key")
        rerun(untouched, migration)
        assert untouched.query(f"SELECT * FROM {table} ORDER BY key") == before, table


def rerun(database: Database, migration: str) -> None:
    with database.admin() as connection, connection.transaction():
        connection.execute((MIGRATIONS / f"{migration}.sql").read_bytes())


# The fields of each type ----------------------------------------------------------------------------------------------


def test_the_defaults_of_each_type(admin: User, topic: str) -> None:
    item = make(admin, "market_items")
    assert {
        field: item[field] for field in ("rarity", "is_consumable", "uses_per_purchase", "limit_period", "sort_order")
    } == {
        "rarity": "common",
        "is_consumable": True,
        "uses_per_purchase": 1,
        "limit_period": "ever",
        "sort_order": 0,
    }
    lesson = make(admin, "lessons", topic_id=topic)
    assert [lesson[field] for field in ("duration_minutes", "difficulty", "xp_reward", "coin_reward", "skill_key")] == [
        10,
        "beginner",
        30,
        15,
        "knowledge",
    ]
    drill = make(admin, "drills", topic_id=topic)
    assert [drill[field] for field in ("config_json", "difficulty", "duration_seconds", "xp_reward")] == [
        {},
        "beginner",
        60,
        5,
    ]
    achievement = make(admin, "achievements")
    assert [achievement[field] for field in ("id", "reward_xp", "reward_coins", "is_hidden")] == [
        achievement["key"],
        0,
        0,
        False,
    ]
    assert all(row["is_active"] for row in (item, lesson, drill, achievement))
    assert not any(row["is_built_in"] for row in (item, lesson, drill, achievement))


def test_fields_that_no_type_has_reach_no_column(admin: User, user: User) -> None:
    sent = {"owner_id": str(user.id), "is_built_in": True, "archived_at": "2031-01-01T00:00:00Z", "remaining_stock": 7}
    row = make(admin, "market_items", **sent)
    assert (row["is_built_in"], row["remaining_stock"]) == (False, None)
    assert row["key"] in keys(user, "/market/items")


@pytest.mark.parametrize(
    ("content_type", "bad"),
    [
        ("market_items", {"name": "x" * 81}),
        ("market_items", {"price_coins": -1}),
        ("market_items", {"price_coins": 1_000_001}),
        ("market_items", {"price_coins": "5"}),
        ("market_items", {"rarity": "mythic"}),
        ("market_items", {"uses_per_purchase": 101}),
        ("market_items", {"total_stock": -1}),
        ("market_items", {"limit_per_user": 100}),
        ("market_items", {"limit_period": "week"}),
        ("market_items", {"requires_level": 0}),
        ("market_items", {"valid_days": 366}),
        ("market_items", {"description": "x" * 501}),
        ("market_items", {"available_from": "2031-01-01"}),
        ("market_items", {"sort_order": 2**31}),
        ("market_items", {"is_consumable": None}),
        ("topics", {"category": "other"}),
        ("topics", {"name": "x" * 101}),
        ("topics", {"color": "red"}),
        ("lessons", {"title": "x" * 201}),
        ("lessons", {"duration_minutes": 0}),
        ("lessons", {"duration_minutes": 241}),
        ("lessons", {"difficulty": "expert"}),
        ("lessons", {"xp_reward": 501}),
        ("lessons", {"coin_reward": 251}),
        ("lessons", {"content_markdown": "x" * 5_001}),
        ("lessons", {"skill_key": "cooking"}),
        ("lessons", {"topic_id": str(uuid4())}),
        ("lessons", {"topic_id": "nothing"}),
        ("drills", {"topic_id": str(uuid4())}),
        ("drills", {"drill_type": "dance"}),
        ("drills", {"config_json": []}),
        ("drills", {"config_json": {"a": "x" * 16_384}}),
        ("drills", {"duration_seconds": 9}),
        ("drills", {"duration_seconds": 3_601}),
        ("drills", {"xp_reward": -1}),
        ("exercises", {"name": "x" * 121}),
        ("exercises", {"category": " "}),
        ("exercises", {"primary_muscles": ["x"] * 21}),
        ("exercises", {"equipment": "x"}),
        ("exercises", {"force": "lift"}),
        ("exercises", {"level": "advanced"}),
        ("exercises", {"mechanic": "simple"}),
        ("exercises", {"instructions": "x" * 10_001}),
        ("achievements", {"name": ""}),
        ("achievements", {"reward_xp": 10_001}),
        ("achievements", {"reward_coins": 5_001}),
        ("achievements", {"trigger_type": "luck"}),
        ("achievements", {"trigger_config": {"counter": "sneezes", "count": 1}}),
        ("achievements", {"trigger_config": {"counter": "focus_sessions"}}),
    ],
)
def test_a_bad_field_is_named(content_type: str, bad: dict[str, Any], admin: User, topic: str) -> None:
    named = {"topic_id": topic} if content_type in ("lessons", "drills") else {}
    more = {} if content_type == "exercises" else {"key": key()}
    admin.post(f"/admin/content/{content_type}", LEAST[content_type] | more | named | bad).invalid(*bad)
    row = make(admin, content_type, **named)
    admin.put(f"/admin/content/{content_type}/{row['id']}", bad).invalid(*bad)


@pytest.mark.parametrize(
    ("trigger_type", "config", "fits"),
    [
        ("counter", {"counter": "focus_sessions", "count": 3}, True),
        ("streak", {"streak_type": "daily_activity", "count": 3}, True),
        ("streak", {"streak_type": "sleep", "count": 3}, False),
        ("streak", {"streak_type": "daily_activity"}, False),
        ("event", {"event_type": "focus_complete"}, True),
        ("event", {"event_type": "focus_complete", "min": {"duration_seconds": 60}}, True),
        ("event", {"event_type": "sneeze"}, False),
        ("level", {"level": 2}, True),
        ("level", {"count": 2}, False),
        ("level", None, False),
    ],
)
def test_a_trigger_has_what_its_type_waits_for(trigger_type: str, config: Any, fits: bool, admin: User) -> None:
    body = LEAST["achievements"] | {"key": key(), "trigger_type": trigger_type, "trigger_config": config}
    if config is None:
        del body["trigger_config"]
    answer = admin.post("/admin/content/achievements", body)
    if fits:
        assert answer.json["item"]["trigger_config"] == config
    else:
        answer.invalid("trigger_config")


def test_a_trigger_of_another_type_needs_another_config(admin: User) -> None:
    row = make(admin, "achievements")
    path = f"/admin/content/achievements/{row['key']}"
    admin.put(path, {"trigger_type": "level"}).invalid("trigger_config")
    assert admin.put(path, {"trigger_type": "level", "trigger_config": {"level": 99}}).status == 200
    admin.put(path, {"trigger_config": {"level": 0}}).invalid("trigger_config.level")
    admin.put(path, {"trigger_config": {"level": 1, "min": {"a": "b"}}}).invalid("trigger_config.min.a")


@pytest.mark.parametrize(
    "effect",
    [
        BOOST,
        {"type": "xp_multiplier", "factor": 2, "seconds": 3600},
        {"type": "streak_shield", "days": 1},
        {"type": "unlock", "slot": "theme", "value": "dusk"},
    ],
)
def test_an_effect(effect: dict[str, Any], admin: User) -> None:
    keeps = effect["type"] == "unlock"
    row = make(admin, "market_items", effect_json=effect, is_consumable=not keeps)
    assert row["effect_json"] == effect
    assert row["limit_per_user"] == (1 if keeps else None)
    path = f"/admin/content/market_items/{row['id']}"
    admin.put(path, {"is_consumable": keeps}).invalid("effect_json")
    cleared = admin.put(path, {"is_consumable": keeps, "effect_json": None}).json["item"]
    assert (cleared["effect_json"], cleared["is_consumable"]) == (None, keeps)


@pytest.mark.parametrize(
    "effect",
    [
        {},
        {"type": "wings"},
        {"type": "xp_multiplier", "factor": 0.5, "seconds": 60},
        {"type": "xp_multiplier", "factor": 101, "seconds": 60},
        {"type": "xp_multiplier", "factor": 2, "seconds": 1.5},
        {"type": "xp_multiplier", "factor": 2},
        {"type": "streak_shield", "days": 2},
        {"type": "unlock", "slot": "hat", "value": "x"},
        {"type": "unlock", "slot": "theme", "value": ""},
        [],
        "boost",
    ],
)
def test_what_is_no_effect(effect: Any, admin: User) -> None:
    body = LEAST["market_items"] | {"key": key(), "effect_json": effect}
    fields = admin.post("/admin/content/market_items", body).refused(400, "validation_error")["fields"]
    assert {field["field"].partition(".")[0] for field in fields} == {"effect_json"}


def test_what_is_kept_is_bought_once(admin: User) -> None:
    for bad in ({"limit_per_user": 2}, {"limit_period": "day"}, {"valid_days": 3}):
        body = LEAST["market_items"] | {"key": key(), "is_consumable": False} | bad
        admin.post("/admin/content/market_items", body).invalid(*bad)


def test_a_sale_ends_after_it_begins(admin: User) -> None:
    row = make(admin, "market_items", available_from="2031-01-02T00:00:00Z")
    path = f"/admin/content/market_items/{row['id']}"
    admin.put(path, {"available_until": "2031-01-02T00:00:00Z"}).invalid("available_until")
    assert admin.put(path, {"available_until": "2031-01-02T00:00:01Z"}).status == 200


def test_what_was_sold_of_a_stock_stays_sold(admin: User, user: User) -> None:
    item = make(admin, "market_items", price_coins=0, total_stock=3)
    path = f"/admin/content/market_items/{item['id']}"
    assert user.post("/market/purchase", {"item_key": item["key"], "quantity": 2}).status == 200
    for total, remaining in ((10, 8), (1, 0), (None, None), (4, 4)):
        shown = admin.put(path, {"total_stock": total}).json["item"]
        assert (shown["total_stock"], shown["remaining_stock"]) == (total, remaining)


def test_a_price_acts_on_later_purchases(admin: User, user: User) -> None:
    item = make(admin, "market_items", price_coins=0)
    bought = user.post("/market/purchase", {"item_key": item["key"]}).data
    admin.put(f"/admin/content/market_items/{item['id']}", {"price_coins": 50, "name": "Dearer"})
    [kept] = user.get("/market/history").data["purchases"]
    assert (kept["id"], kept["price_paid"], kept["item_name"]) == (bought["purchase_id"], 0, item["name"])
    user.post("/market/purchase", {"item_key": item["key"]}).refused(409, "insufficient_coins")


def test_a_reward_acts_on_later_completions(admin: User, user: User, other: User, topic: str) -> None:
    lesson = make(admin, "lessons", topic_id=topic, xp_reward=40)
    assert user.post(f"/learn/lessons/{lesson['key']}/complete", {}).data["xp_awarded"] == 40
    admin.put(f"/admin/content/lessons/{lesson['id']}", {"xp_reward": 50})
    assert other.post(f"/learn/lessons/{lesson['key']}/complete", {}).data["xp_awarded"] == 50
    assert user.post(f"/learn/lessons/{lesson['key']}/complete", {}).data["xp_awarded"] == 0


def test_a_quiz_is_graded(admin: User, user: User, topic: str) -> None:
    lesson = make(admin, "lessons", topic_id=topic, quiz_json=QUIZ)
    assert lesson["quiz_json"]["questions"][0] == QUIZ["questions"][0]
    answers = [{"question_id": "a", "choices": [1]}, {"question_id": "b", "choices": [0]}]
    assert user.post(f"/learn/lessons/{lesson['key']}/complete", {"answers": answers}).data["quiz_score"] == 50
    shown = user.get(f"/learn/lessons/{lesson['key']}").data["quiz_json"]["questions"][0]
    assert "right" not in shown


@pytest.mark.parametrize(
    "change",
    [
        {"right": []},
        {"right": [2]},
        {"right": [-1]},
        {"right": [0, 0], "multiple": True},
        {"right": [0, 1]},
        {"options": ["one"]},
        {"options": ["x"] * 9},
        {"options": ["", "y"]},
        {"prompt": " "},
        {"id": "b"},
        {"id": "x" * 65},
    ],
)
def test_what_is_no_quiz(change: dict[str, Any], admin: User, topic: str) -> None:
    quiz = {"questions": [QUIZ["questions"][0] | change, QUIZ["questions"][1]]}
    body = LEAST["lessons"] | {"key": key(), "topic_id": topic, "quiz_json": quiz}
    fields = admin.post("/admin/content/lessons", body).refused(400, "validation_error")["fields"]
    assert {field["field"].partition(".")[0] for field in fields} == {"quiz_json"}


def test_a_quiz_is_at_most_16_kib(admin: User, topic: str) -> None:
    question = {"prompt": "x" * 1_000, "options": ["x" * 300, "y" * 300], "right": [0]}
    quiz = {"questions": [question | {"id": str(number)} for number in range(11)]}
    admin.post(
        "/admin/content/lessons", LEAST["lessons"] | {"key": key(), "topic_id": topic, "quiz_json": quiz}
    ).invalid("quiz_json")
    nothings: list[Any] = [{"questions": []}, {}, []]
    for nothing in nothings:
        body = LEAST["lessons"] | {"key": key(), "topic_id": topic, "quiz_json": nothing}
        assert admin.post("/admin/content/lessons", body).refused(400, "validation_error")["fields"]
