"""Equal loudness, differences and votes, worked out of what was measured (audio contract, 4.1)."""

import itertools
import math
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.listening import matching
from functions.listening.comparison_models import ComparisonRow, MatchMode, MeasureRow
from functions.listening.matching import Gains, Measured, gains, p_value, spectrum_difference, volume

A, B, REGION_A, REGION_B = (UUID(int=number) for number in range(1, 5))
NOW = datetime(2031, 5, 7, tzinfo=UTC)
SUMMARY = {
    "channels": 2,
    "integrated_lufs": -14.0,
    "max_short_term_lufs": -11.0,
    "true_peak_dbtp": -2.0,
    "loudness_range_lu": 6.0,
    "plr_db": 12.0,
    "crest_db": 13.0,
    "correlation": 0.8,
    "bpm": 120.0,
    "spectrum_db": [-20.0] * 24,
}
QUIETER = SUMMARY | {
    "integrated_lufs": -18.0,
    "max_short_term_lufs": -16.5,
    "loudness_range_lu": 9.0,
    "true_peak_dbtp": -4.0,
    "plr_db": 14.0,
    "crest_db": 15.5,
    "correlation": 0.55,
    "bpm": 118.0,
    "spectrum_db": [-30.0] * 12 + [-20.0] * 12,
}


def row(**fields: Any) -> ComparisonRow:
    """A comparison of A and B with a region on each side."""
    return ComparisonRow(
        **{
            "id": UUID(int=9),
            "user_id": UUID(int=8),
            "name": None,
            "offset_ms": 1500,
            "match_mode": "integrated",
            "target_lufs": None,
            "blind": False,
            "revealed": False,
            "blind_swap": False,
            "trial": 1,
            "switch_interval_ms": None,
            "notes": None,
            "verdict": None,
            "created_at": NOW,
            "updated_at": NOW,
            "track_a_id": A,
            "name_a": "Mix",
            "artist_a": None,
            "duration_a": 1.0,
            "status_a": "ready",
            "key_a": "a",
            "track_b_id": B,
            "name_b": "Reference",
            "artist_b": None,
            "duration_b": 2.0,
            "status_b": "ready",
            "key_b": "b",
            "region_a_id": REGION_A,
            "region_name_a": "Verse",
            "start_a": 100,
            "end_a": 200,
            "region_b_id": REGION_B,
            "region_name_b": "Chorus",
            "start_b": 300,
            "end_b": 400,
            "votes_a": 3,
            "votes_b": 1,
            "votes_tie": 2,
            **fields,
        }
    )


def found(
    a: dict[str, Any] | None = SUMMARY,
    b: dict[str, Any] | None = QUIETER,
    regions: Mapping[UUID, float | None] | None = None,
    *,
    full: bool = True,
) -> Measured:
    sides = {track: MeasureRow(track, full, summary) for track, summary in ((A, a), (B, b)) if summary is not None}
    return Measured(sides, regions or {})


# Gains ----------------------------------------------------------------------------------------------------------------


def test_without_a_target_the_louder_side_is_lowered_to_the_quieter() -> None:
    assert gains((-14.0, -0.1), (-10.0, 0.4), None) == Gains(0.0, -4.0, limited=False)
    assert gains((-10.0, 0.4), (-14.0, -0.1), None) == Gains(-4.0, 0.0, limited=False)
    assert [volume(0.0, -4.0), volume(-4.0, 0.0)] == pytest.approx([1.0, 0.630957], abs=1e-6)


def test_a_boost_that_would_clip_lowers_both_sides() -> None:
    """-6 dBTP + 6 dB is 1 dB over the ceiling of -1: the target is missed by 1 dB, and both stay equal."""
    assert gains((-20.0, -6.0), (-14.0, -3.0), -14.0) == Gains(5.0, -1.0, limited=True)


def test_a_boost_to_the_ceiling_is_not_limited() -> None:
    assert gains((-20.0, -7.0), (-14.0, -3.0), -14.0) == Gains(6.0, 0.0, limited=False)
    assert gains((-20.0, -6.9), (-14.0, -3.0), -14.0).limited


def test_only_a_boosted_side_can_clip() -> None:
    assert gains((-8.0, 1.5), (-9.0, 0.9), -14.0) == Gains(-6.0, -5.0, limited=False)
    # the second is over the ceiling already, but is not boosted
    assert gains((-20.0, -12.0), (-14.0, 2.0), -14.0) == Gains(6.0, 0.0, limited=False)


def test_the_worse_of_two_boosts_decides() -> None:
    assert gains((-20.0, -3.0), (-18.0, -8.0), -14.0) == Gains(2.0, 0.0, limited=True)


def test_volumes_of_boosts() -> None:
    assert [volume(6.0, 2.0), volume(2.0, 6.0)] == pytest.approx([1.0, 10 ** (-4 / 20)], abs=1e-6)
    assert [volume(-3.0, -6.0), volume(-6.0, -3.0)] == pytest.approx([10 ** (-3 / 20), 10 ** (-6 / 20)], abs=1e-6)


LUFS = st.floats(-70, 0).map(lambda lufs: round(lufs, 2))
PEAK = st.floats(-60, 6).map(lambda peak: round(peak, 2))


@given(st.tuples(LUFS, PEAK), st.tuples(LUFS, PEAK), st.none() | st.floats(-40, 0))
def test_both_sides_are_equally_loud_and_nothing_is_boosted_into_clipping(
    a: tuple[float, float], b: tuple[float, float], target: float | None
) -> None:
    found = gains(a, b, target)
    assert a[0] + found.a == pytest.approx(b[0] + found.b, abs=0.011)
    for (_, peak), gain in ((a, found.a), (b, found.b)):
        assert gain <= 0 or peak + gain <= -1 + 0.006
    if not found.limited:
        assert a[0] + found.a == pytest.approx(min(a[0], b[0]) if target is None else target, abs=0.006)
    volumes = volume(found.a, found.b), volume(found.b, found.a)
    assert all(0 <= one <= 1 for one in volumes)
    if max(found.a, found.b) >= 0:
        assert max(volumes) == 1


# What is matched ------------------------------------------------------------------------------------------------------


def test_the_modes() -> None:
    regions = {REGION_A: -20.0, REGION_B: -17.0}
    expected = {"integrated": (-14.0, -18.0), "short_term_max": (-11.0, -16.5), "region": (-20.0, -17.0)}
    for mode, (a, b) in expected.items():
        match = matching.match(row(match_mode=mode), found(regions=regions))
        assert (match["status"], match["loudness_a"], match["loudness_b"]) == ("ready", a, b)
        assert (match["gain_a_db"], match["gain_b_db"]) == (min(a, b) - a, min(a, b) - b)
    assert set(expected) | {"none"} == set(get_args(MatchMode))


def test_a_target_is_reached() -> None:
    match = matching.match(row(target_lufs=-23.0), found())
    assert (match["gain_a_db"], match["gain_b_db"], match["limited"]) == (-9.0, -5.0, False)


def test_a_mono_side_counts_the_second_speaker() -> None:
    match = matching.match(row(), found(SUMMARY | {"channels": 1}))
    assert (match["loudness_a"], match["gain_a_db"]) == (-10.99, -7.01)
    regions = {REGION_A: -20.0, REGION_B: -20.0}
    of_region = matching.match(row(match_mode="region"), found(SUMMARY | {"channels": 1}, regions=regions))
    assert (of_region["loudness_a"], of_region["loudness_b"]) == (-16.99, -20.0)
    deltas = matching.deltas(row(), found(SUMMARY | {"channels": 1}))
    assert deltas is not None
    assert deltas["integrated_lu"] == 7.01


def test_no_match_leaves_levels_as_they_are() -> None:
    for measured in (found(), found(None, None), found(SUMMARY | {"integrated_lufs": None})):
        match = matching.match(row(match_mode="none"), measured)
        assert match["status"] == "ready"
        assert (match["gain_a_db"], match["gain_b_db"], match["volume_a"], match["volume_b"]) == (0, 0, 1, 1)


@pytest.mark.parametrize("mode", ["integrated", "short_term_max", "region"])
@pytest.mark.parametrize(("a", "b"), [(None, QUIETER), (SUMMARY, None), (None, None)])
def test_a_side_that_is_not_analysed(mode: str, a: dict[str, Any] | None, b: dict[str, Any] | None) -> None:
    measured = found(a, b, {REGION_A: -20.0, REGION_B: -20.0})
    no_numbers(matching.match(row(match_mode=mode), measured), "pending_analysis")
    assert matching.deltas(row(match_mode=mode), measured) is None


def test_an_analysis_of_loudness_alone_has_no_regions() -> None:
    regions = {REGION_A: -20.0, REGION_B: -20.0}
    no_numbers(matching.match(row(match_mode="region"), found(regions=regions, full=False)), "pending_analysis")
    assert matching.match(row(), found(full=False))["status"] == "ready"


@pytest.mark.parametrize(
    ("mode", "measured"),
    [
        ("integrated", found(SUMMARY | {"integrated_lufs": None})),
        ("integrated", found(b=QUIETER | {"integrated_lufs": None})),
        ("short_term_max", found(SUMMARY | {"max_short_term_lufs": None})),
        ("region", found(regions={REGION_A: None, REGION_B: -20.0})),
        ("region", found(regions={REGION_A: -20.0})),
    ],
    ids=["silent A", "silent B", "under 3 s", "short region", "region without frames"],
)
def test_what_has_no_loudness(mode: str, measured: Measured) -> None:
    no_numbers(matching.match(row(match_mode=mode), measured), "unavailable")
    assert matching.deltas(row(match_mode=mode), measured) is None


def test_a_deleted_region_has_no_loudness() -> None:
    gone = row(match_mode="region", region_b_id=None, region_name_b=None, start_b=None, end_b=None)
    no_numbers(matching.match(gone, found(regions={REGION_A: -20.0})), "unavailable")


def no_numbers(match: Any, status: str) -> None:
    assert match.pop("status") == status
    assert match.pop("limited") is False
    assert set(match.values()) == {None}


# Differences ----------------------------------------------------------------------------------------------------------


def test_differences_are_of_a_less_b() -> None:
    assert matching.deltas(row(), found()) == {
        "integrated_lu": 4.0,
        "lra_lu": -3.0,
        "true_peak_db": 2.0,
        "plr_db": -2.0,
        "crest_db": -2.5,
        "correlation": 0.25,
        "bpm": 2.0,
        "spectrum_db": [5.0] * 12 + [-5.0] * 12,
    }


def test_a_number_that_one_side_lacks_has_no_difference() -> None:
    without = {name: SUMMARY[name] for name in ("channels", "integrated_lufs", "true_peak_dbtp")}
    deltas = matching.deltas(row(), found(without | {"bpm": None}))
    assert deltas is not None
    assert {name for name, value in deltas.items() if value is not None} == {"integrated_lu", "true_peak_db"}


def test_the_spectrum_is_balance_and_not_level() -> None:
    a = [-10.0, -20.0, -120.0, -30.0]
    assert spectrum_difference(a, [level - 7.5 for level in a[:2]] + [-50.0, -37.5]) == [0.0, 0.0, None, 0.0]
    assert spectrum_difference([-10.0, -20.0], [-12.0, -120.0]) == [0.0, None]
    assert spectrum_difference([-120.0], [-12.0]) == [None]
    assert spectrum_difference(None, a) is spectrum_difference(a, None) is None


# What a blind round shows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("swapped", [False, True])
def test_a_blind_round_tells_of_x_and_y_alone(swapped: bool) -> None:
    open_ = matching.comparison(row(), found())
    blind = matching.comparison(row(blind=True, blind_swap=swapped), found())
    match = blind["match"]
    hidden = {name: match.get(name) for name in match if "_a" in name or "_b" in name}
    assert len(hidden) == 6
    assert set(hidden.values()) == {None}
    assert blind["deltas"] is None
    assert blind["tally"] == {"total": 6, "a": None, "b": None, "tie": None, "p_value": None}
    numbers = open_["match"]
    sides = {
        "a": (numbers["gain_a_db"], numbers["volume_a"], {"start_time_ms": 100, "end_time_ms": 200}, 0),
        "b": (numbers["gain_b_db"], numbers["volume_b"], {"start_time_ms": 300, "end_time_ms": 400}, 1500),
    }
    assert sides["a"] != sides["b"]
    x, y = ("b", "a") if swapped else ("a", "b")
    assert (match["gain_x_db"], match["volume_x"], match["region_x"], match["offset_x_ms"]) == sides[x]
    assert (match["gain_y_db"], match["volume_y"], match["region_y"], match["offset_y_ms"]) == sides[y]


@pytest.mark.parametrize("fields", [{}, {"blind": True, "revealed": True}])
def test_otherwise_nothing_is_said_of_x_and_y(fields: dict[str, bool]) -> None:
    shown = matching.comparison(row(blind_swap=True, **fields), found())
    assert {value for name, value in shown["match"].items() if "_x" in name or "_y" in name} == {None}
    assert shown["tally"] == {"total": 6, "a": 3, "b": 1, "tie": 2, "p_value": 0.625}
    assert shown["deltas"] is not None
    assert shown["match"]["gain_a_db"] == -4.0


# Votes ----------------------------------------------------------------------------------------------------------------


def test_the_sign_test() -> None:
    assert p_value(6, 0) == p_value(0, 6) == 0.03125
    assert (p_value(1, 0), p_value(5, 5), p_value(3, 2)) == (1.0, 1.0, 1.0)
    assert p_value(8, 2) == pytest.approx(0.109375)
    assert p_value(0, 0) is None
    assert p_value(1000, 0) == pytest.approx(2.0**-999)


@pytest.mark.parametrize("trials", range(1, 11))
def test_the_sign_test_is_what_all_outcomes_of_a_coin_say(trials: int) -> None:
    heads = Counter(sum(tosses) for tosses in itertools.product((0, 1), repeat=trials))
    for a in range(trials + 1):
        as_extreme = sum(n for k, n in heads.items() if abs(2 * k - trials) >= abs(2 * a - trials))
        assert p_value(a, trials - a) == pytest.approx(as_extreme / 2**trials)
        assert math.isclose(p_value(a, trials - a) or 0, p_value(trials - a, a) or 1)
