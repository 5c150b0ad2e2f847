"""Loop's export, read and written (import formats, 5)."""

import csv
import io
import zipfile
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.importing.problems import Refused, TooLarge, Unreadable

from functions.habits.files import read
from functions.habits.history import HabitDay, ImportedHabit, Records
from functions.habits.loop import ExportedDay, ExportedHabit, written

HEADER = (
    "Position,Name,Type,Question,Description,FrequencyNumerator,FrequencyDenominator,Color,Unit,Target Type,"
    "Target Value,Archived?"
)
SAMPLE = {
    "Habits.csv": f"""{HEADER}
001,"Stretch, long",YES_NO,Did you stretch?,,3,7,#00897B,,,,false
002,Water,NUMERICAL,,,1,1,#039BE5,cups,AT_LEAST,6.0,true
""",
    "001 Stretch long/Checkmarks.csv": """Date,Value,Notes
2031-03-04,YES_AUTO,
2031-03-03,YES_MANUAL,"hips, ""better""\"
2031-03-02,SKIP,
""",
    "002 Water/Checkmarks.csv": """Date,Value,Notes
2031-03-03,7350,
2031-03-02,NO,
""",
    "Checkmarks.csv": """Date,Stretch, long,Water,
2031-03-04,YES_AUTO,UNKNOWN,
2031-03-03,YES_MANUAL,7350,
""",
    "Scores.csv": "Date,Stretch, long,Water,\n2031-03-04,0.5,0.25,\n",
}
OLD_HEADER = "Position,Name,Question,Description,NumRepetitions,Interval,Color"


def packed(files: dict[str, str]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return archive.getvalue()


def told(records: Records) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.message) for problem in records.problems.in_order()]


def habits(files: dict[str, str]) -> list[ImportedHabit]:
    """The habits of an export that has nothing to tell."""
    records = read(packed(files))
    assert (records.format, records.quests, records.skipped, told(records)) == ("loop", [], 0, [])
    return records.habits


def one(
    days: str, line: str = "001,Read,YES_NO,,,1,1,#00897B,,,,false", header: str = HEADER
) -> tuple[ImportedHabit, list[str]]:
    """The habit of an export of one habit, and what is told of it."""
    records = read(packed({"Habits.csv": f"{header}\n{line}\n", "001 Read/Checkmarks.csv": days}))
    assert records.skipped == 0
    return records.habits[0], [message for _, message in told(records)]


def done(day: str, notes: str | None = None) -> HabitDay:
    return HabitDay(date.fromisoformat(day), is_done=True, notes=notes)


def amount(day: str, number: str, *, enough: bool, notes: str | None = None) -> HabitDay:
    return HabitDay(date.fromisoformat(day), is_done=enough, notes=notes, amount=Decimal(number))


def skipped(day: str) -> HabitDay:
    return HabitDay(date.fromisoformat(day), is_done=False)


STRETCH = ImportedHabit(
    import_key="loop:001|Stretch, long",
    line=2,
    name="Stretch, long",
    description="Did you stretch?",
    frequency="weekly",
    target_count=3,
    color="#00897B",
    created_on=date(2031, 3, 2),
    days=[skipped("2031-03-02"), done("2031-03-03", 'hips, "better"')],
)
WATER = ImportedHabit(
    import_key="loop:002|Water",
    line=3,
    name="Water",
    color="#039BE5",
    is_active=False,
    kind="amount",
    target_amount=Decimal(6),
    unit="cups",
    created_on=date(2031, 3, 2),
    days=[amount("2031-03-02", "0", enough=False), amount("2031-03-03", "7.35", enough=True)],
)


def test_the_sample() -> None:
    assert habits(SAMPLE) == [STRETCH, WATER]


def test_in_a_folder_in_a_spreadsheets_form_beside_what_a_mac_adds() -> None:
    changed = {
        f"Loop Habits CSV 2031-03-04/{name}": "\ufeff" + content.replace("\n", "\r\n")
        for name, content in SAMPLE.items()
    }
    changed["__MACOSX/Loop Habits CSV 2031-03-04/._Habits.csv"] = "\x05\x16"
    assert habits(changed) == [STRETCH, WATER]
    delimited = dict(SAMPLE)
    for name in ("Habits.csv", "001 Stretch long/Checkmarks.csv"):
        text = io.StringIO()
        csv.writer(text, delimiter=";").writerows(csv.reader(io.StringIO(SAMPLE[name])))
        delimited[name] = text.getvalue().replace("6.0", "6,0")
    assert habits(delimited) == [STRETCH, WATER]


def test_old_versions_have_numbers_and_no_header() -> None:
    old = {
        "Habits.csv": f'{OLD_HEADER}\n001,"Stretch, long",Did you stretch?,,3,7,#00897B\n002,Water,,,1,1,#039BE5\n',
        "001 Stretch long/Checkmarks.csv": "2031-03-04,1\n2031-03-03,2\n2031-03-02,3\n2031-03-01,0\n2031-02-28,-1\n",
        "002 Water/Checkmarks.csv": "2031-03-03,7350\n2031-03-02,0\n2031-03-01,2\n",
    }
    stretch, water = habits(old)
    assert (stretch.days, stretch.created_on) == ([skipped("2031-03-02"), done("2031-03-03")], date(2031, 3, 1))
    # A number above 3 shows that it is an amount; any amount is enough where no target is known.
    assert (water.kind, water.target_amount, water.unit) == ("amount", Decimal("0.001"), None)
    assert water.days == [
        amount("2031-03-01", "0.001", enough=True),
        amount("2031-03-02", "0", enough=False),
        amount("2031-03-03", "7.35", enough=True),
    ]


def test_version_2_0_wrote_the_inside_of_the_app() -> None:
    cells = "Entry(timestamp=2031-03-03, value=2),Entry(timestamp=2031-03-03, value=7350),"
    files = {
        "Habits.csv": f"{OLD_HEADER}\n001,Stretch,,,1,1,#00897B\n002,Water,,,1,1,#039BE5\n",
        "Checkmarks.csv": f"Date,Stretch,Water,\n2031-03-03,{cells}\n",
    }
    assert [habit.days for habit in habits(files)] == [
        [done("2031-03-03")],
        [amount("2031-03-03", "7.35", enough=True)],
    ]
    habit, messages = one("2031-03-03,Entry(timestamp=2031-03-03, value=2)\n")
    assert (habit.days, messages) == ([done("2031-03-03")], [])


def test_the_root_file_is_read_where_a_folder_is_missing() -> None:
    files = {name: content for name, content in SAMPLE.items() if not name.startswith("001")}
    files["Checkmarks.csv"] += (
        "2031-03-02,NO,YES_MANUAL,\n2031-03-01,SKIP,NO,\n2031-02-28,NO,NO,\n2031-02-27,UNKNOWN,NO,\n"
    )
    stretch, water = habits(files)
    # Of its days before the first that says something nothing is known.
    assert (stretch.days, stretch.created_on) == ([skipped("2031-03-01"), done("2031-03-03")], date(2031, 3, 1))
    assert water == WATER


@pytest.mark.parametrize(
    "header",
    [
        "Date,Stretch, long,Water,",
        'Date,"Stretch, long",Water,',
        "Date,Stretch, long,Water",
        "Date;Stretch, long;Water;",
    ],
)
def test_names_in_the_root_file_may_have_commas(header: str) -> None:
    separator = header[4]
    rows = ["2031-03-03", "YES_MANUAL", "7350", ""]
    files = {"Habits.csv": SAMPLE["Habits.csv"], "Checkmarks.csv": f"{header}\n{separator.join(rows)}\n"}
    assert [len(habit.days) for habit in habits(files)] == [1, 1]


@pytest.mark.parametrize(
    ("root", "line"),
    [
        ("Date,Other,Water,\n2031-03-03,YES_MANUAL,7350,\n", 1),
        ("Date,Stretch, long,Water,\n2031-03-03,YES_MANUAL,\n", 2),
        ("", 1),
        ("\x00", None),
    ],
)
def test_a_root_file_that_does_not_fit_is_told(root: str, line: int | None) -> None:
    records = read(packed({"Habits.csv": SAMPLE["Habits.csv"], "Checkmarks.csv": root}))
    assert [habit.days for habit in records.habits] == [[], []]
    assert [problem_line for problem_line, _ in told(records)] == [line]


def test_folders_go_by_their_number() -> None:
    files = {
        "Habits.csv": HEADER
        + "".join(f"\n{line},YES_NO,,,1,1,,,,," for line in ("001,Читать", "002,Read", "003,Read")),
        "001/Checkmarks.csv": "2031-03-01,2\n",
        "003 Other/Checkmarks.csv": "2031-03-03,2\n",
        "002 Read/Checkmarks.csv": "2031-03-02,2\n",
        "004 Gone/Checkmarks.csv": "2031-03-04,2\n",
    }
    records = read(packed(files))
    assert [(habit.import_key, [day.day.day for day in habit.days]) for habit in records.habits] == [
        ("loop:001|Читать", [1]),
        ("loop:002|Read", [2]),
        ("loop:003|Read", [3]),
    ]
    assert told(records) == [(None, "The folder belongs to no habit of Habits.csv.")]


@pytest.mark.parametrize(
    ("pair", "schedule", "is_told"),
    [
        ("1,1", ("daily", 1), False),
        *((f"{times},7", ("weekly", times), False) for times in range(1, 8)),
        ("2,14", ("weekly", 1), True),
        ("1,30", ("weekly", 1), True),
        ("10,14", ("weekly", 5), True),
        ("3,14", ("weekly", 2), True),
        ("5,5", ("weekly", 7), True),
        ("9,7", ("weekly", 7), True),
        ("0,7", ("weekly", 1), True),
        ("x,", ("weekly", 1), True),
    ],
)
def test_frequencies(pair: str, schedule: tuple[str, int], is_told: bool) -> None:
    habit, messages = one("", f"001,Read,YES_NO,,,{pair},,,,,")
    assert (habit.frequency, habit.target_count) == schedule
    assert bool(messages) is is_told


WORDS = {"UNKNOWN": -1, "NO": 0, "YES_AUTO": 1, "YES_MANUAL": 2, "SKIP": 3}


@pytest.mark.parametrize("as_words", [True, False])
@pytest.mark.parametrize(
    ("value", "days"), [("YES_MANUAL", [True]), ("SKIP", [False]), ("YES_AUTO", []), ("NO", []), ("UNKNOWN", [])]
)
def test_values(value: str, days: list[bool], as_words: bool) -> None:
    habit, messages = one(f"Date,Value,Notes\n2031-03-03,{value if as_words else WORDS[value]},\n")
    assert ([day.is_done for day in habit.days], messages) == (days, [])


@pytest.mark.parametrize(
    ("kind", "target", "value", "found"),
    [
        ("AT_LEAST", "6.0", "7350", ("7.35", True)),
        ("AT_LEAST", "6.0", "6000", ("6", True)),
        ("AT_LEAST", "6.0", "5999", ("5.999", False)),
        ("AT_LEAST", "6.0", "0", ("0", False)),
        ("AT_LEAST", "0.0", "500", ("0.5", True)),
        ("AT_LEAST", "", "500", ("0.5", True)),
        ("AT_LEAST", "", "4", ("0.004", True)),
        ("AT_LEAST", "", "NO", ("0", False)),
        ("AT_LEAST", "6.0", "9999999999999", ("1000000000", True)),
        ("AT_MOST", "2.0", "2000", ("2", True)),
        ("AT_MOST", "2.0", "NO", ("0", True)),
        ("AT_MOST", "2.0", "0", ("0", True)),
        ("AT_MOST", "2.0", "YES_MANUAL", ("0", True)),
        ("AT_MOST", "2.0", "2001", ("2.001", False)),
        ("AT_MOST", "0.0", "0", ("0", True)),
        ("AT_MOST", "0.0", "1000", ("1", False)),
        ("AT_MOST", "", "999000", ("999", True)),
        ("AT_MOST", "2.0", "UNKNOWN", None),
        ("AT_MOST", "2.0", "1", None),
        ("AT_MOST", "2.0", "-5", None),
    ],
)
def test_amounts(kind: str, target: str, value: str, found: tuple[str, bool] | None) -> None:
    line = f"001,Water,NUMERICAL,,,1,1,,cups,{kind},{target},false"
    habit, messages = one(f"Date,Value,Notes\n2031-03-03,{value},a\n", line)
    assert (habit.kind, habit.direction, habit.unit, habit.period) == ("amount", kind.lower(), "cups", "day")
    assert habit.days == ([amount("2031-03-03", found[0], enough=found[1], notes="a")] if found else [])
    assert len(messages) == (found is None and value != "UNKNOWN")  # a note without a place


@pytest.mark.parametrize(
    ("kind", "target", "expected"),
    [
        ("AT_LEAST", "2.5", "2.5"),
        ("AT_LEAST", "0.0", "0.001"),
        ("AT_LEAST", "", "0.001"),
        ("AT_LEAST", "-3", "0.001"),
        ("AT_LEAST", "2.00049", "2"),
        ("AT_LEAST", "much", "0.001"),
        ("AT_LEAST", "3000000000", "1000000000"),
        ("AT_MOST", "0.0", "0"),
        ("AT_MOST", "-3", "0"),
        ("AT_MOST", "", "1000000000"),
    ],
)
def test_targets(kind: str, target: str, expected: str) -> None:
    habit, messages = one("", f"001,Water,NUMERICAL,,,1,1,,cups,{kind},{target},false")
    assert (habit.target_amount, bool(messages)) == (Decimal(expected), target == "much")


@pytest.mark.parametrize(
    ("pair", "schedule", "is_told"),
    [
        ("1,1", ("day", "daily", 1), False),
        ("1,7", ("week", "daily", 1), False),
        ("1,30", ("month", "daily", 1), False),
        ("3,7", ("day", "weekly", 3), False),
        ("1,31", ("day", "weekly", 1), True),
    ],
)
def test_periods_of_amounts(pair: str, schedule: tuple[str, str, int], is_told: bool) -> None:
    habit, messages = one("", f"001,Run,NUMERICAL,,,{pair},,km,AT_LEAST,20.0,false")
    assert ((habit.period, habit.frequency, habit.target_count), bool(messages)) == (schedule, is_told)


def test_a_long_unit_is_cut_and_told() -> None:
    habit, messages = one("", f"001,Run,NUMERICAL,,,1,1,,{'x' * 21},AT_LEAST,20.0,false")
    assert (habit.unit, len(messages)) == ("x" * 20, 1)


def test_special_numbers_also_mean_themselves_in_a_habit_with_amounts() -> None:
    line = "001,Water,NUMERICAL,,,1,1,,cups,AT_LEAST,6.0,false"
    habit, messages = one("2031-03-03,YES_MANUAL,x\n2031-03-02,3\n2031-03-01,2\n", line)
    assert habit.days == [
        amount("2031-03-01", "6", enough=True),
        skipped("2031-03-02"),
        amount("2031-03-03", "6", enough=True, notes="x"),
    ]
    assert messages == []


def test_notes_that_have_no_place_are_counted() -> None:
    habit, messages = one(
        'Date,Value,Notes\n2031-03-03,NO,"tired"\n2031-03-02,SKIP,ill\n2031-03-01,YES_MANUAL,"a\nb"\n'
    )
    assert habit.days == [done("2031-03-01", "a\nb"), skipped("2031-03-02")]
    assert messages == ["Notes of days that are not done were left out: 2."]


def test_a_day_counts_once() -> None:
    habit, _ = one("2031-03-03,3\n2031-03-03,2\n2031-03-03,3\n2031-03-02,2\n2031-03-02,2\n")
    assert habit.days == [done("2031-03-02"), done("2031-03-03")]


@pytest.mark.parametrize("line", ["03-04-31,2", "2031-02-30,2", "2031-03-03,MAYBE", "2031-03-03", "2031-03-03,"])
def test_a_day_that_cannot_be_read_is_told(line: str) -> None:
    habit, messages = one(f"2031-03-02,2\n{line}\n")
    assert habit.days == [done("2031-03-02")]
    assert len(messages) == 1


def test_a_file_of_days_that_is_none_is_told_and_the_root_read() -> None:
    files = SAMPLE | {"001 Stretch long/Checkmarks.csv": "\x00"}
    records = read(packed(files))
    assert [len(habit.days) for habit in records.habits] == [1, 2]
    assert len(told(records)) == 1


def test_lines_of_habits_that_cannot_be_taken_are_told_and_counted() -> None:
    lines = "001, ,YES_NO,,,1,1,,,,,\n002,A,YES_NO,,,1,1,,,,,\n002,B,YES_NO,,,1,1,,,,,\n"
    records = read(packed({"Habits.csv": f"{HEADER}\n{lines}"}))
    assert ([habit.name for habit in records.habits], records.skipped) == (["A"], 2)
    assert told(records) == [(2, "The habit has no name."), (4, "Position 2 is in the file twice.")]


def test_long_text_is_cut_and_told() -> None:
    long = "x" * 3_000
    habit, messages = one(f"Date,Value,Notes\n2031-03-03,YES_MANUAL,{long}\n", f"001,{long},YES_NO,{long},,1,1,,,,,")
    lengths = [len(text or "") for text in (habit.name, habit.description, habit.days[0].notes, habit.import_key)]
    assert lengths == [120, 2_000, 2_000, 300]
    assert len(messages) == 3


def test_forks_have_a_column_more() -> None:
    files = dict(SAMPLE)
    rows = list(csv.reader(io.StringIO(SAMPLE["Habits.csv"])))
    text = io.StringIO()
    csv.writer(text).writerows([*cells[:7], "FrequencyMode" if cells is rows[0] else "X", *cells[7:]] for cells in rows)
    assert habits(files | {"Habits.csv": text.getvalue()}) == [STRETCH, WATER]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (packed({"Other.csv": "a,b\n"}), "looked for Habits.csv"),
        (packed({"Habits.csv": "a,b\n1,2\n"}), "looked in Habits.csv for .*, found a, b"),
        (packed({"Habits.csv": "\x00"}), "its Habits.csv is not text"),
        (packed({"Habits.csv": ""}), "its Habits.csv is empty"),
        (b"PK\x03\x04", "is not a ZIP file"),
        (b"Position,Name\n", "neither a Loop export"),
        (b"", "neither a Loop export"),
    ],
)
def test_what_is_no_export_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(data)
    if not data.startswith(b"PK"):
        with pytest.raises(Unreadable, match="looked for a ZIP file"):
            read(data, "loop")


def test_a_bomb_is_refused() -> None:
    bomb = packed({"Habits.csv": SAMPLE["Habits.csv"], "001 X/Checkmarks.csv": "0" * (21 * 1024 * 1024)})
    with pytest.raises(TooLarge):
        read(bomb)


def test_a_hundred_habits_with_three_years_of_days() -> None:
    first = date(2028, 3, 4)
    days = "".join(f"{first + timedelta(days=n)},{(n % 4)}\n" for n in range(3 * 365))
    files = {f"{n:03} H/Checkmarks.csv": days for n in range(1, 101)}
    files["Habits.csv"] = HEADER + "".join(f"\n{n:03},H{n},YES_NO,,,1,1,,,,," for n in range(1, 101))
    assert sum(len(habit.days) for habit in habits(files)) == 100 * (3 * 365 // 4 * 2 + 1)


@given(st.dictionaries(st.sampled_from(list(SAMPLE)), st.text(alphabet="0123-,\nYES_NOdate Entry(=)", max_size=60)))
def test_any_files_are_records_or_refused(files: dict[str, str]) -> None:
    for broken in (files, SAMPLE | files):
        with suppress(Refused):
            assert all(habit.name for habit in read(packed(broken)).habits)


# Written ----------------------------------------------------------------------------------------------------------


def exported(**fields: Any) -> ExportedHabit:
    ordinary: dict[str, Any] = {
        "name": "Stretch, long",
        "description": "Hips\nand back",
        "frequency": "weekly",
        "target_count": 3,
        "custom_days": list(range(7)),
        "color": "#00897B",
        "is_active": True,
        "kind": "check",
        "direction": "at_least",
        "target_amount": None,
        "unit": None,
        "period": "day",
        "days": {},
    }
    return ExportedHabit(**(ordinary | fields))


def test_what_is_written_is_as_loop_writes_it() -> None:
    days = {
        date(2031, 3, 1): ExportedDay(1, notes="a\nb"),
        date(2031, 3, 3): ExportedDay(0, is_skipped=True),
    }
    water = exported(
        name="Wässer 💧",
        description=None,
        frequency="daily",
        target_count=6,
        color=None,
        is_active=False,
        days={date(2031, 3, 4): ExportedDay(4)},
    )
    custom = exported(name="Чай", frequency="custom", target_count=1, custom_days=[1, 3])
    limit = exported(
        name="Wine",
        description=None,
        frequency="daily",
        kind="amount",
        direction="at_most",
        target_amount=Decimal("2.500"),
        unit="dl",
        period="week",
        days={
            date(2031, 3, 4): ExportedDay(2, amount=Decimal("1.250")),
            date(2031, 3, 3): ExportedDay(1, amount=Decimal(0)),
        },
    )
    with zipfile.ZipFile(io.BytesIO(written([exported(days=days), water, custom, limit]))) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert files == {
        "Habits.csv": f"""{HEADER}
001,"Stretch, long",YES_NO,,"Hips\nand back",3,7,#00897B,,,,false
002,Wässer 💧,NUMERICAL,,,1,1,#757575,times,AT_LEAST,6.0,true
003,Чай,YES_NO,,"Hips\nand back",2,7,#00897B,,,,false
004,Wine,NUMERICAL,,,1,7,#00897B,dl,AT_MOST,2.5,false
""",
        "Checkmarks.csv": """Date,"Stretch, long",Wässer 💧,Чай,Wine,
2031-03-04,UNKNOWN,4000,UNKNOWN,1250,
2031-03-03,SKIP,UNKNOWN,UNKNOWN,NO,
2031-03-02,UNKNOWN,UNKNOWN,UNKNOWN,UNKNOWN,
2031-03-01,YES_MANUAL,UNKNOWN,UNKNOWN,UNKNOWN,
""",
        "001 Stretch long/Checkmarks.csv": 'Date,Value,Notes\n2031-03-03,SKIP,\n2031-03-01,YES_MANUAL,"a\nb"\n',
        "002 Wsser/Checkmarks.csv": "Date,Value,Notes\n2031-03-04,4000,\n",
        "003/Checkmarks.csv": "Date,Value,Notes\n",
        "004 Wine/Checkmarks.csv": "Date,Value,Notes\n2031-03-04,1250,\n2031-03-03,NO,\n",
    }
    assert written([exported(days=days)]) == written([exported(days=days)])
    assert [habit.name for habit in read(written([])).habits] == []


@given(
    st.lists(
        st.dictionaries(
            st.dates(date(2031, 1, 1), date(2031, 3, 1)),
            st.sampled_from([ExportedDay(1), ExportedDay(1, notes='x, "y"\nz'), ExportedDay(0, is_skipped=True)]),
        ),
        max_size=4,
    )
)
def test_our_own_export_comes_back(histories: list[dict[date, ExportedDay]]) -> None:
    given_habits = [exported(name=f"H, {n}", days=days) for n, days in enumerate(histories)]
    records = read(written(given_habits))
    assert told(records) == []
    for habit, back in zip(given_habits, records.habits, strict=True):
        assert (back.name, back.description, back.frequency, back.target_count) == (
            habit.name,
            "Hips\nand back",
            "weekly",
            3,
        )
        assert back.days == [
            HabitDay(day, is_done=not found.is_skipped, notes=found.notes) for day, found in sorted(habit.days.items())
        ]


@given(
    st.builds(
        exported,
        kind=st.just("amount"),
        direction=st.sampled_from(["at_least", "at_most"]),
        target_amount=st.integers(1, 10**12).map(lambda number: Decimal(number) / 1000),
        unit=st.sampled_from([None, "km", "ml, cold"]),
        period=st.sampled_from(["day", "week", "month"]),
        frequency=st.just("daily"),
        days=st.dictionaries(
            st.dates(date(2031, 1, 1), date(2031, 3, 1)),
            # Of 0.001 to 0.003 Loop does not tell amounts from its words.
            st.one_of(st.just(0), st.integers(4, 10**12)).map(
                lambda number: ExportedDay(1, amount=Decimal(number) / 1000)
            ),
        ),
    )
)
def test_amounts_come_back(habit: ExportedHabit) -> None:
    records = read(written([habit]))
    [back] = records.habits
    assert told(records) == []
    assert (back.kind, back.direction, back.target_amount, back.unit, back.period) == (
        *(habit.kind, habit.direction, habit.target_amount, habit.unit, habit.period),
    )
    assert {day.day: day.amount for day in back.days} == {day: found.amount for day, found in habit.days.items()}
