"""The routes of skills (platform contract, section 7)."""

from collections.abc import Iterator
from typing import Any

import pytest

from database.migrate import MIGRATIONS
from tests.admin.conftest import audited, while_it_waits
from tests.conftest import Database, User, at_once
from tests.support.ledger import award

SKILL = {
    *("id", "name", "description", "color", "max_level", "xp_scaling_base", "xp_scaling_multiplier"),
    *("display_order", "is_active"),
}


@pytest.fixture
def built_in(database: Database) -> Iterator[None]:
    """What a test changes of the built-in skills is undone after it."""
    before = database.query("SELECT key, name, is_active FROM skill_definitions WHERE is_built_in")
    yield
    for row in before:
        database.query(
            "UPDATE skill_definitions SET name = %s, is_active = %s WHERE key = %s",
            *(row["name"], row["is_active"], row["key"]),
        )


def made(moderator: User, skill: str = "juggling", **fields: Any) -> dict[str, Any]:
    answer = moderator.post("/admin/skills", {"id": skill, "name": "Juggling", **fields})
    assert answer.status == 200, answer.text
    shown: dict[str, Any] = answer.json
    return shown


def test_the_least_there_is(moderator: User, user: User, database: Database) -> None:
    answer = moderator.post("/admin/skills", {"id": "juggling", "name": " Juggling "})
    assert set(answer.json) == SKILL
    assert (answer.json["id"], answer.json["name"], answer.json["description"]) == ("juggling", "Juggling", None)
    assert (answer.json["color"], answer.json["max_level"], answer.json["is_active"]) == ("#8b5cf6", 10, True)
    assert (answer.json["xp_scaling_base"], answer.json["xp_scaling_multiplier"]) == (100, 1.5)
    assert moderator.get("/admin/skills/juggling").json == answer.json
    assert "juggling" in [skill["key"] for skill in user.get("/skills").json]
    [row] = audited(database, answer)
    assert (row["event_type"], row["user_id"]) == ("resource_created", moderator.id)
    assert (row["resource_type"], row["resource_id"]) == ("skill", "juggling")


def test_the_list_has_an_order(moderator: User) -> None:
    before = [skill["id"] for skill in moderator.get("/admin/skills").json["skills"]]
    assert before == ["focus", "discipline", "strength", "endurance", "creativity", "knowledge"]
    made(moderator)
    moderator.put("/admin/skills/juggling", {"is_active": False})
    assert [skill["id"] for skill in moderator.get("/admin/skills").json["skills"]] == [*before, "juggling"]
    moderator.put("/admin/skills/juggling", {"display_order": 0})
    assert [skill["id"] for skill in moderator.get("/admin/skills").json["skills"]] == ["juggling", *before]


def test_the_list_has_pages(moderator: User) -> None:
    whole = moderator.get("/admin/skills").json
    assert whole == {"skills": whole["skills"], "total": len(whole["skills"]), "page": 1, "page_size": 50}
    second = moderator.get("/admin/skills", query={"page": 2, "page_size": 4}).json
    assert second == {"skills": whole["skills"][4:8], "total": whole["total"], "page": 2, "page_size": 4}
    assert moderator.get("/admin/skills", query={"page": 1_000_000, "page_size": 100}).json["skills"] == []
    for query in ({"page": 0}, {"page": 1_000_001}, {"page_size": 0}, {"page_size": 101}):
        moderator.get("/admin/skills", query=query).invalid(*query)


def test_an_id_that_is_there_is_updated(moderator: User, database: Database) -> None:
    made(
        moderator, description="Three balls", color="#000000", max_level=20, xp_scaling_base=1, xp_scaling_multiplier=1
    )
    answer = moderator.post("/admin/skills", {"id": "juggling", "name": "Clubs", "max_level": 30})
    assert answer.json == {**moderator.get("/admin/skills/juggling").json, "name": "Clubs", "max_level": 30}
    assert (answer.json["description"], answer.json["color"], answer.json["xp_scaling_base"]) == (
        "Three balls",
        "#000000",
        1,
    )
    [row] = audited(database, answer)
    assert row["event_type"] == "resource_updated"


def test_absent_keeps_and_null_clears(moderator: User, database: Database) -> None:
    before = made(moderator, description="Three balls")
    changes = {"name": "Clubs", "color": "#0A0b0C", "max_level": 1000, "xp_scaling_base": 5}
    changed = moderator.put("/admin/skills/juggling", {**changes, "xp_scaling_multiplier": 10, "is_active": False})
    assert changed.json == {**before, **changes, "xp_scaling_multiplier": 10, "is_active": False}
    assert moderator.put("/admin/skills/juggling", {"description": None}).json["description"] is None
    unchanged = moderator.put("/admin/skills/juggling", {"id": "clubs", "key": "clubs", "is_built_in": True})
    assert (unchanged.json["id"], audited(database, unchanged)) == ("juggling", [])
    assert database.query("SELECT 1 FROM skill_definitions WHERE key = 'juggling' AND is_built_in") == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": None}, "name"),
        ({"description": "x" * 5001}, "description"),
        ({"color": "red"}, "color"),
        ({"color": "#12345"}, "color"),
        ({"max_level": 0}, "max_level"),
        ({"max_level": 1001}, "max_level"),
        ({"xp_scaling_base": 0}, "xp_scaling_base"),
        ({"xp_scaling_base": 1.5}, "xp_scaling_base"),
        ({"xp_scaling_multiplier": 0.9}, "xp_scaling_multiplier"),
        ({"xp_scaling_multiplier": 10.1}, "xp_scaling_multiplier"),
    ],
)
def test_bad_fields(moderator: User, fields: dict[str, Any], field: str) -> None:
    moderator.post("/admin/skills", {"id": "juggling", "name": "Juggling", **fields}).invalid(field)
    made(moderator)
    moderator.put("/admin/skills/juggling", fields).invalid(field)


@pytest.mark.parametrize("skill", ["", "Juggling", "1st", "a-b", "x" * 51, 7, None])
def test_bad_ids(moderator: User, skill: Any) -> None:
    moderator.post("/admin/skills", {"id": skill, "name": "Juggling"}).invalid("id")


@pytest.mark.parametrize("skill", ["nothing", "x" * 500, "%"])
def test_an_unknown_skill(moderator: User, skill: str) -> None:
    moderator.get(f"/admin/skills/{skill}").refused(404, "not_found")
    moderator.put(f"/admin/skills/{skill}", {"name": "x"}).refused(404, "not_found")
    moderator.delete(f"/admin/skills/{skill}").refused(404, "not_found")


def test_a_skill_of_nobody_goes(moderator: User, database: Database) -> None:
    made(moderator)
    answer = moderator.delete("/admin/skills/juggling")
    assert set(answer.json) == {"success", "message"}
    assert answer.json["success"] is True
    moderator.get("/admin/skills/juggling").refused(404, "not_found")
    [row] = audited(database, answer)
    assert (row["event_type"], row["resource_id"]) == ("resource_deleted", "juggling")


def test_a_skill_that_a_user_has_stays(moderator: User, user: User, database: Database) -> None:
    made(moderator)
    award(database, user, xp=10, skill="juggling")
    moderator.delete("/admin/skills/juggling").refused(409, "in_use")
    assert moderator.get("/admin/skills/juggling").json["is_active"] is True
    database.query("DELETE FROM users WHERE id = %s", user.id)


@pytest.mark.parametrize("path", ["/habits", "/quests"])
def test_a_skill_that_a_habit_or_a_quest_gives_stays(
    moderator: User, user: User, path: str, database: Database
) -> None:
    made(moderator)
    body = {"title": "Practice", "name": "Practice", "category": "home", "skill_key": "juggling"}
    assert user.post(path, body).status == 200
    moderator.delete("/admin/skills/juggling").refused(409, "in_use")
    database.query("DELETE FROM users WHERE id = %s", user.id)


def test_a_skill_that_content_gives_stays(moderator: User, database: Database) -> None:
    made(moderator)
    quest = moderator.post("/admin/quests", {"title": "Practice", "skill_id": "juggling"}).json["id"]
    moderator.delete("/admin/skills/juggling").refused(409, "in_use")
    moderator.delete(f"/admin/quests/{quest}")
    assert moderator.delete("/admin/skills/juggling").status == 200


@pytest.mark.parametrize("path", ["/habits", "/quests"])
def test_a_skill_that_is_deleted_while_it_is_given_is_none(
    moderator: User, user: User, path: str, database: Database
) -> None:
    """Whoever comes too late is answered as the one who comes later still."""
    made(moderator)
    body = {"title": "Practice", "name": "Practice", "category": "home", "skill_key": "juggling"}
    deleted = "DELETE FROM skill_definitions WHERE key = 'juggling'"
    while_it_waits(database, deleted, lambda: user.post(path, body)).invalid("skill_key")
    user.post(path, body).invalid("skill_key")


def test_a_skill_that_is_deleted_while_content_comes_to_give_it_is_none(moderator: User, database: Database) -> None:
    made(moderator)
    body = {"title": "Practice", "skill_id": "juggling"}
    deleted = "DELETE FROM skill_definitions WHERE key = 'juggling'"
    while_it_waits(database, deleted, lambda: moderator.post("/admin/quests", body)).invalid("skill_id")


@pytest.mark.usefixtures("built_in")
def test_a_built_in_skill_is_archived_and_seeds_do_not_bring_it_back(
    moderator: User, user: User, database: Database
) -> None:
    database.query("DELETE FROM user_skills WHERE skill_key = 'creativity'")
    assert "archived" in moderator.delete("/admin/skills/creativity").json["message"]
    moderator.put("/admin/skills/focus", {"name": "Attention"})
    before = moderator.get("/admin/skills").json
    with database.admin() as connection, connection.transaction():
        connection.execute((MIGRATIONS / "0006_ledger_seeds.sql").read_bytes())
    assert moderator.get("/admin/skills").json == before
    assert moderator.get("/admin/skills/creativity").json["is_active"] is False
    assert "creativity" not in [skill["key"] for skill in user.get("/skills").json]


def test_the_form_that_is_expected_is_said(moderator: User) -> None:
    sent = moderator.post("/admin/skills", {"id": "1x", "name": "x", "color": "red"})
    said = {one["field"]: one["message"] for one in sent.refused(400, "validation_error")["fields"]}
    assert said == {
        "id": "must be a letter and at most 49 more letters, digits and _; letters are a to z",
        "color": "must be a colour, such as #8b5cf6",
    }


def test_two_who_add_the_same_at_once(moderator: User) -> None:
    assert at_once(3, lambda: moderator.post("/admin/skills", {"id": "juggling", "name": "x"}).status) == [200] * 3
