"""The export in Hevy's columns (imports contract)."""

from datetime import datetime, timedelta
from decimal import Decimal

from functions.exercise.files import read
from functions.exercise.history import LoggedSet
from local.clock import Clock
from tests.conftest import NewUser, User
from tests.exercise.training import SQUAT, built_in, complete, log, start, trained

NOON = datetime.fromisoformat("2031-05-08T12:00:00+00:00")


def test_the_export_can_be_read_again(new_user: NewUser, clock: Clock) -> None:
    user = new_user(settings={"timezone": "America/New_York"})
    clock.freeze()
    clock.set(NOON)
    start(user, notes='one, "two"\nthree')
    log(user, SQUAT, reps=5, weight_kg=29.484, rpe=8.5, notes="deep")
    clock.advance("PT1M")
    log(user, SQUAT, reps=4, is_warmup=True)
    clock.advance("PT1M")
    log(user, built_in("band-assisted-pull-up"), reps=8, weight_kg=-22.5)
    clock.advance("PT58M")
    complete(user)
    clock.advance("P1D")
    trained(user)
    start(user)
    log(user)
    answer = user.get("/exercise/export.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    history = read(answer.text.encode(), "questlog")
    assert history.problems.in_order() == []
    later, first = history.workouts  # the newest first, and only what is completed
    assert first.notes == 'one, "two"\nthree'
    assert (str(first.started_at), str(first.ended)) == ("2031-05-08 08:00:00", "2031-05-08 09:00:00")
    assert first.sets == [
        LoggedSet("Barbell Squat", Decimal("29.484"), 5, rpe=Decimal("8.5"), notes="deep"),
        LoggedSet("Barbell Squat", reps=4, is_warmup=True),
        LoggedSet("Band Assisted Pull-Up", Decimal("-22.5"), 8),
    ]
    assert str(later.started_at.date()) == "2031-05-09"
    only = user.get("/exercise/export.csv", query={"from": "2031-05-09", "to": "2031-05-09"}).text
    assert len(read(only.encode(), "questlog").workouts) == 1
    assert (NOON + timedelta(days=1)).date().isoformat() == "2031-05-09"
    user.get("/exercise/export.csv", query={"from": "x"}).invalid("from")


def test_someone_elses_sessions_are_not_in_it(user: User, other: User) -> None:
    trained(other)
    assert len(user.get("/exercise/export.csv").text.splitlines()) == 1
