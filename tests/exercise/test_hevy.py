"""Hevy's export, read and written: two exporters, one header (import formats, 2)."""

import csv
import io
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from questlog.importing.problems import Refused, UnitNeeded, Unreadable

from functions.exercise import hevy
from functions.exercise.files import Format, read
from functions.exercise.history import History, LoggedSet, LoggedWorkout

HEADER = (
    '"title","start_time","end_time","description","exercise_title","superset_id","exercise_notes","set_index",'
    '"set_type","weight_kg","reps","distance_km","duration_seconds","rpe"'
)
POUNDS = HEADER.replace("weight_kg", "weight_lbs")
PULL = r'"Pull ""B"" 💪","7 Sep 2031, 18:04","7 Sep 2031, 19:10","line one\nline two"'
SAMPLE = f"""{POUNDS}
{PULL},"Row, Seated (Cable)",0,"elbows, low",0,"warmup",44.09,12,,,
{PULL},"Row, Seated (Cable)",0,"elbows, low",1,"normal",88.18,9,,,8.5
{PULL},"Dead Hang",,"",0,"failure",,,,42,
{PULL},"Row, Seated (Cable)",,"second block",0,"dropset",66.14,10,,,
"Run","1 Sept. 2031, 06:00","1 Sept. 2031, 06:31","","Laufen",,"",0,"normal",,,5.02,1790,7
"""


def exported(*rows: str, header: str = HEADER) -> bytes:
    """A file with rows that begin at the title."""
    return "\n".join([header, *rows]).encode()


def row(measures: str = "50,5,,,", **cells: str) -> str:
    """A row that differs from an ordinary one in the cells given; measures from the weight on."""
    ordinary = {
        "title": "Push",
        "start": "5 Dec 2031, 06:05",
        "end": "5 Dec 2031, 07:05",
        "description": "",
        "exercise": "Squat",
        "superset": "",
        "notes": "",
        "index": "0",
        "kind": "normal",
    }
    quoted = {name: '"' + cell.replace('"', '""') + '"' for name, cell in (ordinary | cells).items()}
    return ",".join([*quoted.values(), measures])


def one(*rows: str, header: str = HEADER) -> list[LoggedSet]:
    """The sets of a file of one workout that has nothing to tell."""
    history = read(exported(*rows, header=header))
    assert (history.format, history.skipped, told(history)) == ("hevy", 0, [])
    [workout] = history.workouts
    return workout.sets


def told(history: History) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.message) for problem in history.problems.in_order()]


def test_the_sample() -> None:
    history = read(SAMPLE.encode())
    assert (history.format, history.skipped) == ("hevy", 0)
    assert told(history) == [(None, "Supersets were left out: 1.")]
    pull, run = history.workouts
    seated = "Row, Seated (Cable)"
    assert (pull.name, pull.notes) == ('Pull "B" 💪', "line one\nline two")
    assert pull.import_key == 'hevy:2031-09-07 18:04|2031-09-07 19:10|Pull "B" 💪|1'
    assert pull.sets == [
        LoggedSet(seated, Decimal(20), 12, is_warmup=True, notes="elbows, low"),
        LoggedSet(seated, Decimal(40), 9, rpe=Decimal("8.5")),
        LoggedSet("Dead Hang", duration_seconds=42, is_failure=True),
        LoggedSet(seated, Decimal(30), 10, is_dropset=True, notes="second block"),
    ]
    assert run.sets == [LoggedSet("Laufen", duration_seconds=1_790, distance_m=Decimal(5_020), rpe=Decimal(7))]
    start = datetime(2031, 9, 7, 16, 4, tzinfo=UTC)
    assert pull.placed("Europe/Berlin") == (start, start + timedelta(minutes=66), 3_960)
    assert pull.placed("Asia/Tokyo")[0] == datetime(2031, 9, 7, 9, 4, tzinfo=UTC)


def test_the_file_of_the_web_in_english() -> None:
    sets = one(
        row(start="Dec 5, 2031, 6:05\u202fAM", end="Dec 5, 2031, 7:05\u202fAM", notes="real\nbreak and \\n"),
        row("60.5,4,,,6", index="1", start="Dec 5, 2031, 6:05\u202fAM", end="Dec 5, 2031, 7:05\u202fAM", notes="x"),
    )
    assert sets == [
        LoggedSet("Squat", Decimal(50), 5, notes="real\nbreak and \\n"),
        LoggedSet("Squat", Decimal("60.5"), 4, rpe=Decimal(6), notes="x"),
    ]


def test_miles_and_kilograms_with_a_mark_and_mixed_line_ends() -> None:
    header = HEADER.replace("distance_km", "distance_miles")
    rows = [row("29.48,8,,,", start="02 Jul 2025, 06:05", end="02 Jul 2025, 06:35"), row(",,3.1,1500,", exercise="Run")]
    data = b"\xef\xbb\xbf" + f"{header}\n{rows[0]}\r\n{rows[1]}\r\n".encode()
    history = read(data)
    assert [workout.sets for workout in history.workouts] == [
        [LoggedSet("Squat", Decimal("29.484"), 8)],
        [LoggedSet("Run", duration_seconds=1_500, distance_m=Decimal("4988.966"))],
    ]


def test_semicolons_and_decimal_commas_of_a_spreadsheet() -> None:
    cells = [f'"{cell}"' for cell in ("Push", "5 Dec 2031, 06:05", "5 Dec 2031, 07:05", "", "Squat")]
    line = ";".join([*cells, "", '""', "0", '"normal"', "62,5", "5", "", "", "7,5"])
    assert one(line, header=HEADER.replace(",", ";")) == [LoggedSet("Squat", Decimal("62.5"), 5, rpe=Decimal("7.5"))]


def test_months_in_other_languages() -> None:
    starts = [
        "5 9월 2031, 06:05",
        "5 févr. 2031, 06:05",
        "5 août 2031, 06:05",
        "5 juil. 2031, 06:05",
        "5 Juni 2031, 06:05",
    ]
    history = read(exported(*(row(start=start, end="") for start in starts)))
    assert [workout.started_at.month for workout in history.workouts] == [9, 2, 8, 7, 6]
    assert told(history) == []


def test_a_month_that_is_not_known_skips_its_workout() -> None:
    history = read(exported(row(start="5 Foo 2031, 06:05"), row(start="5 Foo 2031, 06:05", index="1"), row()))
    assert (len(history.workouts), history.skipped) == (1, 1)
    [(line, message)] = told(history)
    assert line == 2
    assert "month" in message


def test_numbered_dates_are_refused_unless_the_file_shows_their_order() -> None:
    history = read(exported(row(start="02.03.2031, 06:05", end="02.03.2031, 07:05")))
    assert (history.workouts, history.skipped) == ([], 1)
    [(line, message)] = told(history)
    assert line == 2
    assert message.endswith("could change places: 02.03.2031, 06:05; export it again in English.")
    history = read(exported(row(start="25.03.2031, 06:05", end=""), row(start="02.03.2031, 06:05", end="")))
    assert [str(workout.started_at.date()) for workout in history.workouts] == ["2031-03-25", "2031-03-02"]


def test_two_workouts_of_one_title_are_told_apart_by_their_end_and_their_place() -> None:
    other = row(title="Pull")
    history = read(exported(row(), row(end="5 Dec 2031, 08:05"), other, row(), row(index="1"), row(end="")))
    assert [(workout.import_key, len(workout.sets)) for workout in history.workouts] == [
        ("hevy:2031-12-05 06:05|2031-12-05 07:05|Push|1", 1),
        ("hevy:2031-12-05 06:05|2031-12-05 08:05|Push|1", 1),
        ("hevy:2031-12-05 06:05|2031-12-05 07:05|Pull|1", 1),
        ("hevy:2031-12-05 06:05|2031-12-05 07:05|Push|2", 2),
        ("hevy:2031-12-05 06:05||Push|1", 1),
    ]


def test_rows_without_a_time_or_an_exercise_are_told() -> None:
    history = read(exported(row(), row(start=""), row(exercise=" "), ",,,,,,,,,,,,,"))
    assert len(history.workouts) == 1
    assert told(history) == [
        (3, "The row has no start_time and was left out."),
        (4, "The set names no exercise."),
    ]


@pytest.mark.parametrize(
    ("end", "seconds", "is_told"),
    [
        ("5 Dec 2031, 11:05", 5 * 3_600, False),
        ("6 Dec 2031, 06:05", 43_200, False),
        ("6 Dec 2031, 06:06", None, True),
        ("5 Dec 2031, 06:04", None, True),
        ("5 Dec 2031, 06:05", None, False),
        ("", None, False),
        ("later", None, True),
    ],
)
def test_ends(end: str, seconds: int | None, is_told: bool) -> None:
    history = read(exported(row(end=end)))
    start, ended, counted = history.workouts[0].placed("UTC")
    assert counted == seconds
    assert (ended == start) is (seconds is None)
    assert bool(told(history)) is is_told


def test_supersets_are_counted_in_each_workout_and_told_once() -> None:
    later = {"start": "6 Dec 2031, 06:05", "end": "6 Dec 2031, 07:05"}
    pairs = [row(superset=number, exercise=name) for number, name in (("0", "A"), ("0", "B"), ("1", "C"), ("1", "D"))]
    history = read(exported(*pairs, row(exercise="E"), row(superset="0", **later), row(**later, index="1")))
    assert [len(workout.sets) for workout in history.workouts] == [5, 2]
    assert told(history) == [(None, "Supersets were left out: 3.")]


def test_kinds_of_sets() -> None:
    kinds = ("normal", "warmup", "dropset", "failure", "myoreps")
    sets = one(*(row(kind=kind, index=str(index)) for index, kind in enumerate(kinds)))
    assert [(logged.is_warmup, logged.is_dropset, logged.is_failure) for logged in sets] == [
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (False, False, True),
        (False, False, False),
    ]


def test_zero_is_nothing() -> None:
    assert one(row("0,12,0,0,"), row(",,,60,", index="1"), row("80,,,,", index="2"), row("80,0,,0,", index="3")) == [
        LoggedSet("Squat", reps=12),
        LoggedSet("Squat", duration_seconds=60),
        LoggedSet("Squat", Decimal(80), 0),
        LoggedSet("Squat", Decimal(80), 0),
    ]


def test_empty_sets_are_counted() -> None:
    history = read(exported(row(), row(",,,,", index="1"), row("0,0,,0,", index="2"), row(",,,,", title="Nothing")))
    assert (len(history.workouts[0].sets), history.skipped) == (1, 1)
    assert told(history) == [
        (2, "Sets with nothing in them were left out: 2."),
        (5, "The workout has no set with anything in it."),
    ]


def test_help_is_negative() -> None:
    names = ["Pull Up (Assisted)", "Assisted Dip", "Ring Dip"]
    sets = one(*(row(f"{weight},5,,,", exercise=name) for name in names for weight in ("22.5", "-22.5")))
    assert [logged.weight_kg for logged in sets] == [Decimal("-22.5")] * 4 + [Decimal("22.5"), Decimal("-22.5")]


@pytest.mark.parametrize("measures", ["x,5,,,", "50,5.5,,,", "50,5,x,,", "50,5,,x,", "501,-1,,,", "-501,5,,,"])
def test_a_bad_row_is_told_and_the_rest_is_taken(measures: str) -> None:
    history = read(exported(row(), row(measures, index="1"), row(index="2")))
    assert len(history.workouts[0].sets) == 2
    assert [line for line, _ in told(history)] == [3]


def test_a_unit_in_no_name_is_asked_for() -> None:
    bare = HEADER.replace("weight_kg", "weight").replace("distance_km", "distance")
    with pytest.raises(UnitNeeded):
        read(exported(row(), header=bare))
    history = read(exported(row("100,5,1,,"), header=bare), weight="lb", distance="mi")
    assert history.workouts[0].sets == [
        LoggedSet("Squat", Decimal("45.359"), 5, distance_m=Decimal("1609.344")),
    ]
    with pytest.raises(Unreadable, match="unit that is not known"):
        read(exported(row(), header=HEADER.replace("weight_kg", "weight_stone")))


def test_another_file_is_refused_with_what_was_looked_for_and_found() -> None:
    for source in get_args(Format):
        with pytest.raises(Unreadable, match=r"looked for the columns .*, found date, weight_kg, fat_percent"):
            read(b"date,weight_kg,fat_percent\n5 Dec 2031,80,20\n", source)
    with pytest.raises(Unreadable):
        read(SAMPLE.encode(), "strong")


# Written ----------------------------------------------------------------------------------------------------------


def file_of(*workouts: LoggedWorkout) -> bytes:
    return "".join(hevy.written(workouts)).encode()


def test_what_is_written_is_as_the_app_writes_it() -> None:
    workout = LoggedWorkout(
        name='Push "A"',
        started_at=datetime.fromisoformat("2031-12-05T06:05:59"),
        ended=datetime.fromisoformat("2031-12-05T07:00"),
        notes="one\ntwo",
        sets=[
            LoggedSet("Squat", Decimal("29.484"), 5, is_warmup=True, notes="deep, slow"),
            LoggedSet("Squat", Decimal(100), 0, rpe=Decimal("8.0"), is_failure=True),
            LoggedSet("Run", duration_seconds=60, distance_m=Decimal("1609.344")),
            LoggedSet("Squat", reps=7, is_dropset=True),
            LoggedSet("Assisted Dip", Decimal("-22.5"), 5),
        ],
    )
    text = file_of(workout).decode()
    assert text.splitlines()[0] == HEADER
    beginning = '"Push ""A""","5 Dec 2031, 06:05","5 Dec 2031, 07:00","one\ntwo",'
    assert text.removeprefix(HEADER + "\n").split(beginning)[1:] == [
        '"Squat",,"deep, slow",0,"warmup",29.484,5,,,\n',
        '"Squat",,"",1,"failure",100,,,,8\n',
        '"Run",,"",0,"normal",,,1.609344,60,\n',
        '"Squat",,"",0,"dropset",,7,,,\n',
        '"Assisted Dip",,"",0,"normal",22.5,5,,,\n',
    ]
    assert {len(cells) for cells in csv.reader(io.StringIO(text))} == {14}


@st.composite
def logged_sets(draw: st.DrawFn) -> LoggedSet:
    thousandths = st.integers(-500_000, 2_000_000).map(lambda grams: Decimal(grams) / 1_000)
    flag = draw(st.sampled_from([{}, {"is_warmup": True}, {"is_dropset": True}, {"is_failure": True}]))
    reps = draw(st.integers(1, 10_000))
    return LoggedSet(
        exercise=draw(st.sampled_from(["Squat", "Row, Seated", 'Press "Z"', "Assisted Dip"])),
        weight_kg=draw(st.none() | thousandths.filter(bool)),
        reps=reps,
        duration_seconds=draw(st.none() | st.integers(1, 86_400)),
        distance_m=draw(st.none() | st.integers(1, 10**9).map(lambda mm: Decimal(mm) / 1_000)),
        rpe=draw(st.none() | st.integers(2, 20).map(lambda halves: Decimal(halves) / 2)),
        notes=draw(st.none() | st.text(alphabet='ab",\n\\é', min_size=1, max_size=9).map(str.strip).filter(bool)),
        **flag,
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(logged_sets(), min_size=1, max_size=4), st.integers(0, 1_440))
def test_our_own_export_comes_back(sets: list[LoggedSet], minutes: int) -> None:
    start = datetime.fromisoformat("2031-12-05T06:05")
    workout = LoggedWorkout(name="Push", started_at=start, ended=start + timedelta(minutes=minutes), sets=sets)
    history = read(file_of(workout), "questlog")
    assert (history.format, told(history)) == ("questlog", [])
    [back] = history.workouts
    assert (back.name, back.started_at, back.ended, back.sets) == (workout.name, start, workout.ended, sets)


@given(st.lists(st.lists(st.text(alphabet='0159.,"\nkg-Dec2031 :', max_size=9), max_size=15), max_size=4))
def test_any_rows_are_a_history_or_refused(cells: list[list[str]]) -> None:
    text = "\n".join([HEADER, *(",".join(line) for line in cells)])
    for own in (False, True):
        with suppress(Refused):
            history = read(text.encode(), "questlog" if own else "hevy")
            assert all(workout.sets for workout in history.workouts)
