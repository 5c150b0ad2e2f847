"""Votes, reveals and new rounds in any order, held to a plain model of a comparison."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.listening.matching import p_value
from tests.conftest import Database, User
from tests.listening.music import track

VOTES = st.tuples(st.just("vote"), st.sampled_from(["first", "second", "tie"]))
CHANGES = st.tuples(st.sampled_from(["reveal", "blind", "open", "repeat"]), st.just(""))


@dataclass
class Model:
    """What a comparison is after some steps."""

    blind: bool
    revealed: bool = False
    votes: list[str] = field(default_factory=list)

    @property
    def hidden(self) -> bool:
        return self.blind and not self.revealed

    def holds(self, shown: dict[str, Any]) -> None:
        """Fail unless this is how the comparison is shown."""
        counted = Counter(self.votes)
        a, b, tie = (None if self.hidden else counted[name] for name in ("a", "b", "tie"))
        p = None if self.hidden else p_value(counted["a"], counted["b"])
        assert (shown["blind"], shown["revealed"], shown["trial"]) == (self.blind, self.revealed, len(self.votes) + 1)
        assert shown["tally"] == {"total": len(self.votes), "a": a, "b": b, "tie": tie, "p_value": p}


@settings(max_examples=25)
@given(blind=st.booleans(), steps=st.lists(VOTES | CHANGES, max_size=12))
def test_rounds(user: User, database: Database, blind: bool, steps: list[tuple[str, str]]) -> None:
    pair = {"track_a_id": track(database, user), "track_b_id": track(database, user)}
    made = user.post("/reference/comparisons", pair | {"blind": blind}).json
    path = f"/reference/comparisons/{made['id']}"
    model = Model(blind)
    for step, choice in steps:
        if step == "vote":
            vote(user, database, path, model, choice)
        elif step == "repeat" and model.votes:
            answer = user.post(f"{path}/votes", {"preferred": "tie", "trial": len(model.votes)})
            assert answer.status == 200, answer.text
        elif step == "reveal":
            answer = user.post(f"{path}/reveal")
            assert answer.status == (200 if model.blind else 409)
            model.revealed = model.blind
        elif step in ("blind", "open"):
            assert user.patch(path, {"blind": step == "blind"}).status == 200
            model.blind, model.revealed = step == "blind", False
        model.holds(user.get(path).json)
    listed = [None if model.hidden else one for one in model.votes]
    assert [one["preferred"] for one in user.get(f"{path}/votes").json["votes"]] == listed
    assert user.delete(path).status == 200


def vote(user: User, database: Database, path: str, model: Model, choice: str) -> None:
    """Vote for the first or the second side, or for none, in the words of the present round."""
    [row] = database.query("SELECT blind_swap FROM listening_comparisons WHERE id = %s", path.rpartition("/")[2])
    words = {"first": "x", "second": "y"} if model.blind else {"first": "a", "second": "b"}
    answer = user.post(f"{path}/votes", {"preferred": words.get(choice, "tie")})
    if model.revealed:
        answer.refused(409, "already_revealed")
        return
    assert answer.status == 200, answer.text
    assert answer.json["vote"]["preferred"] == words.get(choice, "tie")
    sides = {"first": "a", "second": "b", "tie": "tie"}
    if model.hidden and row["blind_swap"]:
        sides = {"first": "b", "second": "a", "tie": "tie"}
    model.votes.append(sides[choice])
