"""Templates of listening prompts, and their presets (platform contract, section 7)."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.admin.test_content import waiting
from tests.conftest import Database, User
from tests.listening.music import track

LEAST = {"name": "Low end", "prompt_text": "What does the bass do?"}
WHOLE = {
    "name": "Width",
    "description": "Left and right.",
    "category": "spatial",
    "difficulty": "expert",
    "prompt_text": "How wide is it?",
    "hints": ["Close your eyes."],
    "expected_observations": ["The guitars are hard left."],
    "tags": ["stereo"],
    "display_order": 7,
    "is_active": False,
}


def make(admin: User, **fields: Any) -> dict[str, Any]:
    answer = admin.post("/admin/templates", LEAST | fields)
    assert answer.status == 200, answer.text
    template: dict[str, Any] = answer.json["template"]
    return template


def preset_of(admin: User, template: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = admin.post(f"/admin/templates/{template['id']}/presets", {"name": "Loop"} | fields)
    assert answer.status == 200, answer.text
    preset: dict[str, Any] = answer.json["preset"]
    return preset


def audited(database: Database, row_id: str) -> list[tuple[str, str]]:
    rows = database.query(
        "SELECT event_type, resource_type FROM audit_log WHERE resource_id = %s ORDER BY created_at, id", row_id
    )
    return [(row["event_type"], row["resource_type"]) for row in rows]


def test_a_template_is_made_read_changed_and_deleted(admin: User, user: User, database: Database) -> None:
    made = make(admin)
    defaults = {"category": "general", "difficulty": "beginner", "hints": [], "expected_observations": [], "tags": []}
    assert made == made | LEAST | defaults | {"display_order": 0, "is_active": True, "created_by": str(admin.id)}
    path = f"/admin/templates/{made['id']}"
    assert admin.get(path).json["template"] == {**made, "presets": []}
    assert made["id"] in [one["id"] for one in user.get("/reference/listening/templates").json["templates"]]
    changed = admin.put(path, WHOLE).json["template"]
    assert changed == changed | WHOLE
    assert made["id"] not in [one["id"] for one in user.get("/reference/listening/templates").json["templates"]]
    assert admin.put(path, {"description": None, "hints": []}).json["template"] == changed | {
        "description": None,
        "hints": [],
        "updated_at": admin.get(path).json["template"]["updated_at"],
    }
    assert admin.delete(path).json["deleted"] is True
    for method in ("GET", "PUT", "DELETE"):
        admin.request(method, path, body={}).refused(404, "not_found")
    events = [("resource_created", "templates"), *[("resource_updated", "templates")] * 2]
    assert audited(database, made["id"]) == [*events, ("resource_deleted", "templates")]


def test_the_list_is_by_category_and_order(admin: User) -> None:
    for order, category in ((9, "spatial"), (1, "spatial"), (5, "dynamics")):
        make(admin, category=category, display_order=order, difficulty="expert", is_active=order != 1)
    listed = admin.get("/admin/templates", query={"page_size": 100}).json
    places = [(one["category"], one["display_order"]) for one in listed["templates"]]
    assert places == sorted(places)
    assert listed["total"] == len(places)
    assert (listed["page"], listed["page_size"]) == (1, 100)
    query = {"category": "spatial", "difficulty": "expert"}
    spatial = admin.get("/admin/templates", query=query).json["templates"]
    assert {(one["category"], one["difficulty"]) for one in spatial} == {("spatial", "expert")}
    active = admin.get("/admin/templates", query={**query, "active_only": "true"}).json
    assert len(spatial) > active["total"] == len(active["templates"]) > 0
    assert all(one["is_active"] for one in active["templates"])
    page = admin.get("/admin/templates", query={"page_size": 1, "page": 2}).json["templates"]
    assert page == [listed["templates"][1]]


@pytest.mark.parametrize(
    "bad",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"description": "x" * 5_001},
        {"category": "other"},
        {"difficulty": "master"},
        {"prompt_text": " "},
        {"prompt_text": "x" * 5_001},
        {"hints": ["x"] * 51},
        {"hints": "x"},
        {"expected_observations": ["x"] * 51},
        {"tags": ["x"] * 51},
        {"display_order": 2**31},
        {"is_active": "yes"},
        {"hints": None},
    ],
)
def test_a_bad_field_is_named(bad: dict[str, Any], admin: User) -> None:
    admin.post("/admin/templates", LEAST | bad).invalid(*bad)
    admin.put(f"/admin/templates/{make(admin)['id']}", bad).invalid(*bad)


def test_a_description_has_at_most_5000_characters(admin: User) -> None:
    template = make(admin, description="x" * 5_000)
    assert preset_of(admin, template, description="x" * 5_000)["description"] == template["description"] == "x" * 5_000


def test_a_hint_has_at_most_500_characters(admin: User) -> None:
    assert make(admin, hints=["x" * 500])["hints"] == ["x" * 500]
    admin.post("/admin/templates", LEAST | {"hints": ["x" * 501]}).invalid("hints.0")
    admin.post("/admin/templates", {}).invalid("name", "prompt_text")


def test_a_preset_is_made_read_changed_and_deleted(admin: User, database: Database) -> None:
    template = make(admin)
    made = preset_of(admin, template, config={"from": 1})
    assert made == made | {
        "name": "Loop",
        "description": None,
        "template_id": template["id"],
        "preset_type": "focus",
        "config": {"from": 1},
        "is_active": True,
        "created_by": str(admin.id),
    }
    path = f"/admin/templates/presets/{made['id']}"
    assert admin.get(path).json["preset"] == made
    assert admin.get(f"/admin/templates/{template['id']}/presets").json == {"presets": [made]}
    assert admin.get(f"/admin/templates/{template['id']}").json["template"]["presets"] == [made]
    changed = admin.put(path, {"preset_type": "loop", "description": "Again."}).json["preset"]
    assert (changed["preset_type"], changed["description"], changed["config"]) == ("loop", "Again.", {"from": 1})
    assert admin.delete(path).json["deleted"] is True
    for method in ("GET", "PUT", "DELETE"):
        admin.request(method, path, body={}).refused(404, "not_found")
    assert audited(database, made["id"]) == [
        ("resource_created", "presets"),
        ("resource_updated", "presets"),
        ("resource_deleted", "presets"),
    ]


def test_a_preset_is_detached_and_moved(admin: User) -> None:
    template, second = make(admin), make(admin)
    path = f"/admin/templates/presets/{preset_of(admin, template)['id']}"
    assert admin.put(path, {"template_id": None}).json["preset"]["template_id"] is None
    assert admin.get(f"/admin/templates/{template['id']}/presets").json == {"presets": []}
    assert admin.put(path, {"name": "Kept"}).json["preset"]["template_id"] is None
    assert admin.put(path, {"template_id": second["id"]}).json["preset"]["template_id"] == second["id"]
    admin.put(path, {"template_id": str(uuid4())}).invalid("template_id")
    admin.put(f"/admin/templates/presets/{uuid4()}", {"template_id": str(uuid4())}).refused(404, "not_found")


@pytest.mark.parametrize(
    "bad",
    [
        {"name": ""},
        {"description": "x" * 5_001},
        {"preset_type": "dance"},
        {"config": []},
        {"config": {"a": "x" * 16_384}},
        {"is_active": None},
    ],
)
def test_a_bad_field_of_a_preset_is_named(bad: dict[str, Any], admin: User) -> None:
    template = make(admin)
    admin.post(f"/admin/templates/{template['id']}/presets", {"name": "Loop"} | bad).invalid(*bad)
    admin.put(f"/admin/templates/presets/{preset_of(admin, template)['id']}", bad).invalid(*bad)


def test_presets_of_no_template(admin: User) -> None:
    for unknown in (str(uuid4()), "nothing"):
        admin.get(f"/admin/templates/{unknown}/presets").refused(404, "not_found")
        admin.post(f"/admin/templates/{unknown}/presets", {"name": "x"}).refused(404, "not_found")


def test_a_deleted_template_takes_its_presets_and_leaves_sessions(admin: User, user: User, database: Database) -> None:
    template = make(admin)
    preset, detached = preset_of(admin, template), preset_of(admin, template)
    admin.put(f"/admin/templates/presets/{detached['id']}", {"template_id": None})
    mix = track(database, user)
    begun = user.post("/reference/listening/sessions", {"track_id": mix, "template_id": template["id"]}).json
    assert begun["template_id"] == template["id"]
    assert admin.delete(f"/admin/templates/{template['id']}").status == 200
    admin.get(f"/admin/templates/presets/{preset['id']}").refused(404, "not_found")
    assert admin.get(f"/admin/templates/presets/{detached['id']}").status == 200
    assert user.get(f"/reference/listening/sessions/{begun['id']}").json["template_id"] is None


def test_a_template_that_is_deleted_while_a_session_begins_with_it_is_not_there(
    admin: User, user: User, database: Database
) -> None:
    template = make(admin)
    body = {"track_id": track(database, user), "template_id": template["id"]}
    with psycopg.connect(database.admin_url) as deleting:
        deleting.execute("DELETE FROM listening_prompt_templates WHERE id = %s", [template["id"]])
        answer = waiting(database, deleting, lambda: user.post("/reference/listening/sessions", body))
    answer.refused(404, "not_found")
    assert user.get("/reference/listening/sessions").json["total"] == 0
