"""Strong's export: five families of columns and every quirk that is known of them (import formats, 1)."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.importing.problems import Refused, UnitNeeded, Unreadable

from functions.exercise import strong
from functions.exercise.files import read
from functions.exercise.history import History, LoggedSet, LoggedWorkout

A12 = "Date,Workout Name,Duration,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,Notes,Workout Notes,RPE"
A12_SAMPLE = f'''{A12}
2031-04-02 06:15:09,"Upper, early ",1h 5m,"Row, Bent (Barbell)",W,40.0,10.0,0,0.0,"said ""easy""","slept badly",
2031-04-02 06:15:09,"Upper, early ",1h 5m,"Row, Bent (Barbell)",Rest Timer,0,0.0,0,75.0,,,
2031-04-02 06:15:09,"Upper, early ",1h 5m,"Row, Bent (Barbell)",1,62.5,8.0,0,0.0,,,6.5
2031-04-02 06:15:09,"Upper, early ",1h 5m,"Row, Bent (Barbell)",D,45.0,12.0,0,0.0,,,
2031-04-03 21:00:00,"Hold",38min,"Plank",1,0,0.0,0,95.0,,,
'''
C13_SAMPLE = """"Workout #";"Date";"Workout Name";"Duration (sec)";"Exercise Name";"Set Order";"Weight (kg)";"Reps";\
"RPE";"Distance (meters)";"Seconds";"Notes";"Workout Notes"
"7";"2031-05-01 18:30:00";"Legs; heavy";"3905";"Squat (Barbell)";"Note";"";"";"";"";"";"belt on
second line";""
"7";"2031-05-01 18:30:00";"Legs; heavy";"3905";"Squat (Barbell)";"F";"101.5";"4";"9.5";"";"";"";""
"7";"2031-05-01 18:30:00";"Legs; heavy";"3905";"Treadmill";"1";"";"";"";"2400";"900.0";"";""
"""
B14_SIBLING = """Date;Workout Name;Exercise Name;Set Order;Weight;Weight Unit;Reps;RPE;Distance;Distance Unit;Seconds;\
Notes;Workout Notes;Workout Duration
2030-11-03 01:30:00;"Night";"Bench Press (Barbell)";1;132.5;lbs;5;8;0;;0;"";"";45m
2030-11-03 01:30:00;"Night";"Bench Press (Barbell)";2;88.18;lbs;5;;0;;0;"";"";45m
2030-11-03 01:30:00;"Night";"Push Up";1;0;;20;;0;;0;"";"";45m
2030-11-03 01:30:00;"Night";"Running";1;0;;0;;3.1;mi.;1500;"";"";45m
"""
FRENCH_SIBLING = (
    "\ufeff"
    + """Date,Nom de l\u2019entraînement,Durée,Nom de l\u2019exercice,Ordre de la série,Poids,Réps,Distance,Secondes,\
Notes,Notes d\u2019entraînement,RPE
2031-06-09 19:00:00,"Entraînement du soir",1h 5min,"Développé couché (Haltères)",1,"22,5",10,0,0,,,
2031-06-09 19:00:00,"Entraînement du soir",1h 5min,"Développé couché (Haltères)",2,"29,48",9,0,0,,,
""".replace("\n", "\r\n")
)
OLD_SIBLING = """Date;Workout Name;Exercise Name;Set Order;lbs;Reps;mi.;Seconds;Notes;Workout Notes
2018-02-03 08:00:00;"Morning";"Deadlift (Barbell)";1;225;5;0;0;"";"felt
strong"
2018-02-03 08:00:00;"Morning";"Cycling";1;0;0;5;1200;"";""
"""


def workouts(text: str, **units: Any) -> list[LoggedWorkout]:
    """The workouts of a file that has nothing to tell."""
    history = read(text.encode(), "strong", **units)
    assert history.problems.in_order() == []
    assert history.skipped == 0
    return history.workouts


def one(rows: str, header: str = A12) -> tuple[History, list[LoggedSet]]:
    """What a file of one workout comes to, rows beginning after the duration."""
    lines = [f"2031-04-02 06:15:09,Push,1h,{row}" for row in rows.splitlines()]
    history = read("\n".join([header, *lines]).encode(), weight="kg", distance="km")
    return history, history.workouts[0].sets if history.workouts else []


def told(history: History) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.message) for problem in history.problems.in_order()]


def test_the_first_sample() -> None:
    upper, hold = workouts(A12_SAMPLE, weight="kg")
    row = "Row, Bent (Barbell)"
    assert (upper.import_key, upper.name, upper.notes) == (
        "strong:2031-04-02 06:15:09|Upper, early",
        "Upper, early",
        "slept badly",
    )
    assert upper.sets == [
        LoggedSet(row, Decimal(40), 10, is_warmup=True, notes='said "easy"'),
        LoggedSet(row, Decimal("62.5"), 8, rpe=Decimal("6.5")),
        LoggedSet(row, Decimal(45), 12, is_dropset=True),
    ]
    start = datetime(2031, 4, 2, 4, 15, 9, tzinfo=UTC)
    assert upper.placed("Europe/Berlin") == (start, start + timedelta(hours=1, minutes=5), 3_900)
    assert upper.placed("America/New_York")[0] == datetime(2031, 4, 2, 10, 15, 9, tzinfo=UTC)
    assert hold.sets == [LoggedSet("Plank", duration_seconds=95)]
    assert hold.placed("UTC")[2] == 38 * 60


def test_the_first_sample_in_pounds() -> None:
    upper, _ = workouts(A12_SAMPLE, weight="lb")
    assert [logged.weight_kg for logged in upper.sets] == [Decimal("18.144"), Decimal("28.35"), Decimal("20.412")]


def test_the_second_sample() -> None:
    [legs] = workouts(C13_SAMPLE, weight="lb", distance="mi")  # the file names its units, and they win
    assert (legs.name, legs.placed("UTC")[2]) == ("Legs; heavy", 3_905)
    assert legs.sets == [
        LoggedSet(
            *("Squat (Barbell)", Decimal("101.5"), 4),
            rpe=Decimal("9.5"),
            is_failure=True,
            notes="belt on\nsecond line",
        ),
        LoggedSet("Treadmill", duration_seconds=900, distance_m=Decimal(2_400)),
    ]


def test_units_in_each_row_and_a_clock_change() -> None:
    [night] = workouts(B14_SIBLING)
    bench = "Bench Press (Barbell)"
    assert night.sets == [
        LoggedSet(bench, Decimal("60.101"), 5, rpe=Decimal(8)),
        LoggedSet(bench, Decimal(40), 5),
        LoggedSet("Push Up", reps=20),
        LoggedSet("Running", duration_seconds=1_500, distance_m=Decimal("4988.966")),
    ]
    # New York has 01:30 twice that night: the first one counts, and 45 minutes are 45 minutes.
    start = datetime(2030, 11, 3, 5, 30, tzinfo=UTC)
    assert night.placed("America/New_York") == (start, start + timedelta(minutes=45), 2_700)


def test_french_with_a_mark_crlf_and_decimal_commas() -> None:
    [evening] = workouts(FRENCH_SIBLING, weight="kg")
    assert (evening.name, evening.placed("Europe/Paris")[2]) == ("Entraînement du soir", 3_900)
    assert [(logged.weight_kg, logged.reps) for logged in evening.sets] == [
        (Decimal("22.5"), 10),
        (Decimal("29.484"), 9),  # 65 lb
    ]


def test_the_oldest_columns_are_named_by_their_units() -> None:
    [morning] = workouts(OLD_SIBLING)
    assert morning.notes == "felt\nstrong"
    assert morning.sets == [
        LoggedSet("Deadlift (Barbell)", Decimal("102.058"), 5),
        LoggedSet("Cycling", duration_seconds=1_200, distance_m=Decimal("8046.72")),
    ]


def test_columns_in_another_language_are_taken_in_their_order() -> None:
    header = "Datum,Name,Dauer,Übung,Satz,Gewicht,Wdh,Distanz,Sekunden,Notizen,Trainingsnotizen,RPE"
    german = A12_SAMPLE.replace(A12, header)
    assert workouts(german, weight="kg") == workouts(A12_SAMPLE, weight="kg")
    with pytest.raises(Unreadable):
        read(A12_SAMPLE.replace(A12, header).replace("2031-", "x-").encode())


def test_pseudo_rows_are_no_sets() -> None:
    history, sets = one(
        'Squat,Note,0,0,0,0,"deep",,\nSquat,1,50,5,0,0,,,\nSquat,Rest Timer,0,0,0,90,,,\nSquat,2,50,5,0,0,,,'
    )
    assert [logged.notes for logged in sets] == ["deep", None]
    assert told(history) == []


@pytest.mark.parametrize(
    ("order", "flag"),
    [
        *(("W", "is_warmup"), ("WARM_UP", "is_warmup"), ("w", "is_warmup")),
        *(("D", "is_dropset"), ("DROP_SET", "is_dropset"), ("F", "is_failure"), ("FAILURE", "is_failure")),
    ],
)
def test_letters_mark_sets(order: str, flag: str) -> None:
    _, [logged] = one(f"Squat,{order},50,5,0,0,,,")
    assert [name for name in ("is_warmup", "is_dropset", "is_failure") if getattr(logged, name)] == [flag]


def test_an_unknown_kind_of_row_is_told() -> None:
    history, sets = one("Squat,1,50,5,0,0,,,\nSquat,Tempo,50,5,0,0,,,")
    assert len(sets) == 1
    assert told(history) == [(3, "The set was left out: set order is not a number.")]


def test_a_unit_is_asked_for_only_when_there_is_something_to_measure() -> None:
    with pytest.raises(UnitNeeded) as asked:
        read(A12_SAMPLE.encode())
    assert asked.value.parameter == "weight_unit"
    run = f"{A12}\n2031-04-02 06:15:09,Run,1h,Running,1,0,0,5.0,0,,,\n"
    with pytest.raises(UnitNeeded) as asked:
        read(run.encode(), weight="kg")
    assert asked.value.parameter == "distance_unit"
    assert workouts(run, distance="mi")[0].sets[0].distance_m == Decimal("8046.72")
    assert workouts(f"{A12}\n2031-04-02 06:15:09,Push,1h,Push Up,1,0,9,0,0,,,\n")[0].sets[0].reps == 9


def test_a_weight_without_its_unit_takes_that_of_the_other_rows() -> None:
    [night] = workouts(B14_SIBLING.replace("88.18;lbs", "88.18;"), weight="kg")
    assert night.sets[1].weight_kg == Decimal(40)
    two = B14_SIBLING.replace("88.18;lbs", "88.18;").replace("0;;20", "10;kg;20")
    with pytest.raises(UnitNeeded):
        read(two.encode())
    assert workouts(two, weight="kg")[0].sets[1].weight_kg == Decimal("88.18")


@pytest.mark.parametrize("change", [("lbs", "stone"), ("mi.", "leagues")])
def test_an_unknown_unit_refuses_the_file(change: tuple[str, str]) -> None:
    with pytest.raises(Unreadable, match="unit that is not known"):
        read(B14_SIBLING.replace(*change).encode())


@pytest.mark.parametrize("name", ["Weight (lbs)", "Weight (lb)", "weight (LBS)"])
def test_the_unit_in_the_brackets_counts(name: str) -> None:
    [legs] = workouts(C13_SAMPLE.replace("Weight (kg)", name).replace("Distance (meters)", "Distance (m)"))
    assert legs.sets[0].weight_kg == Decimal("46.04")
    assert legs.sets[1].distance_m == Decimal(2_400)


@pytest.mark.parametrize(
    ("written", "unit", "kilograms"),
    [
        ("29.48", "kg", "29.484"),
        ("88.18", "lb", "40"),
        ("100", "kg", "100"),
        ("100.25", "kg", "100.25"),
        ("143.7", "lb", "65.181"),
        ("65.181223569", "kg", "65.181"),
        ("60.1", "kg", "60.101"),  # 132.5 lb
        ("20.01", "kg", "20.01"),  # 44.11 lb: no plate
        ("0.0", "kg", None),
    ],
)
def test_rounding_in_a_file_makes_no_other_weight(written: str, unit: str, kilograms: str | None) -> None:
    [push] = workouts(f"{A12}\n2031-04-02 06:15:09,Push,1h,Curl,1,{written},5,0,0,,,\n", weight=unit)
    assert push.sets[0].weight_kg == (None if kilograms is None else Decimal(kilograms))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("45s", 45), ("20s", 20), ("42m", 2_520), ("1h", 3_600), ("1h 5m", 3_900), ("2h 18m", 8_280)),
        *(("38min", 2_280), ("1h 5min", 3_900), ("3905", 3_905), ("3905.0", 3_905), ("1h 2m 3s", 3_723)),
        *(("3,527h 3min", 12_697_380), ("", None), ("soon", None), ("h", None), ("-5m", None)),
    ],
)
def test_durations(text: str, seconds: int | None) -> None:
    assert strong.duration_of(text) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("duration", "end", "counted"),
    [
        ("24h", 86_400, 43_200),
        ("12h", 43_200, 43_200),
        ("62h 43m", 0, None),
        ("24h 1m", 0, None),
        ('"3,527h 3min"', 0, None),
        ("99999999h", 0, None),  # beyond the last date there is
        ("3,527h 3min", 0, None),  # without quotes it is two cells
        ("", 0, None),
        ("0s", 0, None),
    ],
)
def test_a_clock_that_was_left_running_gives_no_end(duration: str, end: int, counted: int | None) -> None:
    history = read(f"{A12}\n2031-04-02 06:15:09,Push,{duration},Curl,1,0,5,0,0,,,\n".encode())
    start = datetime(2031, 4, 2, 6, 15, 9, tzinfo=UTC)
    assert history.workouts[0].placed("UTC") == (start, start + timedelta(seconds=end), counted)
    impossible = duration not in ("24h", "12h", "", "0s")
    assert (
        told(history)
        == [(2, "The end was left out: it is before the start, or more than 24 hours after it.")] * impossible
    )


def test_durations_that_cannot_be_read_are_told_once() -> None:
    rows = [
        "2031-04-02 06:15:09,Push,soon,Curl,1,0,5,0,0,,,",
        "2031-04-02 06:15:09,Push,soon,Curl,2,0,5,0,0,,,",
        "2031-04-03 06:15:09,Push,later,Curl,1,0,5,0,0,,,",
        "2031-04-04 06:15:09,Push, ,Curl,1,0,5,0,0,,,",
        "2031-04-05 06:15:09,Push,1h,Curl,1,0,5,0,0,,,",
    ]
    history = read("\n".join([A12, *rows]).encode())
    assert [workout.ended for workout in history.workouts] == [None, None, None, timedelta(hours=1)]
    assert told(history) == [(None, "Durations that cannot be read were left out: 2.")]


def test_sets_without_anything_are_counted_once_per_workout() -> None:
    history, sets = one("Squat,1,50,5,0,0,,,\nSquat,2,0,0,0,0,,,\nSquat,3,,,,,,,\nCurl,1,20,0,0,0,,,")
    assert sets == [LoggedSet("Squat", Decimal(50), 5), LoggedSet("Curl", Decimal(20), 0)]
    assert told(history) == [(2, "Sets with nothing in them were left out: 2.")]


def test_a_workout_with_nothing_else_is_skipped() -> None:
    history, _ = one("Squat,1,0,0,0,0,,,\nSquat,Rest Timer,0,0,0,90,,,")
    assert (history.workouts, history.skipped) == ([], 1)
    assert told(history) == [(2, "The workout has no set with anything in it.")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Squat,2,x,5,0,0,,,", "weight is not a number"),
        ("Squat,2,50,5.5,0,0,,,", "reps is not a whole number"),
        ("Squat,2,50,-5,0,0,,,", "The set's number of repetitions must be from 0 to 10,000."),
        ("Squat,2,50,10001,0,0,,,", "The set's number of repetitions must be from 0 to 10,000."),
        ("Squat,2,2000.5,5,0,0,,,", "The set's weight must be from -500 to 2,000 kg."),
        ("Squat,2,0,0,1001,0,,,", "The set's distance must be from 0 to 1,000,000 m."),
        ("Squat,2,0,0,0,86401,,,", "The set's duration must be from 0 to 86,400 seconds."),
        (" ,2,50,5,0,0,,,", "names no exercise"),
    ],
)
def test_a_bad_row_is_told_and_the_rest_is_taken(row: str, reason: str) -> None:
    history, sets = one(f"Squat,1,50,5,0,0,,,\n{row}\nSquat,3,50,6,0,0,,,")
    assert [logged.reps for logged in sets] == [5, 6]
    [(line, message)] = told(history)
    assert line == 3
    assert reason in message


def test_an_effort_that_is_none_costs_only_itself() -> None:
    history, sets = one("Squat,1,50,5,0,0,,,11\nSquat,2,50,5,0,0,,,8.25\nSquat,3,50,5,0,0,,,9.0\nSquat,4,50,5,0,0,,,0")
    assert [logged.rpe for logged in sets] == [None, None, Decimal(9), None]
    assert [line for line, _ in told(history)] == [2, 3]


def test_a_date_that_cannot_be_read_skips_its_workout_once() -> None:
    rows = "4/2/31 6:15,Push,1h,Curl,1,0,5,0,0,,,\n" * 2 + "2031-04-03 06:15:09,Pull,1h,Curl,1,0,5,0,0,,,\n"
    history = read(f"{A12}\n{rows}".encode())
    assert ([workout.name for workout in history.workouts], history.skipped) == (["Pull"], 1)
    [(line, message)] = told(history)
    assert line == 2
    assert "4/2/31" in message


def test_twelve_hours_with_a_narrow_space() -> None:
    [push] = workouts(f"{A12}\n2031-04-02 6:15:09\u202fPM,Push,1h,Curl,1,0,5,0,0,,,\n")
    assert push.import_key == "strong:2031-04-02 18:15:09|Push"


def test_notes_go_to_the_first_set_of_their_block_once() -> None:
    _, sets = one(
        "Squat,1,0,0,0,0,lost set,,\nSquat,2,50,5,0,0,,,\nSquat,3,50,5,0,0,third,,\n"
        "Squat,Note,0,0,0,0,after,,\nCurl,1,20,5,0,0,x,,\nSquat,1,50,5,0,0,again,,\nSquat,1,50,5,0,0,again,,"
    )
    assert [logged.notes for logged in sets] == ["lost set\nafter", "third", "x", "again", "again"]


def test_the_same_exercise_twice_in_a_row_is_two_blocks() -> None:
    _, sets = one(
        "Squat,1,50,5,0,0,a,,\nSquat,2,50,5,0,0,a,,\nSquat,Note,,,,,b,,\nSquat,1,60,5,0,0,,,\nSquat,2,60,5,0,0,b,,"
    )
    assert [logged.notes for logged in sets] == ["a", None, "b", None]


def test_notes_of_an_exercise_without_sets_are_told() -> None:
    history, sets = one("Squat,Note,,,,,deep,,\nCurl,1,20,5,0,0,,,")
    assert [logged.notes for logged in sets] == [None]
    assert told(history) == [(2, "Notes of exercises without a set were left out: 1.")]


def test_long_text_is_cut_and_told() -> None:
    long = "x" * 3_000
    history = read(f"{A12}\n2031-04-02 06:15:09,{long},1h,{long},1,0,5,0,0,{long},{long},\n".encode())
    [workout] = history.workouts
    lengths = [
        len(text or "") for text in (workout.name, workout.notes, workout.sets[0].exercise, workout.sets[0].notes)
    ]
    assert lengths == [120, 2_000, 120, 500]
    assert len(workout.import_key) == 300
    assert told(history) == [(2, "Some text was too long and was cut.")]


def test_weight_of_an_assisted_exercise_is_help() -> None:
    _, sets = one("Chin Up (Assisted),1,25,5,0,0,,,\nAssisted Dip,1,-25,5,0,0,,,\nChin Up,1,-25,5,0,0,,,")
    assert [logged.weight_kg for logged in sets] == [Decimal(-25)] * 3


def test_weighted_holds_have_no_repetitions() -> None:
    _, sets = one("Plank,1,20,0,0,60,,,\nFarmer's Walk,1,40,0,0.05,0,,,")
    assert sets == [
        LoggedSet("Plank", Decimal(20), duration_seconds=60),
        LoggedSet("Farmer's Walk", Decimal(40), distance_m=Decimal(50)),
    ]


def test_a_workout_takes_a_thousand_sets_of_an_exercise() -> None:
    history, sets = one("\n".join(["Squat,1,50,5,0,0,,,"] * 1_001))
    assert len(sets) == 1_000
    assert told(history) == [(1_002, "Only 1,000 sets of an exercise are taken.")]


def test_rows_of_one_workout_belong_together_wherever_they_stand() -> None:
    rows = A12_SAMPLE.splitlines()
    [upper, hold] = workouts("\n".join([rows[0], rows[1], rows[5], rows[3]]), weight="kg")
    assert (len(upper.sets), len(hold.sets)) == (2, 1)


@given(st.lists(st.lists(st.text(alphabet='0159.,;"\nW kg-hm2031', max_size=9), max_size=14), max_size=4))
def test_any_rows_are_a_history_or_refused(cells: list[list[str]]) -> None:
    for header in (A12, A12.replace(",", ";"), C13_SAMPLE.splitlines()[0]):
        delimiter = ";" if ";" in header else ","
        text = "\n".join([header, *(delimiter.join(row) for row in cells)])
        with suppress(Refused):
            history = read(text.encode(), "strong", weight="kg", distance="km")
            assert all(workout.sets for workout in history.workouts)
