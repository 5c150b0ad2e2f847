"""The rules of the SQL in `code/`, held over all of it: a function added later is held to them without being named."""

import re
from collections.abc import Iterator

import pytest

from database.migrate import CODE, MIGRATIONS
from tests.conftest import Database
from tests.support.client import ROOT
from tests.support.sql import bare, functions, homes_of_tables, queries

FUNCTIONS = list(functions())
QUERIES = list(queries())
TEXTS = [*FUNCTIONS, *QUERIES]
LAYER = "".join(file.read_text() for file in (ROOT / "layers" / "common" / "questlog").glob("*.py"))

# What every group stands on: its functions may be called by all.
FOUNDATIONS = {
    *("errors", "trips", "types", "limits", "counts", "identity", "revisions", "totals", "idempotency", "days"),
    *("settings", "ledger"),
}

# Which group's SQL may call functions and views of which others, beyond the foundations.
CALLS = {
    # Who is deleted by an administrator goes as who deletes themselves; an answered report tells its author; the queue
    # is looked at, and moved; an account is empty where an import takes it for empty; who is readmitted is reminded of
    # things again.
    "admin": {"backups", "exports", "feedback", "imports", "jobs", "notifications", "user"},
    "audio_worker": {"jobs", "reference"},  # it takes analyses from the queue and ends them
    "calendar": {"exercise", "notifications"},  # an event may be a workout of the user's, and have a reminder
    "exercise": {"programs"},  # a session may be started for a slot of a program, and does it
    "daily_plan": {"calendar", "focus", "habits", "learn", "quests"},  # a plan is made of what these have for the day
    "quests": {"notifications"},  # one may expire
    "feedback": {"inbox"},  # authors are told of an answer there
    "gamification": {"market", "pauses"},  # shields and boosts are part of what a user has; a paused streak stands
    "goals": {"calendar"},  # a deleted goal takes itself out of events
    # So does a habit; imported to-dos become quests; it may have a time to be reminded at, and it may rest.
    "habits": {"calendar", "notifications", "pauses", "quests"},
    # It asks what may be reminded of, and whether it is still due.
    "notifications": {"calendar", "habits", "inbox", "learn", "pauses", "quests", "sync"},
    "notifier": {"jobs", "notifications"},  # it works off what is due
    "onboarding": {"goals"},  # the first one is an answer
    "ideas": {"infobase", "promotion"},  # its search is the infobase's
    # What is derived from imported rows is made anew, and what the ledger adds up to. The hourly check is db-health's.
    # Imported reports are counted as those that are sent.
    "imports": {"exports", "feedback", "ideas", "infobase", "jobs", "learn", "notifications", "reference"},
    "inbox": {"notifications", "promotion"},  # what is news there is sent too
    # The trash is emptied; accounts are exported and filled; what a job works for is queued again with it.
    "jobs": {"admin", "backups", "exports", "imports", "infobase", "reference"},
    # They are loaded as imports are, by jobs; browsers are listed in the directory again.
    "backups": {"imports", "jobs", "notifications"},
    "exports": {"inbox", "jobs"},  # they are written by jobs, and the user is told
    # Boosts and shields act when something is paid, and pauses hold a streak; what is counted moves quests.
    "ledger": {"market", "pauses", "quests"},
    "pauses": {"habits"},  # their streaks are counted anew
    "focus": {"reference"},  # a library may name tracks
    "reference": {"focus", "jobs"},  # deleted tracks leave the libraries; analyses and objects to delete are queued
    "settings": {"notifications"},  # they say when and whether to remind
    "programs": {"exercise"},  # a slot is a workout; templates make workouts; removed slots leave the sessions
    "promotion": {"calendar", "daily_plan", "ideas", "infobase", "quests"},  # it makes these of what was noted down
    "sync": {"daily_plan", "focus", "goals", "habits", "inbox", "market", "quests"},
    "today": {"daily_plan", "focus", "goals", "habits", "onboarding", "quests"},
    "user": {"exports", "feedback", "imports"},  # their routes are the user's; reports that go are counted no more
}

# Which group's SQL may read tables of which others; today, sync, the plan and the administration read of many.
READS = {
    # It counts what all users have, answers what they report, and keeps the content that they share.
    "admin": {
        *("backups", "books", "counts", "exercise", "feedback", "focus", "goals", "habits", "ideas", "identity"),
        *("jobs", "learn", "ledger", "market", "quests", "reference"),
    },
    # Everything goes into a backup and comes back; what is taken, erased or listed for deletion is asked of these.
    "backups": {"identity", "jobs", "user"},
    "audio_worker": {"reference"},
    "books": {"deleted_imports"},  # what an import brought and the user has deleted stays deleted
    "calendar": {"goals", "habits", "identity", "settings"},  # what an event points at must exist; the feed's user
    "daily_plan": {"focus", "quests"},
    "days": {"settings"},  # where the user's days begin
    # It shows what the ledger holds and what acts on it, and to others what users allow.
    "gamification": {"identity", "ledger", "market", "pauses", "settings"},
    "exercise": {"deleted_imports"},
    "habits": {"deleted_imports", "ledger", "pauses"},
    "idempotency": {"identity"},
    # The profile; objects that are listed, and the tracks that name them; which skills there are.
    "imports": {"identity", "jobs", "ledger", "reference"},
    # The clean-up and the deletion of objects: what has served, whose ever it is. And what exports hold.
    "jobs": {
        *("backups", "calendar", "counts", "exports", "focus", "identity", "imports", "infobase", "ledger"),
        *("notifications", "reference", "settings", "user"),
    },
    "learn": {"ledger"},  # which review was paid for
    "ledger": {"market", "quests", "revisions"},  # marks hold as long as what all users share
    "limits": {"identity"},
    "market": {"ledger"},
    "notifier": {"calendar", "identity", "notifications", "settings"},  # series are expanded; whose address it is
    "notifications": {"identity", "settings"},  # whose a browser is; when and how to remind
    "pauses": {"habits"},  # which streaks a pause is about
    "promotion": {"calendar", "daily_plan", "ideas", "infobase", "quests"},  # whether what it made is still there
    "quests": {"deleted_imports", "ledger", "revisions"},
    "reference": {"identity"},  # whose an e-mail address is, for those who look at what its owner shares
    "revisions": {"identity"},  # of a user who is being deleted none is written
    "sync": {"daily_plan", "focus", "goals"},
    "today": {"daily_plan", "focus", "identity", "ledger"},
    # The audit counts the rows of the lists that have totals.
    "totals": {"bookmarks", "books", "focus", "inbox", "infobase", "market", "quests", "reference"},
    # The profile, settings and imports are the user's; a deleted administrator has made and resolved nothing any more.
    "user": {"backups", "feedback", "identity", "imports", "jobs", "ledger", "reference", "settings"},
}

# Functions that the contract names and no route calls yet.
AWAITED: dict[str, str] = {}

# What fewer than all logins may call.
LOGINS = ("questlog_app", "questlog_auth", "questlog_operator", "questlog_jobs", "questlog_console")
ALL = {"questlog_app", "questlog_auth", "questlog_operator", "questlog_jobs"}
SIGN_IN = {"questlog_auth"}
# What a request of the admin function becomes is no login: nobody may call these before the caller's role was checked.
ADMINISTRATORS: set[str] = set()
FEWER = {
    "open_oauth_state": SIGN_IN,
    "take_oauth_state": SIGN_IN,
    "sign_in": SIGN_IN,
    "confirm_age": SIGN_IN,
    "accept_terms": SIGN_IN,
    "admin_exists": SIGN_IN,
    "claim_admin": SIGN_IN,
    "subscribe": {"questlog_app"},
    "send_test": {"questlog_app"},
    "unsubscribe_from_mail": {"questlog_app"},
    "look_at_reminder": {"questlog_jobs"},
    "due_reminders": {"questlog_jobs"},
    "delete_user": {"questlog_app"},
    "cancel_jobs": {"questlog_app"},
    "search_users": ADMINISTRATORS,
    "users_page": ADMINISTRATORS,
    "count_users": ADMINISTRATORS,
    "live_sessions": ADMINISTRATORS,
    "count_audit": ADMINISTRATORS,
    "audit_page": ADMINISTRATORS,
    "user_statistics": {"questlog_jobs"},
    "count_statistics": {"questlog_jobs"},
    "place_is_large": {"questlog_jobs"},
    "keep_counts": {"questlog_jobs"},
    "recounted_lists": {"questlog_jobs"},
    "count_miscounts": {"questlog_jobs"},
    "counted_until": {"questlog_jobs"},
    "move_count": {"questlog_app"},
    "hold_item": {"questlog_app"},
    "known_statistics": ADMINISTRATORS,
    "statistics_time": ADMINISTRATORS,
    "count_feedback": ADMINISTRATORS,
    "change_user": ADMINISTRATORS,
    "count_tables_of": ADMINISTRATORS,
    "adjust_user": ADMINISTRATORS,
    "delete_other_user": ADMINISTRATORS,
    "add_universal_quest": ADMINISTRATORS,
    "change_universal_quest": ADMINISTRATORS,
    "delete_universal_quest": ADMINISTRATORS,
    "put_skill": ADMINISTRATORS,
    "change_skill": ADMINISTRATORS,
    "delete_skill": ADMINISTRATORS,
    "account_is_empty": ADMINISTRATORS,
    "abandoned_users": ADMINISTRATORS,
    "delete_abandoned_users": ADMINISTRATORS,
    "lock_users": ADMINISTRATORS,
    "newest_events": ADMINISTRATORS,
    "import_ledger": {"questlog_jobs"},
    "start_import": {"questlog_app"},
    "require_empty_account": {"questlog_jobs"},
    "expect_imported_objects": {"questlog_jobs"},
    "import_tables": {"questlog_jobs"},
    "open_import": {"questlog_jobs"},
    "import_rows": {"questlog_jobs"},
    "import_ledger_rows": {"questlog_jobs"},
    "close_imported_table": {"questlog_jobs"},
    "settle_import": {"questlog_jobs"},
    "fail_import": {"questlog_jobs"},
    "request_export": {"questlog_app"},
    "delete_export": {"questlog_app"},
    "finish_export": {"questlog_jobs"},
    "fail_export": {"questlog_jobs"},
    "expire_exports": {"questlog_jobs"},
    "forget_exports": {"questlog_jobs"},
    "begin_run": {"questlog_jobs"},
    "end_run": {"questlog_jobs"},
    "renew_run": {"questlog_jobs"},
    "due_jobs": {"questlog_jobs"},
    "lost_jobs": {"questlog_jobs"},
    "claim_due_job": {"questlog_jobs"},
    "fail_lost_job": {"questlog_jobs"},
    "keep_job": {"questlog_jobs"},
    "complete_job": {"questlog_jobs"},
    "fail_job": {"questlog_jobs"},
    "give_back_job": {"questlog_jobs"},
    "claim_job": {"questlog_jobs"},
    "fail_lost_jobs": {"questlog_jobs"},
    "hold_job": {"questlog_jobs"},
    "renew_job": {"questlog_jobs"},
    "end_job": {"questlog_jobs"},
    "retry_job": {"questlog_jobs"},
    "fail_lost_analyses": {"questlog_jobs"},
    "empty_infobase_trash": {"questlog_jobs"},
    # Of questlog_admin, which is no login: the admin function's requests turn into it.
    "enqueue_operator_job": ADMINISTRATORS,
    "request_run": ADMINISTRATORS,
    "requeue_job": ADMINISTRATORS,
    "requeue_analysis": ADMINISTRATORS,
    "requeue_import": ADMINISTRATORS,
    "requeue_export": ADMINISTRATORS,
    "report_by_id": ADMINISTRATORS,
    "requeue_backup": ADMINISTRATORS,
    "requeue_restore": ADMINISTRATORS,
    "begin_backup": ADMINISTRATORS,
    "announce_backup": ADMINISTRATORS,
    "delete_backup": ADMINISTRATORS,
    "begin_restore": ADMINISTRATORS,
    "restore_rows": {"questlog_jobs"},
    "empty_installation": {"questlog_jobs"},
    "note_erasures": {"questlog_jobs"},
    "unrestorable_users": {"questlog_jobs"},
    "finish_restore": {"questlog_jobs"},
    "schedule_states": ADMINISTRATORS,
    "job_counts": ADMINISTRATORS,
    "failed_jobs": ADMINISTRATORS,
    "job_by_id": ADMINISTRATORS,
}

SEARCH_PATH = "search_path=pg_catalog, app, internal, public, pg_temp"


VIEWS = {one.name: one.group for one in FUNCTIONS if one.kind == "VIEW"}
HOMES = {
    "calls": {one.name: one.group for one in FUNCTIONS},
    "reads": homes_of_tables(),
}


def arrows(relation: str) -> Iterator[tuple[str, str, str]]:
    """Who names whose functions and views, or tables: the group, the other group, and an example."""
    homes = HOMES[relation]
    for text in TEXTS:
        for name in text.reads if relation == "reads" else text.calls | (text.reads & VIEWS.keys()):
            if homes.get(name, text.group) != text.group:
                yield text.group, homes[name], f"{text} {relation} {name}"


@pytest.mark.parametrize(("relation", "allowed"), [("calls", CALLS), ("reads", READS)])
def test_arrows_between_groups_are_those_of_the_list(relation: str, allowed: dict[str, set[str]]) -> None:
    found: dict[str, set[str]] = {}
    for group, other, example in arrows(relation):
        if relation == "reads" or other not in FOUNDATIONS:
            assert other in allowed.get(group, set()), example
            found.setdefault(group, set()).add(other)
    assert found == allowed, "an arrow that is on the list is not there any more"


def test_every_function_has_a_caller() -> None:
    called = {one.name for one in FUNCTIONS if any(text.names(one) for text in TEXTS)}
    called |= set(re.findall(r"\b(\w+)\s*\(", LAYER))
    assert {str(one) for one in FUNCTIONS if one.name not in called} == {f"app.{name}" for name in AWAITED}


def test_requests_name_nothing_of_the_inside() -> None:
    """What queries.sql and the layer call is in `app`: no login may look into `internal`."""
    inside = [one for one in FUNCTIONS if one.schema == "internal"]
    outside = {one.name for one in FUNCTIONS if one.schema == "app"}
    named = [(str(text), str(one)) for text in QUERIES for one in inside if text.names(one) and one.name not in outside]
    assert named == []


def test_what_runs_with_its_owners_rights_sets_its_search_path(database: Database) -> None:
    rows = database.query(
        """
        SELECT oid::regprocedure::text AS name, proconfig, proowner::regrole::text AS owner
          FROM pg_proc WHERE prosecdef AND pronamespace IN ('app'::regnamespace, 'internal'::regnamespace,
                                                            'public'::regnamespace)
        """
    )
    assert rows
    for row in rows:
        assert SEARCH_PATH in row["proconfig"], row
        assert row["owner"] in {"questlog_owner", "questlog_identity", "questlog_board", "questlog_restorer"}, row


def test_no_clause_is_forgotten(database: Database) -> None:
    """CREATE OR REPLACE drops what the new text does not say again, and then only some calls fail.

    A body that is text is resolved as the caller, who may not look inside. And an owner other than questlog_owner is
    chosen for the rights it has.
    """
    inside = {one.name for one in FUNCTIONS if one.schema == "internal"}
    rows = database.query(
        """
        SELECT p.oid::regprocedure::text AS name, p.prosrc, p.prosecdef, p.proowner::regrole::text AS owner
          FROM pg_proc AS p WHERE p.pronamespace = 'app'::regnamespace AND p.prosqlbody IS NULL AND NOT p.prosecdef
        """
    )
    assert rows
    reaching = {row["name"]: inside & set(re.findall(r"\b(\w+)\s*\(", bare(row["prosrc"]))) for row in rows}
    assert {name: names for name, names in reaching.items() if names} == {}
    strangers = database.query(
        """
        SELECT oid::regprocedure::text AS name FROM pg_proc
         WHERE pronamespace = 'app'::regnamespace AND NOT prosecdef AND proowner <> 'questlog_owner'::regrole
        """
    )
    assert strangers == []


def test_views_are_read_with_the_rights_of_who_reads(database: Database) -> None:
    views = database.query(
        """
        SELECT relname, reloptions FROM pg_class
         WHERE relkind = 'v' AND relnamespace IN ('app'::regnamespace, 'internal'::regnamespace, 'public'::regnamespace)
        """
    )
    assert views
    for view in views:
        assert "security_invoker=true" in (view["reloptions"] or []), view


@pytest.mark.parametrize("login", LOGINS)
def test_what_a_login_may_call(database: Database, login: str) -> None:
    """Every function of ours and whether the login can call it: it may name the schema and execute the function."""
    rows = database.query(
        """
        SELECT nspname AS schema, proname AS name,
               has_schema_privilege(%s, n.oid, 'USAGE') AND has_function_privilege(%s, p.oid, 'EXECUTE') AS may
          FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
         WHERE nspname IN ('app', 'internal', 'public')
        """,
        *(login, login),
    )
    assert {row["name"] for row in rows if row["schema"] == "app"} >= set(FEWER)
    for row in rows:
        expected = {
            "app": login in FEWER.get(row["name"], ALL),
            "internal": False,
            "public": login != "questlog_console",
        }[row["schema"]]
        assert row["may"] == expected, row


@pytest.mark.parametrize("login", LOGINS)
def test_what_a_login_may_not_call_of_the_servers(database: Database, login: str) -> None:
    """Neither files, large objects, other backends nor temporary tables: all of that is past row-level security."""
    rows = database.query(
        """
        SELECT oid::regprocedure::text AS name FROM pg_proc
         WHERE pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege(%s, oid, 'EXECUTE')
           AND (proname IN ('pg_terminate_backend', 'pg_cancel_backend', 'pg_reload_conf', 'pg_rotate_logfile')
                OR proname = 'pg_stat_file'
                OR proname ~ '^(lo_(creat|create|from_bytea|import|export|put)|pg_(read|ls)_.*(file|dir).*)$')
        """,
        login,
    )
    # lo_put writes to a large object that exists, and there is none that a login could have made.
    assert [row["name"] for row in rows if not row["name"].startswith("lo_put")] == []
    [row] = database.query(
        """
        SELECT has_database_privilege(%s, current_database(), 'TEMPORARY') AS temporary,
               has_database_privilege(%s, current_database(), 'CREATE') AS schemas,
               has_schema_privilege(%s, 'public', 'CREATE') OR has_schema_privilege(%s, 'app', 'CREATE') AS functions
        """,
        *[login] * 4,
    )
    assert row == {"temporary": False, "schemas": False, "functions": False}


def test_time_has_one_source() -> None:
    """clock() and instant() are defined by what the server calls the time, and nothing else asks the server."""
    asking = re.compile(
        r"\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\("
        r"|\b(?:current_date|current_time|current_timestamp|localtime|localtimestamp)\b",
        re.IGNORECASE,
    )
    files = [*MIGRATIONS.glob("*.sql"), *CODE.rglob("*.sql"), *(ROOT / "functions").glob("*/*.sql")]
    found = {file.name: asking.findall(bare(file.read_text("utf-8"))) for file in files}
    assert {name: times for name, times in found.items() if times} == {"0002_base.sql": ["now(", "clock_timestamp("]}


def test_rights_are_taken_away_in_the_file_that_defines_what_they_are_of() -> None:
    """`make migrate` runs only the files that have changed, and gives what they define the rights of new functions."""
    changed = re.compile(r"^(?:REVOKE|GRANT)\b[^;]*;", re.MULTILINE)
    for file in CODE.rglob("*.sql"):
        text = file.read_text("utf-8")
        named = set(re.findall(r"\b(?:app|internal)\.\w+", "".join(changed.findall(text))))
        created = re.findall(r"^CREATE OR REPLACE (?:FUNCTION|VIEW) (\w+\.\w+)", text, re.MULTILINE)
        assert named <= set(created), file.name


def test_migrations_replace_nothing_and_hold_no_views() -> None:
    for file in MIGRATIONS.glob("*.sql"):
        assert not re.search(r"CREATE OR REPLACE|CREATE VIEW", file.read_text("utf-8")), file.name
