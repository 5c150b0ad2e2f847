"""/reference/comparisons/{id}/votes and /reveal: trials, blind rounds, the sign test."""

from typing import Any

import pytest

from tests.conftest import Database, User, at_once
from tests.listening.music import summarize, track
from tests.support import bucket
from tests.support.paging import has_pages


@pytest.fixture
def sighted(user: User, database: Database) -> str:
    """A comparison whose sides are known."""
    return made(user, database, blind=False)


@pytest.fixture
def blind(user: User, database: Database) -> str:
    """A comparison in a blind round."""
    return made(user, database, blind=True)


def made(user: User, database: Database, *, blind: bool) -> str:
    body = {"track_a_id": track(database, user), "track_b_id": track(database, user), "blind": blind}
    comparison: str = user.post("/reference/comparisons", body).json["id"]
    return comparison


def vote(user: User, comparison: str, preferred: str, **fields: Any) -> dict[str, Any]:
    answer = user.post(f"/reference/comparisons/{comparison}/votes", {"preferred": preferred, **fields})
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def votes(user: User, comparison: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user.get(f"/reference/comparisons/{comparison}/votes").json["votes"]
    return found


def shown(user: User, comparison: str) -> dict[str, Any]:
    found: dict[str, Any] = user.get(f"/reference/comparisons/{comparison}").json
    return found


def swap(database: Database, comparison: str, *, x_is_b: bool) -> None:
    database.query("UPDATE listening_comparisons SET blind_swap = %s WHERE id = %s", x_is_b, comparison)


def test_the_list_has_pages(user: User, sighted: str) -> None:
    for preferred in ("a", "tie", "b"):
        vote(user, sighted, preferred)
    has_pages(user, f"/reference/comparisons/{sighted}/votes", "votes")


def test_a_vote_with_open_eyes(user: User, sighted: str) -> None:
    first = vote(user, sighted, "a", aspect=" low end ", note=" tighter ")
    assert set(first) == {"vote", "tally", "comparison"}
    assert set(first["vote"]) == {"id", "trial", "preferred", "aspect", "note", "created_at"}
    assert (first["vote"]["trial"], first["vote"]["preferred"]) == (1, "a")
    assert (first["vote"]["aspect"], first["vote"]["note"]) == ("low end", "tighter")
    assert first["tally"] == {"total": 1, "a": 1, "b": 0, "tie": 0, "p_value": 1.0}
    assert first["comparison"] == shown(user, sighted)
    assert first["comparison"]["trial"] == 2
    second = vote(user, sighted, "tie", aspect=" ", note=None)
    assert (second["vote"]["trial"], second["vote"]["aspect"], second["vote"]["note"]) == (2, None, None)
    assert second["tally"] == {"total": 2, "a": 1, "b": 0, "tie": 1, "p_value": 1.0}
    assert votes(user, sighted) == [first["vote"], second["vote"]]


def test_six_of_six(user: User, sighted: str) -> None:
    tallies = [vote(user, sighted, "b")["tally"] for _ in range(6)]
    assert tallies[-1] == {"total": 6, "a": 0, "b": 6, "tie": 0, "p_value": 0.03125}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"preferred": "c"}, "preferred"),
        ({"preferred": None}, "preferred"),
        ({"aspect": "x" * 61}, "aspect"),
        ({"note": "x" * 2001}, "note"),
        ({"trial": 0}, "trial"),
        ({"trial": 2}, "trial"),
        ({"trial": 2**31}, "trial"),
        ({"trial": 1.5}, "trial"),
    ],
)
def test_bad_input(user: User, sighted: str, fields: dict[str, Any], field: str) -> None:
    user.post(f"/reference/comparisons/{sighted}/votes", {"preferred": "a"} | fields).invalid(field)
    assert votes(user, sighted) == []
    assert shown(user, sighted)["trial"] == 1


def test_the_words_of_a_round(user: User, sighted: str, blind: str) -> None:
    for comparison, wrong in ((sighted, ("x", "y")), (blind, ("a", "b"))):
        for preferred in wrong:
            body = {"preferred": preferred}
            user.post(f"/reference/comparisons/{comparison}/votes", body).invalid("preferred")
        assert shown(user, comparison)["trial"] == 1


@pytest.mark.parametrize("x_is_b", [False, True])
def test_a_blind_vote_is_stored_through_the_swap(user: User, blind: str, database: Database, x_is_b: bool) -> None:
    for preferred in ("x", "y", "y", "tie"):
        swap(database, blind, x_is_b=x_is_b)
        found = vote(user, blind, preferred)
        assert found["vote"]["preferred"] == preferred
        assert found["tally"]["total"] == found["vote"]["trial"]
        assert {found["tally"][name] for name in ("a", "b", "tie", "p_value")} == {None}
    assert [one["preferred"] for one in votes(user, blind)] == [None] * 4
    revealed = user.post(f"/reference/comparisons/{blind}/reveal").json
    one, two = (1, 2) if not x_is_b else (2, 1)
    assert revealed["tally"] == {"total": 4, "a": one, "b": two, "tie": 1, "p_value": 1.0}
    x, y = ("b", "a") if x_is_b else ("a", "b")
    assert [one["preferred"] for one in votes(user, blind)] == [x, y, y, "tie"]


def test_the_swap_is_drawn_anew_for_every_trial(user: User, blind: str, database: Database) -> None:
    """Of 40 draws not all are equal; the chance that they are is one in 2 to the 39."""
    drawn = set()
    for _ in range(40):
        vote(user, blind, "x")
        [row] = database.query("SELECT blind_swap FROM listening_comparisons WHERE id = %s", blind)
        drawn.add(row["blind_swap"])
    assert drawn == {False, True}


def test_new_comparisons_are_drawn(user: User, database: Database) -> None:
    pair = {"track_a_id": track(database, user), "track_b_id": track(database, user), "blind": True}
    for _ in range(40):
        user.post("/reference/comparisons", pair)
    rows = database.query("SELECT DISTINCT blind_swap FROM listening_comparisons WHERE user_id = %s", user.id)
    assert len(rows) == 2


def test_a_double_click_counts_once(user: User, sighted: str) -> None:
    first = vote(user, sighted, "a", trial=1, note="first")
    again = vote(user, sighted, "b", trial=1, note="second")
    assert again["vote"] == first["vote"]
    assert again["tally"] == first["tally"]
    assert again["comparison"]["trial"] == 2
    assert vote(user, sighted, "b", trial=2)["tally"]["total"] == 2


def test_a_double_click_in_the_dark_echoes_what_was_sent_first(user: User, blind: str) -> None:
    first = vote(user, blind, "x", trial=1)
    again = vote(user, blind, "y", trial=1)
    assert again["vote"] == first["vote"]
    assert again["vote"]["preferred"] == "x"
    user.post(f"/reference/comparisons/{blind}/reveal")
    # after the reveal it is answered all the same, in the words of the open tally
    late = vote(user, blind, "x", trial=1)
    assert late["vote"]["id"] == first["vote"]["id"]
    assert late["vote"]["preferred"] in ("a", "b")
    assert late["tally"]["total"] == 1


def test_votes_with_one_trial_at_once_are_one_vote(user: User, sighted: str) -> None:
    answers = at_once(5, lambda: vote(user, sighted, "a", trial=1))
    assert len({answer["vote"]["id"] for answer in answers}) == 1
    assert shown(user, sighted)["tally"]["total"] == 1
    assert shown(user, sighted)["trial"] == 2


def test_votes_without_a_trial_at_once_are_each_one(user: User, sighted: str) -> None:
    answers = at_once(5, lambda: vote(user, sighted, "a"))
    assert {answer["vote"]["trial"] for answer in answers} == {1, 2, 3, 4, 5}


def test_a_reveal_ends_the_round(user: User, blind: str, database: Database) -> None:
    swap(database, blind, x_is_b=False)
    vote(user, blind, "x")
    path = f"/reference/comparisons/{blind}"
    revealed = user.post(f"{path}/reveal").json
    assert (revealed["blind"], revealed["revealed"]) == (True, True)
    assert revealed["tally"] == {"total": 1, "a": 1, "b": 0, "tie": 0, "p_value": 1.0}
    assert user.post(f"{path}/reveal").json == revealed
    for preferred in ("x", "a"):
        user.post(f"{path}/votes", {"preferred": preferred}).refused(409, "already_revealed")
    assert user.patch(path, {"notes": "so it is"}).json["revealed"] is True
    # a new round: the earlier vote stays, and is hidden again
    again = user.patch(path, {"blind": True}).json
    assert (again["revealed"], again["trial"], again["tally"]["total"], again["tally"]["a"]) == (False, 2, 1, None)
    assert [one["preferred"] for one in votes(user, blind)] == [None]
    assert vote(user, blind, "tie")["tally"]["total"] == 2


def test_a_round_that_goes_on_keeps_its_swap(user: User, blind: str, database: Database) -> None:
    drawn = set()
    for _ in range(20):
        user.patch(f"/reference/comparisons/{blind}", {"blind": True})
        [row] = database.query("SELECT blind_swap FROM listening_comparisons WHERE id = %s", blind)
        drawn.add(row["blind_swap"])
    assert len(drawn) == 1


@pytest.mark.parametrize("ending", ["reveal", "open"])
def test_a_new_round_is_drawn(user: User, blind: str, database: Database, ending: str) -> None:
    path = f"/reference/comparisons/{blind}"
    drawn = set()
    for _ in range(30):
        if ending == "reveal":
            user.post(f"{path}/reveal")
        else:
            user.patch(path, {"blind": False})
        user.patch(path, {"blind": True})
        [row] = database.query("SELECT blind_swap FROM listening_comparisons WHERE id = %s", blind)
        drawn.add(row["blind_swap"])
    assert drawn == {False, True}


def test_only_a_blind_round_is_revealed(user: User, sighted: str) -> None:
    user.post(f"/reference/comparisons/{sighted}/reveal").refused(409, "not_blind")


def test_opened_eyes_vote_for_a_and_b(user: User, blind: str) -> None:
    vote(user, blind, "x")
    path = f"/reference/comparisons/{blind}"
    opened = user.patch(path, {"blind": False}).json
    assert (opened["blind"], opened["revealed"], opened["tally"]["total"]) == (False, False, 1)
    assert opened["tally"]["p_value"] == 1.0
    assert vote(user, blind, "a")["tally"]["total"] == 2
    user.post(f"{path}/reveal").refused(409, "not_blind")


def test_a_blind_round_hides_loudness_of_sides(user: User, database: Database) -> None:
    a, b = track(database, user), track(database, user)
    summarize(database, a, integrated_lufs=-10.0, true_peak_dbtp=-1.0)
    summarize(database, b, integrated_lufs=-14.0, true_peak_dbtp=-1.0)
    body = {"track_a_id": a, "track_b_id": b, "blind": True, "offset_ms": 70}
    comparison = user.post("/reference/comparisons", body).json["id"]
    for x_is_b, gains in ((False, (-4.0, 0.0)), (True, (0.0, -4.0))):
        swap(database, comparison, x_is_b=x_is_b)
        match = shown(user, comparison)["match"]
        assert (match["gain_x_db"], match["gain_y_db"]) == gains
        assert (match["offset_x_ms"], match["offset_y_ms"]) == ((70, 0) if x_is_b else (0, 70))
        assert {match[name] for name in ("loudness_a", "loudness_b", "gain_a_db", "volume_b")} == {None}
        assert shown(user, comparison)["deltas"] is None
    revealed = user.post(f"/reference/comparisons/{comparison}/reveal").json
    assert (revealed["match"]["gain_a_db"], revealed["match"]["gain_x_db"]) == (-4.0, None)
    assert revealed["deltas"]["integrated_lu"] == 4.0


def test_no_answer_of_a_blind_round_tells_which_side_is_which(user: User, database: Database) -> None:
    a, b = track(database, user), track(database, user)
    summarize(database, a, integrated_lufs=-10.0, true_peak_dbtp=-1.0)
    summarize(database, b, integrated_lufs=-14.0, true_peak_dbtp=-1.0)
    made = user.post("/reference/comparisons", {"track_a_id": a, "track_b_id": b, "blind": True}).json
    path = f"/reference/comparisons/{made['id']}"
    voted = [vote(user, made["id"], preferred) for preferred in ("x", "y", "tie")]
    answers = [made, *(one["comparison"] for one in voted), user.get(path).json]
    answers.append(user.patch(path, {"notes": "n", "verdict": "a", "blind": True}).json)
    answers += user.get("/reference/comparisons").json["data"]
    answers += user.get("/reference/comparisons", query={"track_id": a}).json["data"]
    for answer in answers:
        assert answer["deltas"] is None
        told = {name for name, value in answer["match"].items() if value is not None}
        assert not [name for name in told if "_a" in name or "_b" in name]
        assert {name for name, value in answer["tally"].items() if value is not None} == {"total"}
        assert not [name for name in answer if name.startswith("stream") or "swap" in name]
    for one in voted:
        assert {name for name, value in one["tally"].items() if value is not None} == {"total"}
    assert [one["preferred"] for one in votes(user, made["id"])] == [None] * 3


def test_a_vote_with_streams(user: User, blind: str) -> None:
    bucket.serve()
    path = f"/reference/comparisons/{blind}/votes"
    found = user.post(path, {"preferred": "x"}, query={"include": "stream"}).json["comparison"]
    assert {"stream_x", "stream_y"} < set(found)
    assert not {"stream_a", "stream_b"} & set(found)


def test_a_vote_that_is_sent_again_under_its_key_counts_once(user: User, blind: str) -> None:
    bucket.serve()
    path, key = f"/reference/comparisons/{blind}/votes", {"idempotency-key": "once"}
    first, again = (user.post(path, {"preferred": "x"}, headers=key) for _ in range(2))
    assert (first.status, again.json, again.headers["idempotent-replay"]) == (200, first.json, "true")
    assert len(votes(user, blind)) == 1
    # An answer with URLs is not stored. What repeats it is the trial.
    body = {"preferred": "y", "trial": 2}
    third, fourth = (user.post(path, body, query={"include": "stream"}, headers=key) for _ in range(2))
    assert (third.status, fourth.status, third.json["vote"]) == (200, 200, fourth.json["vote"])
    assert "idempotent-replay" not in fourth.headers
    assert "stream_x" in fourth.json["comparison"]
    assert len(votes(user, blind)) == 2


def test_no_more_than_a_thousand_votes(user: User, sighted: str, database: Database) -> None:
    database.query(
        """
        INSERT INTO comparison_votes (user_id, comparison_id, trial, preferred, preferred_as_sent)
        SELECT user_id, id, n, 'a', 'a' FROM listening_comparisons, generate_series(1, 999) AS n WHERE id = %s
        """,
        sighted,
    )
    database.query("UPDATE listening_comparisons SET trial = 1000 WHERE id = %s", sighted)
    answers = at_once(3, lambda: user.post(f"/reference/comparisons/{sighted}/votes", {"preferred": "a"}))
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
    refused = user.post(f"/reference/comparisons/{sighted}/votes", {"preferred": "a"})
    assert refused.refused(409, "limit_reached") == {"limit": 1000}
    assert vote(user, sighted, "a", trial=1000)["tally"]["total"] == 1000
