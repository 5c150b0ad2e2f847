"""What the database holds of a secret, and who may ask it."""

import psycopg
import pytest

from questlog.identity import Token, secret_hash

from tests.auth.conftest import Browser, NewPerson
from tests.conftest import ENVIRONMENT, Database, User

TABLES = (
    "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)


def dump(database: Database) -> str:
    """Every row of every table as text, as a dump would have it."""
    text = []
    for table in database.query(TABLES):
        text += [row["row"] for row in database.query(f"SELECT t::text AS row FROM {table['name']} AS t")]
    return "\n".join(text)


def test_a_dump_holds_no_secret_in_the_clear(database: Database, new_person: NewPerson, user: User) -> None:
    provider = new_person().provider
    person = new_person()
    pending = Browser()
    pending.start()
    browser = Browser()
    answered = provider.agree(browser.start(), person.subject)
    [state] = browser.cookies.values()
    browser.return_with(answered)
    api_token = browser.post("/auth/sessions", {"name": "Script"}).data["token"]
    user.post("/admin-access/claim", {"claimKey": ENVIRONMENT["ADMIN_CLAIM_KEY"]})
    kept = dump(database)
    assert person.email in kept, "it is a dump"
    secrets = {
        "pending state": next(iter(pending.cookies.values())),
        "used state": state,
        "code": answered["code"],
        "session": browser.cookies["session"],
        "API token": api_token,
        "claim key": ENVIRONMENT["ADMIN_CLAIM_KEY"],
        "client secret": ENVIRONMENT["GOOGLE_CLIENT_SECRET"],
    }
    for name, secret in secrets.items():
        assert secret not in kept, name
        assert secret.encode().hex() not in kept, name
    assert secret_hash(Token.read(api_token).secret).hex() in kept
    database.query("UPDATE users SET role = 'user' WHERE role = 'admin'")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT token_hash FROM sessions",
        "SELECT * FROM sessions",
        "SELECT s FROM sessions AS s",
        "UPDATE sessions SET token_hash = token_hash",
        "UPDATE sessions SET expires_at = 'infinity'",
        "SELECT * FROM oauth_states",
        "DELETE FROM oauth_states",
        "UPDATE users SET role = 'admin'",
        "UPDATE users SET approved = true",
        "UPDATE users SET age_verified_at = now(), tos_version = '1.0', tos_accepted_at = now()",
        "INSERT INTO users (email, name) VALUES ('a@b', 'c')",
        "INSERT INTO accounts (provider, subject) VALUES ('google', 'x')",
        "SELECT * FROM audit_log",
        "INSERT INTO audit_log (event_type, action) VALUES ('a', 'b')",
        "UPDATE rate_limits SET count = 0",
        "SET ROLE questlog_identity",
        "SET ROLE questlog_owner",
    ],
)
def test_what_requests_may_not(database: Database, sql: str) -> None:
    with psycopg.connect(database.app_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(sql.encode())


def test_nobody_else_may_call_what_signs_in(database: Database) -> None:
    functions = database.query(
        """
        SELECT proname AS name, pg_get_userbyid(proowner) AS owner, proconfig,
               has_function_privilege('questlog_auth', oid, 'EXECUTE') AS auth,
               has_function_privilege('questlog_app', oid, 'EXECUTE') AS app,
               has_function_privilege('questlog_operator', oid, 'EXECUTE') AS operator,
               has_function_privilege('questlog_console', oid, 'EXECUTE') AS console,
               has_function_privilege('questlog_jobs', oid, 'EXECUTE') AS jobs
          FROM pg_proc
         WHERE proname IN ('open_oauth_state', 'take_oauth_state', 'sign_in', 'confirm_age', 'accept_terms',
                           'admin_exists', 'claim_admin')
        """
    )
    assert len(functions) == 7
    for function in functions:
        name = function.pop("name")
        assert function == {
            "owner": "questlog_identity",
            "proconfig": ["search_path=pg_catalog, app, internal, public, pg_temp"],
            "auth": True,
            "app": False,
            "operator": False,
            "console": False,
            "jobs": False,
        }, name


def test_another_users_sessions_cannot_be_seen_or_ended(database: Database, user: User, other: User) -> None:
    """Even by a statement that forgets to ask whose they are."""
    with psycopg.connect(database.url("questlog_auth")) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, true)", [str(user.id)])
        seen = connection.execute("SELECT DISTINCT user_id FROM sessions").fetchall()
        assert seen == [(user.id,)]
        assert connection.execute("DELETE FROM sessions").rowcount == 1
        connection.rollback()
    assert other.get("/auth/me").status == 200


@pytest.mark.parametrize("login", ["app", "auth", "operator", "jobs", "console"])
def test_nobody_makes_tables_that_hide_ours(database: Database, login: str) -> None:
    """A temporary table would hide a real one of its name; nobody may make one."""
    refusals = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
    with psycopg.connect(database.url(f"questlog_{login}")) as connection, pytest.raises(refusals):
        connection.execute("CREATE TEMP TABLE users (role text)")
