"""Suggestions of regions and the table of annotations, worked out of rows (audio contract, section 3)."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.listening import rules
from functions.listening.note_models import Analyzed, Annotation, Downbeat, TrackLength
from functions.listening.session_models import NewItem

NOTHING = TrackLength(None, None)


def analyzed(duration_ms: int, bpm: float | None = None, sections: list[dict[str, Any]] | None = None) -> Analyzed:
    return Analyzed(2, duration_ms, bpm, 0.8 if bpm else 0.1, sections or [])


def section(start_ms: int, end_ms: int, label: str, confidence: float = 0.7) -> dict[str, Any]:
    return {"start_ms": start_ms, "end_ms": end_ms, "label": label, "confidence": confidence}


def bars_of(bpm: float, duration_ms: int, first: int = 0) -> list[Downbeat]:
    width = 240_000 / bpm
    return [Downbeat(first + round(n * width)) for n in range(int((duration_ms - first) / width) + 1)]


def suggest(
    track: TrackLength = NOTHING,
    analysis: Analyzed | None = None,
    downbeats: Sequence[Downbeat] = (),
    bars: int = 8,
    limit: int = 64,
) -> list[tuple[int, int]]:
    found = rules.suggestions(track, analysis, downbeats, bars=bars, limit=limit)
    return [(one["start_time_ms"], one["end_time_ms"]) for one in found]


def sources(track: TrackLength, analysis: Analyzed | None, downbeats: Sequence[Downbeat] = ()) -> set[str]:
    return {one["source"] for one in rules.suggestions(track, analysis, downbeats, bars=8, limit=64)}


def test_sections_come_first() -> None:
    parts = [section(0, 9000, "intro"), section(9000, 30_000, "verse", 0.4), section(30_000, 40_000, "verse")]
    found = rules.suggestions(
        TrackLength(40.0, 120.0), analyzed(40_000, 120.0, parts), bars_of(120, 40_000), bars=8, limit=16
    )
    assert [(one["start_time_ms"], one["end_time_ms"]) for one in found] == [
        (0, 9000),
        (9000, 30_000),
        (30_000, 40_000),
    ]
    assert [one["name"] for one in found] == ["Intro 1", "Verse 1", "Verse 2"]
    assert [one["section_type"] for one in found] == ["intro", "verse", "verse"]
    assert [one["confidence"] for one in found] == [0.7, 0.4, 0.7]
    assert {one["source"] for one in found} == {"sections"}


def test_sections_with_gaps_and_unknown_labels_follow_each_other_all_the_same() -> None:
    parts = [section(500, 9000, "noise"), section(9500, 9400, "verse"), section(10_000, 50_000, "drop")]
    found = rules.suggestions(NOTHING, analyzed(40_000, None, parts), [], bars=8, limit=16)
    assert [(one["start_time_ms"], one["end_time_ms"]) for one in found] == [(0, 9000), (9000, 9400), (9400, 40_000)]
    assert [one["section_type"] for one in found] == ["custom", "verse", "drop"]


def test_bars_on_the_beats() -> None:
    """At 120 BPM a bar takes 2 s. The half second before the first beat is part of the first group."""
    beats = bars_of(120, 60_000, first=500)
    found = suggest(NOTHING, analyzed(60_000, 120.0), beats)
    assert found == [(0, 16_500), (16_500, 32_500), (32_500, 48_500), (48_500, 60_000)]
    assert suggest(NOTHING, analyzed(60_000, 120.0), beats, bars=1)[:2] == [(0, 2500), (2500, 4500)]
    names = rules.suggestions(NOTHING, analyzed(60_000, 120.0), beats, bars=8, limit=2)
    assert [(one["name"], one["confidence"], one["source"]) for one in names] == [
        ("Bars 1-8", 0.8, "beats"),
        ("Bars 9-16", 0.8, "beats"),
    ]


@pytest.mark.parametrize(
    ("bpm", "source"),
    [(None, "beats"), (120.0, "beats"), (121.2, "beats"), (118.8, "beats"), (121.3, "grid"), (118.7, "grid")],
)
def test_the_users_tempo_counts_when_it_is_another(bpm: float | None, source: str) -> None:
    assert sources(TrackLength(60.0, bpm), analyzed(60_000, 120.0), bars_of(120, 60_000, 500)) == {source}


def test_bars_of_the_users_tempo() -> None:
    """Border k is round(k * bars * 240000 / bpm) ms: rounded once, and not bar by bar."""
    found = suggest(TrackLength(100.0, 97.0), None, bars=4)
    assert found[:3] == [(0, 9897), (9897, 19_794), (19_794, 29_691)]
    assert [end for _, end in found[:-1]] == [round(k * 4 * 240_000 / 97) for k in range(1, len(found))]
    assert found[-1][1] == 100_000
    # an analysis without a tempo cannot be of another one
    assert suggest(TrackLength(100.0, 97.0), analyzed(100_000), bars=4) == found


def test_slices_of_five_seconds() -> None:
    assert suggest(TrackLength(12.3456, None)) == [(0, 5000), (5000, 10_000), (10_000, 12_345)]
    assert suggest(TrackLength(5.0, None)) == [(0, 5000)]
    assert suggest(TrackLength(0.4, None)) == [(0, 400)]
    assert sources(TrackLength(12.0, None), None) == {"grid"}


def test_no_duration_no_suggestions() -> None:
    assert suggest() == suggest(TrackLength(None, 120.0)) == suggest(TrackLength(9.0, None), analyzed(0)) == []


def test_what_was_measured_says_how_long_the_track_is() -> None:
    assert suggest(TrackLength(99.0, None), analyzed(7000)) == [(0, 5000), (5000, 7000)]


def test_the_limit() -> None:
    assert suggest(TrackLength(86_400.0, None), limit=3) == [(0, 5000), (5000, 10_000), (10_000, 15_000)]
    assert len(suggest(TrackLength(86_400.0, 400.0), bars=1)) == 64


@given(
    duration=st.integers(1, 600_000),
    bpm=st.none() | st.floats(20, 400),
    heard=st.none() | st.floats(60, 200),
    labels=st.lists(st.tuples(st.integers(0, 700_000), st.integers(0, 700_000)), max_size=4),
    asked=st.tuples(st.integers(1, 64), st.integers(1, 64)),
)
def test_suggestions_start_at_0_and_follow_each_other_inside_the_track(
    duration: int, bpm: float | None, heard: float | None, labels: list[tuple[int, int]], asked: tuple[int, int]
) -> None:
    bars, limit = asked
    parts = [section(start, end, "verse") for start, end in sorted(labels)]
    beats = bars_of(heard, duration) if heard else []
    found = suggest(TrackLength(None, bpm), analyzed(duration, heard, parts), beats, bars=bars, limit=limit)
    assert len(found) <= limit
    starts, ends = [start for start, _ in found], [end for _, end in found]
    assert starts == [0, *ends][: len(found)]
    assert all(start < end <= duration for start, end in found)


def annotation(title: str, content: str | None, start: int, end: int | None = None) -> Annotation:
    now, one = datetime(2031, 5, 7, tzinfo=UTC), UUID(int=1)
    return Annotation(
        id=one,
        track_id=one,
        user_id=one,
        session_id=None,
        start_time_ms=start,
        end_time_ms=end,
        title=title,
        content=content,
        category="mix",
        color="#000",
        is_private=True,
        created_at=now,
        updated_at=now,
    )


def test_the_table_of_annotations() -> None:
    text = rules.annotations_csv(
        [
            annotation('Say "hi", then\nwait', None, 0),
            annotation("=SUM(A1)", "+1", 3_723_004, 86_400_000),
            annotation("-3 dB", "@home", 999, 59_999),
            annotation("a=b", "é", 60_000),
        ]
    )
    assert text.splitlines()[0] == "start,end,title,category,content"
    assert list(csv.reader(io.StringIO(text, newline="")))[1:] == [
        ["00:00:00.000", "", 'Say "hi", then\nwait', "mix", ""],
        ["01:02:03.004", "24:00:00.000", "'=SUM(A1)", "mix", "'+1"],
        ["00:00:00.999", "00:00:59.999", "'-3 dB", "mix", "'@home"],
        ["00:01:00.000", "", "a=b", "mix", "é"],
    ]


def test_the_default_checklist_is_the_contracts() -> None:
    prompts, categories = rules.default_checklist()
    assert categories == [
        *("frequency", "frequency", "mixing", "dynamics", "spatial", "spatial", "arrangement", "mastering"),
    ]
    assert prompts[0] == "How deep and how defined is the low end next to the reference?"
    assert prompts[-1] == "What has loudness cost: pumping, distortion, fatigue?"


def test_an_item_without_a_category_is_general() -> None:
    items = [NewItem(prompt="a"), NewItem(prompt="b", category="mixing"), NewItem(prompt="c", category=None)]
    assert rules.checklist(items) == (["a", "b", "c"], ["general", "mixing", "general"])


@pytest.mark.parametrize(
    ("total", "page", "has_next", "has_prev"),
    [(0, 1, False, False), (20, 1, False, False), (21, 1, True, False), (40, 2, False, True), (41, 2, True, True)],
)
def test_where_a_page_stands(total: int, page: int, has_next: bool, has_prev: bool) -> None:
    found = rules.paging(total, page, 20)
    assert (found["has_next"], found["has_prev"], found["total"], found["page"]) == (has_next, has_prev, total, page)
