"""/reference/listening/sessions: checklists, one session of a track at a time, what was listened."""

from typing import Any
from uuid import uuid4

import pytest

from functions.listening import rules
from tests.conftest import Client, Database, User, at_once
from tests.listening.music import track
from tests.support.locks import after_a_wait

FIELDS = {
    *("id", "user_id", "track_id", "comparison_id", "template_id", "region_id", "status", "goal", "notes", "takeaway"),
    *("rating", "listened_ms", "loops", "switches", "items", "started_at", "ended_at", "xp_awarded", "coins_awarded"),
    *("created_at", "updated_at"),
}
ITEM = {"id", "position", "prompt", "category", "checked", "response", "score", "annotation_id"}


@pytest.fixture
def mix(database: Database, user: User) -> str:
    return track(database, user)


def started(user: Client, track_id: str, **fields: Any) -> dict[str, Any]:
    answer = user.post("/reference/listening/sessions", {"track_id": track_id, **fields})
    assert answer.status == 200, answer.text
    session: dict[str, Any] = answer.json
    return session


def changed(user: Client, session: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = user.patch(f"/reference/listening/sessions/{session['id']}", fields)
    assert answer.status == 200, answer.text
    after: dict[str, Any] = answer.json
    return after


def shown(user: Client, session: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = user.get(f"/reference/listening/sessions/{session['id']}").json
    return found


def ended(user: Client, session: dict[str, Any], how: str) -> dict[str, Any]:
    answer = user.post(f"/reference/listening/sessions/{session['id']}/{how}")
    assert answer.status == 200, answer.text
    after: dict[str, Any] = answer.json["session"] if how == "complete" else answer.json
    return after


def template(user: User, name: str) -> dict[str, Any]:
    found = user.get("/reference/listening/templates").json["templates"]
    return next(one for one in found if one["name"] == name)


def test_a_session_has_the_default_checklist(user: User, mix: str) -> None:
    session = started(user, mix, goal=" Low end ", checklist=None, template_id=None)
    assert set(session) == FIELDS
    assert (session["status"], session["goal"], session["track_id"]) == ("in_progress", "Low end", mix)
    assert (session["listened_ms"], session["loops"], session["switches"]) == (0, 0, 0)
    assert (session["ended_at"], session["xp_awarded"], session["coins_awarded"]) == (None, 0, 0)
    assert all(set(item) == ITEM for item in session["items"])
    assert [item["position"] for item in session["items"]] == list(range(1, 9))
    asked = [(item["prompt"], item["category"]) for item in session["items"]]
    assert asked == list(zip(*rules.default_checklist(), strict=True))
    assert {(item["checked"], item["response"], item["score"]) for item in session["items"]} == {(False, None, None)}
    assert shown(user, session) == session


def test_a_template_asks_first(user: User, mix: str, database: Database) -> None:
    prompt = template(user, "Breathing")
    session = started(user, mix, template_id=prompt["id"])
    assert session["template_id"] == prompt["id"]
    assert (session["items"][0]["prompt"], session["items"][0]["category"]) == (prompt["prompt_text"], "dynamics")
    assert [item["prompt"] for item in session["items"][1:]] == rules.default_checklist().prompts
    # with a checklist of one's own it does not
    own = started(user, track(database, user), template_id=prompt["id"], checklist=[{"prompt": " Why? "}])
    assert [(item["prompt"], item["category"]) for item in own["items"]] == [("Why?", "general")]


def test_an_own_checklist(user: User, mix: str) -> None:
    sent = [{"prompt": str(n), "category": "mixing"} for n in range(50)]
    session = started(user, mix, checklist=sent)
    assert [item["prompt"] for item in session["items"]] == [str(n) for n in range(50)]
    assert {item["category"] for item in session["items"]} == {"mixing"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"track_id": None}, "track_id"),
        ({"goal": "x" * 501}, "goal"),
        ({"checklist": []}, "checklist"),
        ({"checklist": [{"prompt": "x"}] * 51}, "checklist"),
        ({"checklist": [{"prompt": " "}]}, "checklist.0.prompt"),
        ({"checklist": [{"prompt": "x" * 501}]}, "checklist.0.prompt"),
        ({"checklist": [{"prompt": "x", "category": "mix"}]}, "checklist.0.category"),
        ({"region_id": "x"}, "region_id"),
    ],
)
def test_bad_input(user: User, mix: str, fields: dict[str, Any], field: str) -> None:
    user.post("/reference/listening/sessions", {"track_id": mix} | fields).invalid(field)
    assert user.get("/reference/listening/sessions").json["total"] == 0


def test_what_a_session_is_about_must_be_there(user: User, other: User, mix: str, database: Database) -> None:
    second = track(database, user)
    region = {"start_time_ms": 0, "end_time_ms": 9, "name": "x"}
    pair = {"track_a_id": second, "track_b_id": track(database, user)}
    theirs = track(database, other)
    foreign = {
        "track_id": theirs,
        "region_id": other.post(f"/reference/tracks/{theirs}/regions", region).json["id"],
        "comparison_id": other.post(
            "/reference/comparisons", {"track_a_id": theirs, "track_b_id": track(database, other)}
        ).json["id"],
        "template_id": str(uuid4()),
    }
    path = "/reference/listening/sessions"
    for field, one in foreign.items():
        for unknown in (one, str(uuid4())):
            user.post(path, {"track_id": mix} | {field: unknown}).refused(404, "not_found")
    of_another = user.post(f"/reference/tracks/{second}/regions", region).json["id"]
    user.post(path, {"track_id": mix, "region_id": of_another}).invalid("region_id")
    comparison = user.post("/reference/comparisons", pair).json["id"]
    user.post(path, {"track_id": mix, "comparison_id": comparison}).invalid("comparison_id")
    assert user.get(path).json["total"] == 0
    session = started(user, second, region_id=of_another, comparison_id=comparison)
    assert (session["region_id"], session["comparison_id"]) == (of_another, comparison)
    assert started(user, pair["track_b_id"], comparison_id=comparison)["comparison_id"] == comparison


def test_a_template_that_is_off_is_not_there(user: User, mix: str, database: Database) -> None:
    prompt = template(user, "The one effect")["id"]
    database.query("UPDATE listening_prompt_templates SET is_active = false WHERE id = %s", prompt)
    try:
        body = {"track_id": mix, "template_id": prompt}
        user.post("/reference/listening/sessions", body).refused(404, "not_found")
        user.get(f"/reference/listening/templates/{prompt}").refused(404, "not_found")
        assert len(user.get("/reference/listening/templates").json["templates"]) == 11
    finally:
        database.query("UPDATE listening_prompt_templates SET is_active = true WHERE id = %s", prompt)


def test_one_session_of_a_track_is_in_progress(user: User, mix: str, database: Database) -> None:
    session = started(user, mix, goal="first")
    assert started(user, mix, goal="second", checklist=[{"prompt": "x"}]) == session
    assert started(user, track(database, user))["id"] != session["id"]
    ended(user, session, "abandon")
    assert started(user, mix)["id"] != session["id"]


def test_starts_at_once_are_one(user: User, mix: str) -> None:
    sessions = at_once(5, lambda: started(user, mix))
    assert len({session["id"] for session in sessions}) == 1
    assert [len(session["items"]) for session in sessions] == [8] * 5
    assert user.get("/reference/listening/sessions").json["total"] == 1


def test_it_starts_when_the_wait_is_over(user: User, mix: str, database: Database) -> None:
    session, released = after_a_wait(database, user, lambda: started(user, mix))
    assert session["started_at"] >= released.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# Changes --------------------------------------------------------------------------------------------------------------


def test_what_was_listened_adds_up(user: User, mix: str) -> None:
    session = started(user, mix)
    changed(user, session, listened_ms_delta=600_000, loops_delta=1000, switches_delta=1000)
    after = changed(user, session, listened_ms_delta=1, loops_delta=0)
    assert (after["listened_ms"], after["loops"], after["switches"]) == (600_001, 1000, 1000)


def test_deltas_at_once_lose_nothing(user: User, mix: str) -> None:
    session = started(user, mix)
    at_once(8, lambda: changed(user, session, listened_ms_delta=1000, loops_delta=2, switches_delta=3))
    after = shown(user, session)
    assert (after["listened_ms"], after["loops"], after["switches"]) == (8000, 16, 24)


def test_a_session_of_many_weeks(user: User, mix: str, database: Database) -> None:
    session = started(user, mix)
    database.query("UPDATE listening_sessions SET listened_ms = 2147483647 WHERE id = %s", session["id"])
    assert changed(user, session, listened_ms_delta=1)["listened_ms"] == 2**31


def test_a_change_keeps_what_is_absent_and_clears_what_is_null(user: User, mix: str) -> None:
    session = started(user, mix, goal="g")
    full = changed(user, session, notes=" n ", takeaway=" t ", rating=5)
    assert (full["goal"], full["notes"], full["takeaway"], full["rating"]) == ("g", "n", "t", 5)
    assert changed(user, session) | {"updated_at": ""} == full | {"updated_at": ""}
    cleared = changed(user, session, goal=None, notes=" ", takeaway=None, rating=None)
    assert {cleared[name] for name in ("goal", "notes", "takeaway", "rating")} == {None}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"goal": "x" * 501}, "goal"),
        ({"notes": "x" * 10_001}, "notes"),
        ({"takeaway": "x" * 2001}, "takeaway"),
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"listened_ms_delta": -1}, "listened_ms_delta"),
        ({"listened_ms_delta": 600_001}, "listened_ms_delta"),
        ({"listened_ms_delta": None}, "listened_ms_delta"),
        ({"loops_delta": -1}, "loops_delta"),
        ({"loops_delta": 1001}, "loops_delta"),
        ({"switches_delta": 1001}, "switches_delta"),
        ({"items": None}, "items"),
        ({"items": [{}]}, "items.0.id"),
        ({"items": [{"id": "x"}]}, "items.0.id"),
        ({"items": [{"id": "0192f3c4-5a6b-7c8d-9e0f-112233445566"}]}, "items.0.id"),
        ({"items_add": [{"prompt": ""}]}, "items_add.0.prompt"),
        ({"items_add": [{"prompt": "x"}] * 51}, "items_add"),
    ],
)
def test_bad_changes(user: User, mix: str, fields: dict[str, Any], field: str) -> None:
    session = started(user, mix)
    body = {"notes": "n", "listened_ms_delta": 5} | fields
    user.patch(f"/reference/listening/sessions/{session['id']}", body).invalid(field)
    assert shown(user, session) == session


def test_items(user: User, mix: str) -> None:
    session = started(user, mix)
    one, two, three, *_ = session["items"]
    note = user.post(f"/reference/tracks/{mix}/annotations", {"start_time_ms": 0, "title": "x"}).json["id"]
    after = changed(
        user,
        session,
        items=[
            {"id": one["id"], "checked": True, "response": " deep ", "score": 0, "annotation_id": note},
            {"id": two["id"], "score": 3},
            {"id": two["id"], "response": "brighter"},
        ],
    )["items"]
    assert after[0] == one | {"checked": True, "response": "deep", "score": 0, "annotation_id": note}
    assert after[1] == two | {"score": 3, "response": "brighter"}
    assert after[2:] == session["items"][2:]
    cleared = changed(
        user,
        session,
        items=[{"id": one["id"], "checked": False, "response": None, "score": None, "annotation_id": None}],
    )
    assert cleared["items"][0] == one
    for field, wrong in (("score", 4), ("score", -1), ("response", "x" * 5001), ("checked", None)):
        body = {"items": [{"id": three["id"]}, {"id": three["id"], field: wrong}]}
        user.patch(f"/reference/listening/sessions/{session['id']}", body).invalid(f"items.1.{field}")


def test_items_of_others_are_unknown(user: User, other: User, mix: str, database: Database) -> None:
    session, second = started(user, mix), started(user, track(database, user))
    foreign = started(other, track(database, other))
    path = f"/reference/listening/sessions/{session['id']}"
    own = {"id": session["items"][0]["id"], "checked": True}
    for unknown in (second["items"][0]["id"], foreign["items"][0]["id"], str(uuid4())):
        user.patch(path, {"items": [own, {"id": unknown, "checked": True}]}).invalid("items.1.id")
    theirs = other.post(
        f"/reference/tracks/{foreign['track_id']}/annotations", {"start_time_ms": 0, "title": "x"}
    ).json["id"]
    for unknown in (theirs, str(uuid4())):
        user.patch(path, {"items": [own | {"annotation_id": unknown}]}).refused(404, "not_found")
    assert shown(user, session) == session
    assert shown(other, foreign) == foreign


def test_items_are_added_behind_up_to_50(user: User, mix: str) -> None:
    session = started(user, mix)
    path = f"/reference/listening/sessions/{session['id']}"
    added = changed(user, session, items_add=[{"prompt": " One "}, {"prompt": "Two", "category": "genre_specific"}])
    assert [(i["position"], i["prompt"], i["category"]) for i in added["items"][8:]] == [
        (9, "One", "general"),
        (10, "Two", "genre_specific"),
    ]
    more = {"items_add": [{"prompt": "x"}] * 41, "notes": "n"}
    assert user.patch(path, more).refused(409, "limit_reached") == {"limit": 50}
    assert shown(user, session) == added
    answers = at_once(3, lambda: user.patch(path, {"items_add": [{"prompt": "x"}] * 20}))
    assert sorted(answer.status for answer in answers) == [200, 200, 409]
    assert [item["position"] for item in shown(user, session)["items"]] == list(range(1, 51))


@pytest.mark.parametrize("how", ["complete", "abandon"])
def test_after_the_end_only_what_was_thought_may_change(user: User, mix: str, how: str) -> None:
    session = started(user, mix, goal="g")
    over = ended(user, session, how)
    assert over["ended_at"] is not None
    path = f"/reference/listening/sessions/{session['id']}"
    for closed in (
        {"goal": "x"},
        {"listened_ms_delta": 1},
        {"loops_delta": 1},
        {"switches_delta": 1},
        {"items": [{"id": session["items"][0]["id"], "checked": True}]},
        {"items_add": [{"prompt": "x"}]},
    ):
        refused = user.patch(path, {"notes": "n", **closed})
        assert refused.refused(409, "session_closed") == {"status": over["status"]}
    assert shown(user, session) == over
    after = changed(user, session, notes="n", takeaway="t", rating=1)
    assert (after["notes"], after["takeaway"], after["rating"]) == ("n", "t", 1)
    assert after["ended_at"] == over["ended_at"]


# The end --------------------------------------------------------------------------------------------------------------


def test_abandon(user: User, mix: str) -> None:
    session = started(user, mix)
    over = ended(user, session, "abandon")
    assert (over["status"], over["xp_awarded"]) == ("abandoned", 0)
    assert ended(user, session, "abandon") == over
    path = f"/reference/listening/sessions/{session['id']}/complete"
    assert user.post(path).refused(409, "session_closed") == {"status": "abandoned"}
    assert shown(user, session) == over


def test_a_completed_session_is_not_abandoned(user: User, mix: str) -> None:
    session = started(user, mix)
    over = ended(user, session, "complete")
    path = f"/reference/listening/sessions/{session['id']}/abandon"
    assert user.post(path).refused(409, "session_closed") == {"status": "completed"}
    assert shown(user, session) == over


def test_the_list(user: User, database: Database) -> None:
    tracks = [track(database, user) for _ in range(3)]
    one, two, three = (started(user, track_id) for track_id in tracks)
    ended(user, one, "abandon")
    ended(user, two, "complete")
    path = "/reference/listening/sessions"

    def ids(**query: Any) -> list[str]:
        return [session["id"] for session in user.get(path, query=query).json["data"]]

    assert ids() == [three["id"], two["id"], one["id"]]
    assert (ids(status="in_progress"), ids(status="completed")) == ([three["id"]], [two["id"]])
    assert (ids(track_id=tracks[0]), ids(track_id=tracks[0], status="completed")) == ([one["id"]], [])
    page = user.get(path, query={"page": 2, "page_size": 1}).json
    assert page.pop("data") == [shown(user, two)]
    assert page == {"total": 3, "page": 2, "page_size": 1, "has_next": True, "has_prev": True}
    assert user.get(path, query={"status": "abandoned"}).json["total"] == 1
    user.get(path, query={"status": "paused"}).invalid("status")
    user.get(path, query={"page_size": 0}).invalid("page_size")
    user.get(path, query={"track_id": "x"}).invalid("track_id")


def test_strangers_and_others(user: User, other: User, stranger: Client, mix: str) -> None:
    session = started(user, mix)
    path = f"/reference/listening/sessions/{session['id']}"
    for method, one in (
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/complete"),
        ("POST", f"{path}/abandon"),
    ):
        stranger.request(method, one).refused(401, "unauthorized")
        other.request(method, one).refused(404, "not_found")
    other.post("/reference/listening/sessions", {"track_id": mix}).refused(404, "not_found")
    for tail in ("sessions", "summary", "templates"):
        stranger.get(f"/reference/listening/{tail}").refused(401, "unauthorized")
    assert other.get("/reference/listening/sessions").json["data"] == []
    assert shown(user, session) == session


def test_delete(user: User, mix: str) -> None:
    session = started(user, mix)
    path = f"/reference/listening/sessions/{session['id']}"
    assert user.delete(path).json == {"success": True}
    for method in ("GET", "PATCH", "DELETE"):
        user.request(method, path).refused(404, "not_found")
    for how in ("complete", "abandon"):
        user.post(f"{path}/{how}").refused(404, "not_found")


# Prompts --------------------------------------------------------------------------------------------------------------

SEEDED = [
    ("Arrivals and exits", "arrangement", "intermediate"),
    ("Breathing", "dynamics", "intermediate"),
    ("Loud against quiet", "dynamics", "beginner"),
    ("Who owns the low end", "frequency", "beginner"),
    ("Three tilts", "frequency", "intermediate"),
    ("The crowded octave", "frequency", "advanced"),
    ("First impression", "general", "beginner"),
    ("Price of loudness", "mastering", "expert"),
    ("Lead in its seat", "mixing", "beginner"),
    ("The one effect", "production", "intermediate"),
    ("Edges of the stage", "spatial", "beginner"),
    ("Front to back", "spatial", "advanced"),
]


def test_the_prompts(user: User) -> None:
    answer = user.get("/reference/listening/templates").json
    assert answer["total"] == 12
    found = answer["templates"]
    assert [(one["name"], one["category"], one["difficulty"]) for one in found] == SEEDED
    for one in found:
        assert set(one) == {
            *("id", "name", "description", "category", "difficulty", "prompt_text", "hints", "tags", "display_order"),
        }
        assert 2 <= len(one["hints"]) <= 3
    of_kind = user.get("/reference/listening/templates", query={"category": "spatial", "difficulty": "beginner"}).json
    assert [one["name"] for one in of_kind["templates"]] == ["Edges of the stage"]
    assert of_kind["total"] == 1
    user.get("/reference/listening/templates", query={"category": "mix"}).invalid("category")
    user.get("/reference/listening/templates", query={"difficulty": "hard"}).invalid("difficulty")


def test_a_prompt_with_its_presets(user: User) -> None:
    for one in user.get("/reference/listening/templates").json["templates"]:
        found = user.get(f"/reference/listening/templates/{one['id']}").json
        presets = found.pop("presets")
        assert found == one
        assert 1 <= len(presets) <= 3
        assert all(set(preset) == {"id", "name", "preset_type", "config"} for preset in presets)
    for unknown in (str(uuid4()), "nothing"):
        user.get(f"/reference/listening/templates/{unknown}").refused(404, "not_found")


def test_the_seeds(database: Database) -> None:
    """Every type of preset is there, one belongs to no template, and what is to be heard is 2 or 3 observations."""
    presets = database.query("SELECT template_id, preset_type FROM listening_prompt_presets")
    assert {one["preset_type"] for one in presets} == {"focus", "comparison", "loop", "visualization"}
    assert [one["template_id"] for one in presets].count(None) == 1
    rows = database.query("SELECT jsonb_array_length(expected_observations) AS n FROM listening_prompt_templates")
    assert {row["n"] for row in rows} <= {2, 3}
