"""/reference/comparisons: two tracks at equal loudness, streams, blind rounds."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from tests.audio_worker import signals
from tests.conftest import Client, Database, User, at_once
from tests.listening.music import measure, store, summarize, track
from tests.reference.uploads import register, tone
from tests.support import bucket

FIELDS = {
    *("id", "user_id", "name", "track_a", "track_b", "region_a", "region_b", "offset_ms", "match_mode", "target_lufs"),
    *("blind", "revealed", "trial", "switch_interval_ms", "notes", "verdict", "match", "deltas", "tally"),
    *("created_at", "updated_at"),
}


class Pair(NamedTuple):
    """Two tracks with a region each."""

    a: str
    b: str
    region_a: str
    region_b: str


@pytest.fixture
def pair(database: Database, user: User) -> Pair:
    a, b = track(database, user, "Mix", artist="Me", duration_seconds=3.5), track(database, user, "Reference")
    return Pair(a, b, region(user, a), region(user, b, 5000))


def region(user: Client, track_id: str, end: int = 4000) -> str:
    body = {"start_time_ms": 0, "end_time_ms": end, "name": "Chorus"}
    made: str = user.post(f"/reference/tracks/{track_id}/regions", body).json["id"]
    return made


def compared(user: Client, pair: Pair, **fields: Any) -> dict[str, Any]:
    answer = user.post("/reference/comparisons", {"track_a_id": pair.a, "track_b_id": pair.b, **fields})
    assert answer.status == 200, answer.text
    made: dict[str, Any] = answer.json
    return made


def shown(user: Client, made: dict[str, Any], **query: str) -> dict[str, Any]:
    answer = user.get(f"/reference/comparisons/{made['id']}", query=query)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def changed(user: Client, made: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = user.patch(f"/reference/comparisons/{made['id']}", fields)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def ids(user: Client, **query: Any) -> list[str]:
    return [one["id"] for one in user.get("/reference/comparisons", query=query).json["data"]]


def test_a_comparison(user: User, pair: Pair) -> None:
    made = compared(user, pair, name=" A or B ", match_mode=None, blind=None)
    assert set(made) == FIELDS
    assert (made["name"], made["match_mode"], made["offset_ms"], made["blind"]) == ("A or B", "integrated", 0, False)
    assert made["track_a"] == {
        "id": pair.a,
        "name": "Mix",
        "artist": "Me",
        "duration_seconds": 3.5,
        "status": "ready",
    }
    assert made["track_b"]["id"] == pair.b
    assert (made["region_a"], made["region_b"], made["trial"], made["verdict"]) == (None, None, 1, None)
    assert made["match"]["status"] == "pending_analysis"
    assert made["tally"] == {"total": 0, "a": 0, "b": 0, "tie": 0, "p_value": None}
    assert shown(user, made) == made
    assert ids(user) == [made["id"]]


def test_two_regions_are_matched_unless_told_otherwise(user: User, pair: Pair) -> None:
    both = {"region_a_id": pair.region_a, "region_b_id": pair.region_b}
    assert compared(user, pair, **both)["match_mode"] == "region"
    assert compared(user, pair, **both, match_mode="none")["match_mode"] == "none"
    assert compared(user, pair, region_a_id=pair.region_a)["match_mode"] == "integrated"
    made = compared(user, pair, **both)
    assert made["region_b"] == {"id": pair.region_b, "name": "Chorus", "start_time_ms": 0, "end_time_ms": 5000}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "x" * 201}, "name"),
        ({"offset_ms": 3_600_001}, "offset_ms"),
        ({"offset_ms": -3_600_001}, "offset_ms"),
        ({"offset_ms": 0.5}, "offset_ms"),
        ({"match_mode": "peak"}, "match_mode"),
        ({"match_mode": "region"}, "match_mode"),
        ({"target_lufs": 0.1}, "target_lufs"),
        ({"target_lufs": -40.1}, "target_lufs"),
        ({"blind": "yes"}, "blind"),
        ({"switch_interval_ms": 499}, "switch_interval_ms"),
        ({"switch_interval_ms": 60_001}, "switch_interval_ms"),
        ({"region_a_id": "x"}, "region_a_id"),
    ],
)
def test_bad_input(user: User, pair: Pair, fields: dict[str, Any], field: str) -> None:
    made = compared(user, pair)
    user.post("/reference/comparisons", {"track_a_id": pair.a, "track_b_id": pair.b} | fields).invalid(field)
    user.patch(f"/reference/comparisons/{made['id']}", fields).invalid(field)
    assert ids(user) == [made["id"]]
    assert shown(user, made) == made


def test_only_two_different_tracks_of_the_users(user: User, other: User, pair: Pair, database: Database) -> None:
    user.post("/reference/comparisons", {"track_a_id": pair.a, "track_b_id": pair.a}).invalid("track_b_id")
    user.post("/reference/comparisons", {"track_a_id": pair.a}).invalid("track_b_id")
    foreign = track(database, other, visibility="shared")
    for unknown in (str(uuid4()), foreign):
        for body in ({"track_a_id": pair.a, "track_b_id": unknown}, {"track_a_id": unknown, "track_b_id": pair.b}):
            user.post("/reference/comparisons", body).refused(404, "not_found")
    assert ids(user) == []


def test_a_region_belongs_to_its_side(user: User, other: User, pair: Pair, database: Database) -> None:
    made = compared(user, pair)
    path = f"/reference/comparisons/{made['id']}"
    tracks = {"track_a_id": pair.a, "track_b_id": pair.b}
    foreign = region(other, track(database, other))
    for field, wrong in (("region_a_id", pair.region_b), ("region_b_id", pair.region_a)):
        user.post("/reference/comparisons", tracks | {field: wrong}).invalid(field)
        user.patch(path, {field: wrong}).invalid(field)
        for unknown in (foreign, str(uuid4())):
            user.post("/reference/comparisons", tracks | {field: unknown}).refused(404, "not_found")
            user.patch(path, {field: unknown}).refused(404, "not_found")
    assert shown(user, made) == made


def test_regions_are_needed_by_who_matches_them(user: User, pair: Pair) -> None:
    made = compared(user, pair, region_a_id=pair.region_a, region_b_id=pair.region_b)
    path = f"/reference/comparisons/{made['id']}"
    user.patch(path, {"region_a_id": None}).invalid("match_mode")
    whole = changed(user, made, region_a_id=None, match_mode="integrated")
    assert (whole["region_a"], whole["match_mode"]) == (None, "integrated")
    user.patch(path, {"match_mode": "region"}).invalid("match_mode")
    assert changed(user, made, match_mode="region", region_a_id=pair.region_a)["match_mode"] == "region"
    # a deleted region leaves the mode, and the comparison can be changed as before
    user.delete(f"/reference/regions/{pair.region_b}")
    after = changed(user, made, notes="gone")
    assert (after["match_mode"], after["region_b"], after["region_a"]["id"]) == ("region", None, pair.region_a)


def test_a_change_keeps_what_is_absent_and_clears_what_is_null(user: User, pair: Pair) -> None:
    made = compared(user, pair, name="n", target_lufs=-16, offset_ms=-5, switch_interval_ms=500)
    assert (made["target_lufs"], made["offset_ms"], made["switch_interval_ms"]) == (-16, -5, 500)
    assert changed(user, made) | {"updated_at": ""} == made | {"updated_at": ""}
    full = changed(user, made, verdict="b", notes=" less 200 Hz ", offset_ms=3_600_000, match_mode="short_term_max")
    assert (full["verdict"], full["notes"], full["offset_ms"]) == ("b", "less 200 Hz", 3_600_000)
    assert (full["match_mode"], full["name"], full["target_lufs"]) == ("short_term_max", "n", -16)
    cleared = changed(user, made, verdict=None, notes=None, name=None, target_lufs=None, switch_interval_ms=None)
    assert {cleared[name] for name in ("verdict", "notes", "name", "target_lufs", "switch_interval_ms")} == {None}
    for name in ("offset_ms", "match_mode", "blind"):
        user.patch(f"/reference/comparisons/{made['id']}", {name: None}).invalid(name)
    user.patch(f"/reference/comparisons/{made['id']}", {"verdict": "x"}).invalid("verdict")


def test_the_list(user: User, pair: Pair, database: Database) -> None:
    third = track(database, user, "Third")
    first = compared(user, pair)
    second = compared(user, pair._replace(a=third))
    assert ids(user) == [second["id"], first["id"]]
    changed(user, first, notes="newer")
    assert ids(user) == [first["id"], second["id"]]
    assert ids(user, track_id=pair.a) == [first["id"]]
    assert ids(user, track_id=third) == [second["id"]]
    assert ids(user, track_id=pair.b) == [first["id"], second["id"]]
    assert ids(user, track_id=str(uuid4())) == []
    page = user.get("/reference/comparisons", query={"page": 2, "page_size": 1}).json
    assert [one["id"] for one in page.pop("data")] == [second["id"]]
    assert page == {"total": 2, "page": 2, "page_size": 1, "has_next": False, "has_prev": True}
    beyond = user.get("/reference/comparisons", query={"page": 9, "track_id": pair.a}).json
    assert (beyond["data"], beyond["total"]) == ([], 1)
    user.get("/reference/comparisons", query={"page": 0}).invalid("page")
    user.get("/reference/comparisons", query={"page_size": 101}).invalid("page_size")
    assert user.get("/reference/comparisons").json["data"] == [shown(user, one) for one in (first, second)]


def test_no_more_than_200_also_at_once(user: User, pair: Pair, database: Database) -> None:
    database.query(
        """
        INSERT INTO listening_comparisons (user_id, track_a_id, track_b_id, match_mode)
        SELECT %s, %s, %s, 'none' FROM generate_series(1, 199)
        """,
        *(user.id, pair.a, pair.b),
    )
    body = {"track_a_id": pair.a, "track_b_id": pair.b}
    answers = at_once(4, lambda: user.post("/reference/comparisons", body))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    assert user.post("/reference/comparisons", body).refused(409, "limit_reached") == {"limit": 200}


def test_delete(user: User, pair: Pair) -> None:
    made = compared(user, pair)
    session = user.post("/reference/listening/sessions", {"track_id": pair.b, "comparison_id": made["id"]}).json["id"]
    path = f"/reference/comparisons/{made['id']}"
    user.post(f"{path}/votes", {"preferred": "a"})
    assert user.delete(path).json == {"success": True}
    for method in ("GET", "PATCH", "DELETE"):
        user.request(method, path).refused(404, "not_found")
    user.get(f"{path}/votes").refused(404, "not_found")
    assert user.get(f"/reference/listening/sessions/{session}").json["comparison_id"] is None


def test_strangers_and_others(user: User, other: User, stranger: Client, pair: Pair) -> None:
    made = compared(user, pair, blind=True)
    path = f"/reference/comparisons/{made['id']}"
    asked = [("GET", path), ("PATCH", path), ("DELETE", path), ("GET", f"{path}/votes"), ("POST", f"{path}/reveal")]
    for method, one in [*asked, ("POST", f"{path}/votes")]:
        body = {"preferred": "x"} if one.endswith("votes") and method == "POST" else None
        stranger.request(method, one, body=body).refused(401, "unauthorized")
        other.request(method, one, body=body).refused(404, "not_found")
    body = {"track_a_id": pair.a, "track_b_id": pair.b}
    other.post("/reference/comparisons", body).refused(404, "not_found")
    assert ids(other) == []
    assert shown(user, made) == made


# Loudness and streams -------------------------------------------------------------------------------------------------


def test_a_match_of_what_was_measured(user: User, pair: Pair, database: Database) -> None:
    """4 s at -40 dBFS and 4 s at -20; the other track at -24: a stereo sine of 1 kHz reads its peak level in LUFS."""
    made = compared(user, pair)
    store(database, pair.a, measure(signals.tones((-40.0, 4.0), (-20.0, 4.0))))
    assert shown(user, made)["match"]["status"] == "pending_analysis"
    store(database, pair.b, measure(signals.tones((-24.0, 6.0))))
    whole = shown(user, made)
    assert whole["match"]["status"] == "ready"
    assert (whole["match"]["loudness_a"], whole["match"]["loudness_b"]) == pytest.approx((-20.0, -24.0), abs=0.3)
    assert whole["match"]["gain_a_db"] == pytest.approx(-4.0, abs=0.3)
    assert (whole["match"]["gain_b_db"], whole["match"]["volume_b"], whole["match"]["limited"]) == (0, 1, False)
    assert whole["deltas"]["integrated_lu"] == pytest.approx(4.0, abs=0.3)
    assert whole["deltas"]["true_peak_db"] == pytest.approx(4.0, abs=0.3)
    assert len(whole["deltas"]["spectrum_db"]) == 24
    # the region of A is its quiet half
    regions = changed(user, made, match_mode="region", region_a_id=pair.region_a, region_b_id=pair.region_b)
    assert (regions["match"]["loudness_a"], regions["match"]["loudness_b"]) == pytest.approx((-40.0, -24.0), abs=0.3)
    assert regions["match"]["gain_b_db"] == pytest.approx(-16.0, abs=0.4)
    assert regions["deltas"] == whole["deltas"]
    assert user.get("/reference/comparisons").json["data"] == [regions]
    loudest = changed(user, made, match_mode="short_term_max", target_lufs=-14)
    assert loudest["match"]["gain_a_db"] == pytest.approx(6.0, abs=0.3)
    assert loudest["match"]["gain_b_db"] == pytest.approx(10.0, abs=0.3)


def test_a_full_analysis_goes_before_one_of_loudness(user: User, pair: Pair, database: Database) -> None:
    made = compared(user, pair)
    for track_id in (pair.a, pair.b):
        summarize(database, track_id, "loudness", integrated_lufs=-10.0, true_peak_dbtp=-1.0)
        summarize(database, track_id, "quick", integrated_lufs=-1.0)
    assert shown(user, made)["match"]["loudness_a"] == -10
    assert shown(user, made)["deltas"]["bpm"] is None
    summarize(database, pair.a, "full", integrated_lufs=-12.0, true_peak_dbtp=-1.0)
    summarize(database, pair.a, "full", integrated_lufs=-13.0, true_peak_dbtp=-1.0)
    summarize(database, pair.a, "loudness", integrated_lufs=-10.0, true_peak_dbtp=-1.0)
    assert shown(user, made)["match"]["loudness_a"] == -13


@pytest.fixture
def playable(user: User) -> Pair:
    """Two tracks whose files are in the bucket, of 0.5 and 0.25 s."""
    a, b = register(user)["id"], register(user, tone(0.25))["id"]
    return Pair(a, b, region(user, a), region(user, b))


def played(stream: dict[str, str]) -> bytes:
    assert set(stream) == {"url", "expires_at"}
    status, content = bucket.send("GET", stream["url"])
    assert status == 200
    return content


def test_streams(user: User, playable: Pair) -> None:
    made = compared(user, playable)
    assert not {name for name in shown(user, made) if name.startswith("stream")}
    found = shown(user, made, include="stream")
    assert set(found) == FIELDS | {"stream_a", "stream_b"}
    assert (played(found["stream_a"]), played(found["stream_b"])) == (tone(), tone(0.25))
    ahead = datetime.fromisoformat(found["stream_b"]["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=5, minutes=59) < ahead <= timedelta(hours=6)
    user.get(f"/reference/comparisons/{made['id']}", query={"include": "votes"}).invalid("include")


def test_no_stream_without_a_file(user: User, playable: Pair, database: Database) -> None:
    made = compared(user, playable)
    [row] = database.query("SELECT r2_key FROM reference_tracks WHERE id = %s", playable.a)
    bucket.client().delete_object(Bucket="questlog", Key=row["r2_key"])
    database.query("UPDATE reference_tracks SET status = 'uploading' WHERE id = %s", playable.b)
    found = shown(user, made, include="stream")
    assert (found["stream_a"], found["stream_b"]) == (None, None)


def test_streams_of_a_blind_round_follow_the_swap(user: User, playable: Pair, database: Database) -> None:
    made = compared(user, playable, blind=True)
    for swapped, x, y in ((False, tone(), tone(0.25)), (True, tone(0.25), tone())):
        database.query("UPDATE listening_comparisons SET blind_swap = %s WHERE id = %s", swapped, made["id"])
        found = shown(user, made, include="stream")
        assert set(found) == FIELDS | {"stream_x", "stream_y"}
        assert (played(found["stream_x"]), played(found["stream_y"])) == (x, y)
    assert set(user.post(f"/reference/comparisons/{made['id']}/reveal").json) == FIELDS
    assert played(shown(user, made, include="stream")["stream_a"]) == tone()


# What is deleted with a track -----------------------------------------------------------------------------------------


def test_a_deleted_track_takes_its_comparisons_and_leaves_what_others_have(
    user: User, pair: Pair, database: Database
) -> None:
    """Sessions and annotations of the other track refer to what goes: without that they would keep the track."""
    bucket.serve()
    made = compared(user, pair, region_a_id=pair.region_a, region_b_id=pair.region_b)
    session_b = user.post("/reference/listening/sessions", {"track_id": pair.b, "comparison_id": made["id"]}).json
    session_a = user.post("/reference/listening/sessions", {"track_id": pair.a, "comparison_id": made["id"]}).json
    note_a, note_b = (
        user.post(
            f"/reference/tracks/{track_id}/annotations",
            {"start_time_ms": 0, "title": "x", "session_id": session["id"]},
        ).json
        for track_id, session in ((pair.a, session_b), (pair.b, session_a))
    )
    item = {"id": session_b["items"][0]["id"], "annotation_id": note_a["id"]}
    assert user.patch(f"/reference/listening/sessions/{session_b['id']}", {"items": [item]}).status == 200
    assert user.delete(f"/reference/tracks/{pair.a}").status == 200
    assert ids(user) == []
    after = user.get(f"/reference/listening/sessions/{session_b['id']}").json
    assert (after["comparison_id"], after["items"][0]["annotation_id"]) == (None, None)
    assert user.get(f"/reference/annotations/{note_b['id']}").json["session_id"] is None
    for path in (
        f"/reference/listening/sessions/{session_a['id']}",
        f"/reference/annotations/{note_a['id']}",
        f"/reference/regions/{pair.region_a}",
        f"/reference/comparisons/{made['id']}",
    ):
        user.get(path).refused(404, "not_found")
    assert user.get(f"/reference/regions/{pair.region_b}").status == 200


def test_a_deleted_account_takes_all_of_it(user: User, pair: Pair, database: Database) -> None:
    made = compared(user, pair, region_a_id=pair.region_a, region_b_id=pair.region_b)
    user.post(f"/reference/comparisons/{made['id']}/votes", {"preferred": "a"})
    session = user.post("/reference/listening/sessions", {"track_id": pair.b, "comparison_id": made["id"]}).json
    note = {"start_time_ms": 0, "title": "x", "session_id": session["id"]}
    annotation = user.post(f"/reference/tracks/{pair.a}/annotations", note).json
    item = {"id": session["items"][0]["id"], "annotation_id": annotation["id"]}
    user.patch(f"/reference/listening/sessions/{session['id']}", {"items": [item]})
    database.query("DELETE FROM users WHERE id = %s", user.id)
    assert database.query("SELECT FROM listening_session_items WHERE user_id = %s", user.id) == []
