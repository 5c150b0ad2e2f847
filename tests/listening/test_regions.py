"""/reference/tracks/{id}/regions and /reference/regions/{id}: loops, metrics, suggestions."""

from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from tests.audio_worker import signals
from tests.conftest import Client, Database, User, at_once
from tests.listening.music import measure, store, summarize, track
from tests.support.paging import has_pages

FIELDS = {
    *("id", "track_id", "user_id", "start_time_ms", "end_time_ms", "name", "section_type", "color", "is_loop", "notes"),
    *("created_at", "updated_at"),
}
COLORS = {
    "intro": "#4ade80",
    "verse": "#60a5fa",
    "chorus": "#f472b6",
    "bridge": "#fbbf24",
    "breakdown": "#a78bfa",
    "buildup": "#fb923c",
    "drop": "#ef4444",
    "outro": "#6b7280",
    "custom": "#94a3b8",
}


@pytest.fixture
def mix(database: Database, user: User) -> str:
    return track(database, user, duration_seconds=12.0)


def marked(user: Client, track_id: str, start: float = 1000, end: float = 2000, **fields: Any) -> dict[str, Any]:
    body = {"start_time_ms": start, "end_time_ms": end, "name": "Loop", **fields}
    answer = user.post(f"/reference/tracks/{track_id}/regions", body)
    assert answer.status == 200, answer.text
    made: dict[str, Any] = answer.json
    return made


def listed(user: Client, track_id: str) -> list[dict[str, Any]]:
    answer = user.get(f"/reference/tracks/{track_id}/regions")
    assert answer.status == 200, answer.text
    assert set(answer.json) == {"regions"}
    found: list[dict[str, Any]] = answer.json["regions"]
    return found


def test_the_list_has_pages(user: User, mix: str) -> None:
    for start in (2000, 1000, 0):
        marked(user, mix, start, start + 1)
    has_pages(user, f"/reference/tracks/{mix}/regions", "regions")


def test_a_region(user: User, mix: str) -> None:
    made = marked(user, mix, 999.5, 1999.6, name=" Loop ", section_type=None, is_loop=None, notes="  ")
    assert set(made) == FIELDS
    assert (made["start_time_ms"], made["end_time_ms"], made["name"]) == (1000, 2000, "Loop")
    assert (made["section_type"], made["is_loop"], made["notes"]) == ("custom", False, None)
    assert (made["track_id"], made["user_id"]) == (mix, str(user.id))
    assert user.get(f"/reference/regions/{made['id']}").json == made
    assert listed(user, mix) == [made]


@pytest.mark.parametrize("kind", COLORS)
def test_a_kind_has_its_color(user: User, mix: str, kind: str) -> None:
    assert marked(user, mix, section_type=kind)["color"] == COLORS[kind]
    assert marked(user, mix, section_type=kind, color="#AABBCCdd")["color"] == "#AABBCCdd"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"start_time_ms": -1}, "start_time_ms"),
        ({"start_time_ms": 86_400_001}, "start_time_ms"),
        ({"end_time_ms": None}, "end_time_ms"),
        ({"end_time_ms": 1000}, "end_time_ms"),
        ({"start_time_ms": 1000.4, "end_time_ms": 1000.49}, "end_time_ms"),
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"section_type": "solo"}, "section_type"),
        ({"color": "#abcd"}, "color"),
        ({"is_loop": "yes"}, "is_loop"),
        ({"notes": "x" * 10_001}, "notes"),
    ],
)
def test_bad_input(user: User, mix: str, fields: dict[str, Any], field: str) -> None:
    made = marked(user, mix)
    body = {"start_time_ms": 1000, "end_time_ms": 2000, "name": "x"} | fields
    user.post(f"/reference/tracks/{mix}/regions", body).invalid(field)
    user.patch(f"/reference/regions/{made['id']}", fields).invalid(field)
    assert listed(user, mix) == [made]


def test_the_latest_region(user: User, mix: str) -> None:
    assert marked(user, mix, 86_400_000, 86_400_001)["end_time_ms"] == 86_400_001


def test_a_change_is_checked_as_a_whole(user: User, mix: str) -> None:
    made = marked(user, mix, color="#123")
    path = f"/reference/regions/{made['id']}"
    user.patch(path, {"start_time_ms": 2000}).invalid("start_time_ms")
    assert user.get(path).json == made
    changed = user.patch(path, {"start_time_ms": 1999, "section_type": "drop", "is_loop": True, "notes": "n"}).json
    assert (changed["start_time_ms"], changed["color"], changed["is_loop"], changed["notes"]) == (
        1999,
        "#123",
        True,
        "n",
    )
    cleared = user.patch(path, {"color": None, "notes": None}).json
    assert (cleared["color"], cleared["notes"], cleared["section_type"]) == (COLORS["drop"], None, "drop")


def test_the_list_is_by_time(user: User, mix: str) -> None:
    for start in (3000, 1000, 2000, 1000):
        marked(user, mix, start, 9000)
    keys = [(one["start_time_ms"], one["id"]) for one in listed(user, mix)]
    assert len(keys) == 4
    assert keys == sorted(keys)


def test_delete(user: User, mix: str, database: Database) -> None:
    made, kept = marked(user, mix), marked(user, mix)
    compared = {"track_a_id": mix, "track_b_id": track(database, user), "region_a_id": made["id"]}
    comparison = user.post("/reference/comparisons", compared).json["id"]
    started = {"track_id": mix, "region_id": made["id"]}
    session = user.post("/reference/listening/sessions", started).json["id"]
    path = f"/reference/regions/{made['id']}"
    assert user.delete(path).json == {"success": True}
    for method in ("GET", "PATCH", "DELETE"):
        user.request(method, path).refused(404, "not_found")
    user.get(f"{path}/metrics").refused(404, "not_found")
    assert listed(user, mix) == [kept]
    assert user.get(f"/reference/comparisons/{comparison}").json["region_a"] is None
    assert user.get(f"/reference/listening/sessions/{session}").json["region_id"] is None


def test_strangers_and_others(user: User, other: User, stranger: Client, mix: str) -> None:
    made = marked(user, mix)
    path, body = f"/reference/regions/{made['id']}", {"start_time_ms": 0, "end_time_ms": 1, "name": "x"}
    for method in ("GET", "PATCH", "DELETE"):
        stranger.request(method, path).refused(401, "unauthorized")
        other.request(method, path).refused(404, "not_found")
    other.get(f"{path}/metrics").refused(404, "not_found")
    for track_id in (mix, str(uuid4()), "nothing"):
        other.get(f"/reference/tracks/{track_id}/regions").refused(404, "not_found")
        other.get(f"/reference/tracks/{track_id}/regions/suggestions").refused(404, "not_found")
        other.post(f"/reference/tracks/{track_id}/regions", body).refused(404, "not_found")
    assert listed(user, mix) == [made]


def test_no_more_than_500_of_a_track_also_at_once(user: User, database: Database, mix: str) -> None:
    database.query(
        """
        INSERT INTO track_regions (user_id, track_id, start_time_ms, end_time_ms, name, color)
        SELECT user_id, id, n, n + 1, 'x', '#000' FROM reference_tracks, generate_series(1, 499) AS n WHERE id = %s
        """,
        mix,
    )
    path, body = f"/reference/tracks/{mix}/regions", {"start_time_ms": 0, "end_time_ms": 1, "name": "x"}
    answers = at_once(4, lambda: user.post(path, body))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    assert user.post(path, body).refused(409, "limit_reached") == {"limit": 500}
    assert marked(user, track(database, user))["name"] == "Loop"


# Metrics --------------------------------------------------------------------------------------------------------------


def test_metrics_come_from_the_frames(user: User, mix: str, database: Database) -> None:
    """5 s at -30 dBFS, then 5 s at -20: a stereo sine of 1 kHz reads its peak level in LUFS."""
    store(database, mix, measure(signals.tones((-30.0, 5.0), (-20.0, 5.0))))
    for start, end, level in ((0, 5000, -30.0), (5000, 10_000, -20.0)):
        region = marked(user, mix, start, end)
        metrics = user.get(f"/reference/regions/{region['id']}/metrics").json
        assert set(metrics) == {
            *("from_ms", "to_ms", "integrated_lufs", "max_momentary_lufs", "sample_peak_dbfs", "rms_dbfs", "crest_db"),
            *("correlation", "spectrum_db"),
        }
        assert (metrics["from_ms"], metrics["to_ms"]) == (start, end)
        assert metrics["integrated_lufs"] == pytest.approx(level, abs=0.3)
        assert metrics["max_momentary_lufs"] == pytest.approx(level, abs=0.3)
        assert metrics["sample_peak_dbfs"] == pytest.approx(level, abs=0.1)
        assert metrics["rms_dbfs"] == pytest.approx(level - 3.01, abs=0.1)
        assert metrics["crest_db"] == pytest.approx(3.01, abs=0.15)
        assert metrics["correlation"] == pytest.approx(1, abs=0.01)
        assert len(metrics["spectrum_db"]) == 24
    short = marked(user, mix, 5000, 5399)
    assert user.get(f"/reference/regions/{short['id']}/metrics").json["integrated_lufs"] is None


def test_a_region_in_a_later_chunk(user: User, mix: str, database: Database) -> None:
    """A chunk has 50 s. This region lies in the second, and a second one in both."""
    sound = np.concatenate([signals.pink_noise(50, -40, rate=8000), signals.pink_noise(12, -20, rate=8000)], axis=1)
    store(database, mix, measure(sound, rate=8000))
    later, across = marked(user, mix, 51_000, 61_000), marked(user, mix, 40_000, 60_000)
    loud = user.get(f"/reference/regions/{later['id']}/metrics").json
    both = user.get(f"/reference/regions/{across['id']}/metrics").json
    assert loud["integrated_lufs"] == pytest.approx(
        both["integrated_lufs"], abs=0.5
    )  # the gate leaves out the quiet half
    assert loud["rms_dbfs"] == pytest.approx(-20, abs=0.2)
    assert both["rms_dbfs"] == pytest.approx(-23, abs=0.2)
    assert loud["correlation"] is None


def test_metrics_need_a_full_analysis(user: User, mix: str, database: Database) -> None:
    path = f"/reference/regions/{marked(user, mix)['id']}/metrics"
    user.get(path).refused(409, "not_analyzed")
    summarize(database, mix, "loudness", integrated_lufs=-14.0)
    user.get(path).refused(409, "not_analyzed")
    # one without a single frame is an analysis all the same
    summarize(database, mix)
    assert user.get(path).json["integrated_lufs"] is None


def test_the_newest_full_analysis_counts(user: User, mix: str, database: Database) -> None:
    store(database, mix, measure(signals.tones((-30.0, 2.0))))
    store(database, mix, measure(signals.tones((-20.0, 2.0))))
    region = marked(user, mix, 0, 2000)
    found = user.get(f"/reference/regions/{region['id']}/metrics").json
    assert found["integrated_lufs"] == pytest.approx(-20, abs=0.3)


# Suggestions ----------------------------------------------------------------------------------------------------------


def suggested(user: User, track_id: str, **query: Any) -> list[dict[str, Any]]:
    answer = user.get(f"/reference/tracks/{track_id}/regions/suggestions", query=query)
    assert answer.status == 200, answer.text
    found: list[dict[str, Any]] = answer.json["suggestions"]
    return found


def test_slices_where_nothing_is_known(user: User, mix: str, database: Database) -> None:
    found = suggested(user, mix)
    assert set(found[0]) == {"start_time_ms", "end_time_ms", "name", "section_type", "confidence", "source"}
    assert [(one["start_time_ms"], one["end_time_ms"]) for one in found] == [
        (0, 5000),
        (5000, 10_000),
        (10_000, 12_000),
    ]
    assert listed(user, mix) == []
    assert suggested(user, track(database, user)) == []


def test_bars_of_the_users_tempo(user: User, database: Database) -> None:
    given = track(database, user, duration_seconds=200.0, bpm=120.0)
    found = suggested(user, given)
    assert len(found) == 13
    assert found[0] | {"name": ""} == {
        "start_time_ms": 0,
        "end_time_ms": 16_000,
        "name": "",
        "section_type": "custom",
        "confidence": 0.5,
        "source": "grid",
    }
    assert len(suggested(user, given, bars=1)) == 16
    assert len(suggested(user, given, bars=1, limit=64)) == 64
    assert suggested(user, given, bars=64, limit=1)[0]["end_time_ms"] == 128_000


def test_bars_on_the_beats_and_sections(user: User, mix: str, database: Database) -> None:
    times = np.arange(30 * 8000) / 8000
    clicks = (np.sin(2 * np.pi * 1000 * times) * ((times % 0.5) < 0.02) * 0.5).reshape(1, -1)
    analysis = measure(clicks, rate=8000)
    store(database, mix, analysis)
    assert analysis.summary["bpm"] == pytest.approx(120, abs=1)
    found = suggested(user, mix, bars=4)
    assert {one["source"] for one in found} == ({"sections"} if analysis.summary["sections"] else {"beats"})
    parts = [{"start_ms": 0, "end_ms": 12_000, "label": "verse", "confidence": 0.5}]
    summarize(database, mix, bpm=120.0, bpm_confidence=0.9, sections=parts)
    assert [(one["source"], one["name"]) for one in suggested(user, mix)] == [("sections", "Verse 1")]


@pytest.mark.parametrize("query", [{"bars": 0}, {"bars": 65}, {"limit": 0}, {"limit": 65}, {"bars": "x"}], ids=str)
def test_bad_queries(user: User, mix: str, query: dict[str, Any]) -> None:
    user.get(f"/reference/tracks/{mix}/regions/suggestions", query=query).invalid(*query)
