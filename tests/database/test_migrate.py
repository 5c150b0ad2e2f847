"""`make migrate`: migrations once and in order, the code whole or not at all, and nobody notices."""

import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from database.migrate import CODE, MigrationError, definitions, migrate, replace_code
from tests.conftest import Answer, Database, NewUser, User
from tests.support import factories
from tests.support.client import ROOT
from tests.support.threads import in_thread

# Two deployers are two processes: dbmate finds the other one by its lock.
DEPLOYER = """
import sys
from pathlib import Path
from database.migrate import migrate
print(migrate(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
"""


@pytest.fixture
def empty(migrated: Database) -> Iterator[Database]:
    """A database with nothing in it."""
    database = Database(f"{migrated.name}_{secrets.token_hex(4)}", migrated.server_url, migrated.passwords)
    yield database.create()
    database.drop()


@pytest.fixture
def no_code(tmp_path: Path) -> Path:
    """A folder of code with nothing in it."""
    folder = tmp_path / "no_code"
    folder.mkdir()
    (folder / "order.txt").write_text("# nothing\n")
    return folder


class Code:
    """A copy of the code that the test may change."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(shutil.copytree(CODE, folder))

    def write(self, file: str, text: str) -> None:
        """Have a file of this text, the last one of the order if it is new."""
        if not (self.folder / file).exists():
            with (self.folder / "order.txt").open("a") as order:
                order.write(f"{file}\n")
        (self.folder / file).write_text(f"SET LOCAL ROLE questlog_owner;\n{text}\n")

    def append_to_each(self, text: str) -> None:
        for file in self.folder.rglob("*.sql"):
            file.write_text(f"{file.read_text()}\n{text}\n")


@pytest.fixture
def code(tmp_path: Path) -> Code:
    return Code(tmp_path / "code")


def catalogue(database: Database) -> dict[str, Any]:
    """All that the two schemas hold: each function and view with its text, its owner and its rights."""
    rows = database.query(
        """
        SELECT format('%%s.%%s(%%s)', pronamespace::regnamespace, proname, pg_get_function_identity_arguments(oid))
                   AS name,
               pg_get_functiondef(oid) AS text, proowner::regrole::text AS owner,
               ARRAY(SELECT a::text FROM unnest(coalesce(proacl, acldefault('f', proowner))) AS a ORDER BY 1) AS rights
          FROM pg_proc WHERE pronamespace IN ('app'::regnamespace, 'internal'::regnamespace)
         UNION ALL
        SELECT format('%%s.%%s', relnamespace::regnamespace, relname),
               pg_get_viewdef(oid) || coalesce(reloptions::text, ''),
               relowner::regrole::text,
               ARRAY(SELECT a::text FROM unnest(coalesce(relacl, acldefault('r', relowner))) AS a ORDER BY 1)
          FROM pg_class WHERE relkind = 'v' AND relnamespace IN ('app'::regnamespace, 'internal'::regnamespace)
        """
    )
    return {row["name"]: row for row in rows}


def written_at(database: Database) -> dict[int, str]:
    """Where the catalogue's row of each function lies: it moves when the function is replaced."""
    rows = database.query(
        "SELECT oid::int8, ctid::text FROM pg_proc"
        " WHERE pronamespace IN ('app'::regnamespace, 'internal'::regnamespace)"
    )
    return {row["oid"]: row["ctid"] for row in rows}


# Migrations --------------------------------------------------------------------------------------------------------


def test_migrations_apply_in_order_once_and_whole_or_not_at_all(empty: Database, tmp_path: Path, no_code: Path) -> None:
    (tmp_path / "0001_one.sql").write_text(
        "-- migrate:up\nCREATE TABLE one AS SELECT current_setting('lock_timeout') AS patience;\n"
    )
    (tmp_path / "0002_two.sql").write_text(
        "-- migrate:up\nSET LOCAL ROLE pg_monitor;\nRESET ROLE;\nCREATE TABLE two ();"
    )
    empty.query("CREATE SCHEMA app")  # where this administrator looks first
    assert migrate(empty.admin_url, tmp_path, no_code) == ["0001_one.sql", "0002_two.sql"]
    assert migrate(empty.admin_url, tmp_path, no_code) == []
    assert empty.query("SELECT patience FROM public.one") == [{"patience": "10s"}]
    (tmp_path / "0003_three.sql").write_text("-- migrate:up\nCREATE TABLE three ();\nSELECT 1/0;\n")
    with pytest.raises(MigrationError, match="division by zero"):
        migrate(empty.admin_url, tmp_path, no_code)
    assert empty.query("SELECT to_regclass('three') AS three") == [{"three": None}]
    assert empty.query("SELECT max(version) AS newest FROM schema_migrations") == [{"newest": "0002"}]


def test_two_deployers_at_once_apply_each_file_once(empty: Database, tmp_path: Path, no_code: Path) -> None:
    (tmp_path / "0001_slow.sql").write_text("-- migrate:up\nSELECT pg_sleep(0.5);\nCREATE TABLE slow ();\n")
    command = [sys.executable, "-c", DEPLOYER, empty.admin_url, str(tmp_path), str(no_code)]
    environment = {"PYTHONPATH": str(ROOT / "layers" / "common")}
    deployers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    outputs = sorted(one.communicate()[0].strip() for one in deployers)
    assert [one.returncode for one in deployers] == [0, 0]
    assert outputs == ["['0001_slow.sql']", "[]"]


# Code --------------------------------------------------------------------------------------------------------------


def test_the_catalogue_holds_exactly_what_the_files_say(untouched: Database) -> None:
    wanted = sorted(definition.name for definition in definitions())
    held = [name.partition("(")[0] for name in catalogue(untouched)]
    assert sorted(held) == wanted


def test_no_name_is_defined_in_two_files() -> None:
    homes: dict[str, set[str]] = {}
    for definition in definitions():
        homes.setdefault(definition.name.partition(".")[2], set()).add(definition.file)
    assert {name: files for name, files in homes.items() if len(files) > 1} == {}


def test_every_file_is_in_the_order_and_creates_nothing_in_another_way() -> None:
    ordered = [line for line in (CODE / "order.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(ordered) == sorted(file.relative_to(CODE).as_posix() for file in CODE.rglob("*.sql"))
    texts = [file.read_text() for file in CODE.rglob("*.sql")]
    assert sum(text.count("\nCREATE ") for text in texts) == len(definitions())
    for text in texts:
        head, _, _ = text.partition("\nCREATE ")
        lines = [line for line in head.splitlines() if line and not line.startswith("--")]
        assert [line for line in lines if not re.fullmatch(r"SET LOCAL ROLE questlog_\w+;", line)] == []


def test_nothing_happens_when_nothing_has_changed(untouched: Database, code: Code) -> None:
    before = written_at(untouched)
    assert replace_code(untouched.admin_url) is False
    assert replace_code(untouched.admin_url, code.folder) is False
    assert written_at(untouched) == before


def test_only_the_files_that_changed_are_run(untouched: Database, code: Code) -> None:
    before = written_at(untouched)
    file = code.folder / "limits.sql"
    file.write_text(f"{file.read_text()}\n-- a word more\n")
    assert replace_code(untouched.admin_url, code.folder) is True
    after = written_at(untouched)
    assert set(after) == set(before), "replaced, not dropped"
    moved = {oid for oid in after if after[oid] != before[oid]}
    rows = untouched.query("SELECT proname FROM pg_proc WHERE oid = ANY (%s)", list(moved))
    assert {row["proname"] for row in rows} == {
        one.name.partition(".")[2] for one in definitions() if one.file == "limits.sql"
    }


FIRST = """
CREATE OR REPLACE FUNCTION internal.one(number int) RETURNS int LANGUAGE sql RETURN number + 1;
CREATE OR REPLACE FUNCTION app.two() RETURNS int LANGUAGE sql RETURN internal.one(1);
CREATE OR REPLACE VIEW app.three WITH (security_invoker = true) AS SELECT app.two() AS three;
REVOKE EXECUTE ON FUNCTION app.two FROM questlog_jobs;
"""
CHANGES = {
    "a body": ("number + 1", "number + 2"),
    "a parameter's name": ("number", "given"),
    "a parameter's type": ("one(number int)", "one(number bigint)"),
    "a parameter more": ("one(number int)", "one(number int, another int DEFAULT 0)"),
    "another parameter more": ("one(number int)", "one(number int, another text DEFAULT '')"),
    "a result": ("internal.one(number int) RETURNS int", "internal.one(number int) RETURNS bigint"),
    "a view's columns": ("SELECT app.two() AS three", "SELECT 1 AS other, app.two() AS three"),
    "a view that becomes a function": (
        "VIEW app.three WITH (security_invoker = true) AS SELECT app.two() AS three",
        "FUNCTION app.three() RETURNS int LANGUAGE sql RETURN 3",
    ),
    "a schema": ("internal.one", "app.one"),
    "an owner": (
        "CREATE OR REPLACE FUNCTION app.two",
        "SET LOCAL ROLE questlog_board;\nCREATE OR REPLACE FUNCTION app.two",
    ),
    "a right": (
        "REVOKE EXECUTE ON FUNCTION app.two FROM questlog_jobs",
        "GRANT EXECUTE ON FUNCTION app.two TO questlog_console",
    ),
    "a function less": (
        "CREATE OR REPLACE VIEW app.three WITH (security_invoker = true) AS SELECT app.two() AS three;",
        "",
    ),
    "a clause": (
        "LANGUAGE sql RETURN internal.one(1)",
        "LANGUAGE sql SECURITY DEFINER SET search_path = app RETURN internal.one(1)",
    ),
    "a name": ("internal.one", "internal.uno"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_leads_to_what_a_new_database_would_hold(untouched: Database, code: Code, change: str) -> None:
    changed = FIRST.replace(*CHANGES[change])
    assert changed != FIRST
    original = catalogue(untouched)
    code.write("numbers.sql", changed)
    assert replace_code(untouched.admin_url, code.folder)
    as_new = catalogue(untouched)
    for text in (FIRST, changed):
        code.write("numbers.sql", text)
        assert replace_code(untouched.admin_url, code.folder)
    assert catalogue(untouched) == as_new
    assert replace_code(untouched.admin_url)
    assert catalogue(untouched) == original


def test_a_change_of_what_other_files_call_runs_them_too(untouched: Database, code: Code) -> None:
    code.write("numbers.sql", FIRST)
    code.write("callers.sql", "CREATE OR REPLACE FUNCTION app.four() RETURNS int LANGUAGE sql RETURN internal.one(3);")
    replace_code(untouched.admin_url, code.folder)
    changed = FIRST.replace("one(number int)", "one(number int, another int DEFAULT 5)").replace("+ 1", "+ another")
    code.write("numbers.sql", changed)
    replace_code(untouched.admin_url, code.folder)
    assert untouched.query("SELECT four(), two(), three FROM three") == [{"four": 8, "two": 6, "three": 6}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("CREATE OR REPLACE FUNCTION app.bad() RETURNS int LANGUAGE sql RETURN nothing();", "app.bad"),
        ("CREATE OR REPLACE FUNCTION app.bad() LANGUAGE sql RETURN 1;", "app.bad"),
        ("CREATE OR REPLACE FUNCTION app.bad() RETURNS int LANGUAGE sql RETURN 1;\nSELECT 1/0;", "division by zero"),
    ],
)
def test_a_mistake_changes_nothing(untouched: Database, code: Code, text: str, said: str) -> None:
    before = catalogue(untouched)
    code.append_to_each("-- changed")
    code.write("bad.sql", text)
    with pytest.raises(MigrationError, match=said):
        replace_code(untouched.admin_url, code.folder)
    assert catalogue(untouched) == before


def test_what_a_table_needs_is_not_dropped_from_under_it(untouched: Database, code: Code) -> None:
    code.write("numbers.sql", FIRST)
    replace_code(untouched.admin_url, code.folder)
    untouched.query("CREATE POLICY odd ON public.users USING (app.two() = 2)")
    code.write("numbers.sql", "")
    with pytest.raises(MigrationError, match="a table needs"):
        replace_code(untouched.admin_url, code.folder)
    assert untouched.query("SELECT count(*) AS n FROM pg_policies WHERE policyname = 'odd'") == [{"n": 1}]


def test_of_two_at_once_one_does_it(untouched: Database, code: Code) -> None:
    code.append_to_each("-- changed")
    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(replace_code, untouched.admin_url, code.folder) for _ in range(3)]
    assert sorted(one.result() for one in done) == [False, False, True]


def asked_until(stop: Event, user: User) -> list[Answer]:
    """The answers to what a front end asks for, over and over."""
    habit = factories.habit(user)["id"]
    requests: tuple[Callable[[], Answer], ...] = (
        lambda: user.get("/today"),
        lambda: user.post(f"/habits/{habit}/complete"),
        lambda: user.get("/sync/poll"),
        lambda: user.delete(f"/habits/{habit}/complete"),
        lambda: user.get("/quests"),
        lambda: user.post("/focus", {}),
        lambda: user.get("/gamification/summary"),
    )
    answers = []
    for request in cycle(requests):
        answers.append(request())
        # The pause leaves the replacing a part of the machine: without one it takes ten times as long.
        if stop.wait(0.02):
            break
    return answers


def test_no_request_fails_while_all_functions_are_replaced(database: Database, new_user: NewUser, code: Code) -> None:
    stop = Event()
    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(in_thread, partial(asked_until, stop, new_user())) for _ in range(3)]
        try:
            for turn in range(4):
                code.append_to_each(f"-- turn {turn}")
                assert replace_code(database.admin_url, code.folder)
        finally:
            stop.set()
            replace_code(database.admin_url)
    answers = [answer for one in asking for answer in one.result()]
    assert len(answers) > 30
    assert [answer.text for answer in answers if answer.status >= 500] == []
