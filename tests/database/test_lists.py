"""Pages of long lists are read from an index in its order, whatever the planner knows of the accounts.

A plan is kept for every account (`plan_cache_mode` of the logins). Here each statement that shows a page is planned
without its parameters, as it is there, while tables are small: as ever, and with a page of an index said to cost a
thousand times as much as one of a table. A sort of the whole table is by far the cheapest plan then, so a statement
that still reads its index does so whatever the statistics are.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import psycopg
import pytest
from psycopg.rows import DictRow

from questlog.db import Queries

from tests.support.client import ROOT
from tests.support.database import Database
from tests.support.sql import bare, functions
from tests.support.users import User

Connection = psycopg.Connection[DictRow]
Planning = Callable[[str], AbstractContextManager[Connection]]

# The parts of a plan's node from which its rows come, as they come.
FEEDING: Final = {"Outer", "Subquery"}
# A limit of one row is a lookup.
LIMIT: Final = re.compile(r"\bLIMIT\s+(?!1\b)")
LIMIT_GIVEN: Final = re.compile(r"\bLIMIT\s+(?!\d)")
IN_ORDER: Final = "SELECT read_in_index_order()"

# Each statement that shows a page of a list that may be long, and the indexes whose order it reads.
LISTS: Final = {
    "admin/feedback": {"feedback_queue"},
    "admin/feedback_of_type": {"feedback_queue_type"},
    "admin/feedback_of_status": {"feedback_admin"},
    "admin/feedback_of_status_and_type": {"feedback_admin_type"},
    "bookmarks/references": {"user_references_list"},
    "books/sessions": {"reading_sessions_recent"},
    "books/book_sessions": {"reading_sessions_book"},
    "exercise/all_sessions": {"workout_sessions_started"},
    "exercise/sessions": {"workout_sessions_started"},
    "exercise/records": {"personal_records_current_recent"},
    "exercise/records_with_history": {"personal_records_recent"},
    "exercise/exercise_history": {"session_exercises_history"},
    "feedback/reports": {"feedback_recent"},
    "focus/sessions": {"focus_sessions_started"},
    "gamification/ledger": {"points_ledger_order"},
    "gamification/ledger_of_kind": {"points_ledger_kinds"},
    "gamification/ledger_of_days": {"points_ledger_order", "ledger_days_pkey"},
    "gamification/ledger_of_kind_and_days": {"points_ledger_kinds", "ledger_days_pkey"},
    "gamification/activities": {"activity_events_recent", "points_ledger_recent"},
    "ideas/ideas": {"ideas_listed"},
    "inbox/items": {"inbox_items_recent"},
    "inbox/kept_items": {"inbox_items_all"},
    "infobase/entries": {"infobase_entries_listed"},
    "learn/cards": {"flashcards_deck"},
    "learn/export": {"flashcards_deck"},
    "learn/drill": {"drill_attempts_pkey"},
    "learn/due": {"flashcards_queue", "flashcards_deck_queue"},
    "learn/reviews": {"flashcard_reviews_card"},
    "listening/sessions": {"listening_sessions_recent"},
    "market/overview": {"user_purchases_recent"},
    "market/history": {"user_purchases_recent"},
    "market/transactions": {"points_ledger_order"},
    "notifications/messages": {"notification_outbox_user_id_seq_key"},
    "quests/moved": {"user_quest_progress_listed"},
    "quests/quests": {"quests_recent"},
    "reference/tracks": {"reference_tracks_recent"},
    "reference/tracks_where": {"reference_tracks_recent"},
}


# Tables of which a few rows are read beside the page and put among its rows: what was snoozed, and universal quests.
PUT_ASIDE: Final = {
    "inbox/items": {"inbox_items"},
    "inbox/kept_items": {"inbox_items"},
    "quests/moved": {"user_quest_progress"},
}

# Where rows are compared with each other instead of being looked up by key, and are few.
COMPARED: Final = {
    "gamification/activities": "payments that were taken back",
    "learn/due": "decks, and the cards of one queue",
    "quests/moved": "kinds of periods",
    "quests/quests": "kinds of periods",
}

# Each other statement with a limit, and why it may sort what it reads.
SHORT: Final = {
    "admin/abandoned": "a function finds them, a thousand at most",
    "admin/backups": "some are kept",
    "admin/found_users": "a function finds them, planned for what is searched",
    "admin/list_achievements": "shared content",
    "admin/list_drills": "shared content",
    "admin/list_exercises": "shared content",
    "admin/list_lessons": "shared content",
    "admin/list_market_items": "shared content",
    "admin/list_topics": "shared content",
    "admin/quests": "shared content",
    "admin/skills": "shared content",
    "admin/templates": "shared content",
    "books/books": "in an order that the user chooses; whole unless a page is asked for",
    "daily_plan/generate": "two workouts of one day",
    "exercise/exercises": "500 of one's own, and shared content",
    "exercise/exercises_page": "500 of one's own, and shared content",
    "exercise/workouts": "500",
    "focus/libraries": "100",
    "goals/goals_page": "500",
    "habits/habits_page": "200",
    "inbox/unread_items": "what is unread; in an order that depends on the time",
    "infobase/entries_sorted": "in an order that the user chooses",
    "infobase/versions": "20 of an entry",
    "learn/cards_found": "a search in one deck",
    "learn/review": "shared content",
    "listening/annotations": "2,000 of a track; whole unless a page is asked for",
    "listening/regions": "500 of a track",
    "listening/votes": "1,000 of a comparison",
    "market/inventory": "what was bought and not yet used",
    "market/items": "200 of one's own, and shared content",
    "pauses/pauses": "whole unless a page is asked for",
    "programs/programs": "100",
    "quests/history": "of one quest, one a day at most",
    "quests/unmoved": "in an order that no index has: most of these quests have no row",
    "reference/analyses": "of one track",
    "sync/changes": "the quests of now, counted in the same pass",
    "user/settings": "one of each key",
}
# They plan for the values they have, and show nothing to users.
SCHEDULED: Final = {"audio_worker", "jobs", "notifier"}


def _statements() -> Iterator[tuple[str, list[str]]]:
    """Each name of a group's statements, as `group/name`, and its statements."""
    for file in sorted((ROOT / "functions").glob("*/*.sql")):
        queries = Queries(file)
        for name in queries:
            yield f"{file.parent.name}/{name}", [s.sql for s in queries.statements(name, {})]


def _without_comments(statement: str) -> str:
    return bare(statement).strip()


STATEMENTS: Final = dict(_statements())


@pytest.fixture
def planning(database: Database, user: User) -> Planning:
    """Opens a connection on which statements are planned as those of a group's lists are."""

    @contextmanager
    def opened(group: str) -> Iterator[Connection]:
        is_admin = group == "admin"
        role = "questlog_operator" if is_admin else "questlog_app"
        with database.connected_as(role, user.id) as connection, connection.transaction():
            if is_admin:
                connection.execute("SET LOCAL ROLE questlog_admin")
            connection.execute(IN_ORDER.encode())
            yield connection

    return opened


def _plan(connection: Connection, statement: str) -> dict[str, Any]:
    """How a statement is planned while its parameters are unknown."""
    names: list[str] = []

    def numbered(parameter: re.Match[str]) -> str:
        if parameter[1] not in names:
            names.append(parameter[1])
        return f"${names.index(parameter[1]) + 1}"

    numbered_statement = re.sub(r"%\((\w+)\)s", numbered, statement).replace("%%", "%")
    # By libpq itself: psycopg would count the parameters that it is not given.
    result = connection.pgconn.exec_(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {numbered_statement}".encode())
    assert result.status == psycopg.pq.ExecStatus.TUPLES_OK, (result.error_message, numbered_statement)
    plan: dict[str, Any] = json.loads(result.get_value(0, 0) or b"")[0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _nodes(part)


def _scans_in_order(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The scans from which a Limit takes its rows, one after another and no more than it needs."""
    for limit in (node for node in _nodes(plan) if node["Node Type"] == "Limit"):
        node: dict[str, Any] | None = limit
        while node is not None and "Index Name" not in node and "Sort" not in node["Node Type"]:
            node = next((part for part in node.get("Plans", []) if part["Parent Relationship"] in FEEDING), None)
        if node is not None and "Index Name" in node:
            yield node


def _scans_to_be_sorted(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The scans that a Sort has to read to their end."""
    for sort in (node for node in _nodes(plan) if "Sort" in node["Node Type"]):
        yield from (node for node in _unlimited(sort) if "Relation Name" in node and not _is_lookup(node))


def _is_lookup(scan: dict[str, Any]) -> bool:
    return any(
        "(id >= " in scan.get(condition, "") or "(id = " in scan.get(condition, "")
        for condition in ("Index Cond", "Filter")
    )


def _unlimited(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan, but for what is below a Limit, and for subqueries that give a value."""
    yield plan
    if plan["Node Type"] != "Limit":
        for part in plan.get("Plans", []):
            if part["Parent Relationship"] not in ("InitPlan", "SubPlan"):
                yield from _unlimited(part)


@pytest.mark.parametrize("cost_of_a_page", [4, 1000])
@pytest.mark.parametrize("name", LISTS)
def test_a_page_is_read_in_the_order_of_its_index(planning: Planning, name: str, cost_of_a_page: int) -> None:
    """And what belongs to its rows is looked up for each: a join may read all that the user has for every row."""
    with planning(name.split("/", maxsplit=1)[0]) as connection:
        connection.execute(f"SET LOCAL random_page_cost = {cost_of_a_page}".encode())
        plans = [_plan(connection, sql) for sql in STATEMENTS[name] if _without_comments(sql) != IN_ORDER]
    indexes = set()
    for plan in plans:
        in_order = {scan["Index Name"]: scan["Relation Name"] for scan in _scans_in_order(plan)}
        indexes |= set(in_order)
        compared = [node for node in _nodes(plan) if "Join Filter" in node]
        assert not in_order or not compared or name in COMPARED
        sorted_whole = {scan["Relation Name"] for scan in _scans_to_be_sorted(plan)}
        assert not sorted_whole & (set(in_order.values()) - PUT_ASIDE.get(name, set()))
    assert indexes == LISTS[name]


def test_no_index_of_all_users_is_read_in_place_of_a_sort(planning: Planning) -> None:
    with planning("feedback") as connection:
        plan = _plan(connection, "SELECT id FROM feedback ORDER BY feedback_turn(status), title LIMIT %(page_size)s")
    assert "feedback_queue" not in {node.get("Index Name") for node in _nodes(plan)}


def test_what_is_counted_beside_a_page_is_not_read_in_order(planning: Planning) -> None:
    """To count the cards of a day, the index of reviews by card would be read from its beginning to its end."""
    with planning("learn") as connection:
        connection.execute("SET LOCAL random_page_cost = 1000")
        plans = [_plan(connection, sql) for sql in STATEMENTS["learn/due"] if _without_comments(sql) != IN_ORDER]
    read = [node for plan in plans for node in _nodes(plan) if node.get("Relation Name") == "flashcard_reviews"]
    assert read
    assert "flashcard_reviews_card" not in {node.get("Index Name") for node in read}


def test_quests_that_were_moved_are_counted_in_the_index_of_their_list(planning: Planning) -> None:
    """Where the average account has a few rows, any index of the user's would do."""
    with planning("quests") as connection:
        connection.execute("SET LOCAL random_page_cost = 1000")
        _, _, count = STATEMENTS["quests/moved"]
        nodes = list(_nodes(_plan(connection, count)))
    read = [node for node in nodes if node.get("Relation Name") == "user_quest_progress"]
    of_own_quests = [node for node in read if "universal_quest_id" not in json.dumps(node)]
    assert {node.get("Index Name") for node in of_own_quests} == {"user_quest_progress_listed"}


def test_each_statement_with_a_limit_says_how_it_keeps_its_order() -> None:
    limited = {
        name
        for name, statements in STATEMENTS.items()
        if any(LIMIT.search(bare(statement)) for statement in statements) and name.split("/")[0] not in SCHEDULED
    }
    in_order = {name for name, statements in STATEMENTS.items() if IN_ORDER in map(_without_comments, statements)}
    assert in_order == set(LISTS)
    assert limited - in_order == set(SHORT)


def test_each_function_with_a_limit_is_known() -> None:
    """Those that take it as a parameter. Their callers are among LISTS, or it says here why they need not be."""
    assert {str(one) for one in functions() if LIMIT_GIVEN.search(one.sql)} == {
        "app.sessions_page",
        "internal.due_cards",
        "internal.new_cards",
        "app.queued_cards",  # orders what these two return
        "app.moved_quests",
        "app.search_page",  # reads an index of words
        "internal.keep_infobase_version",  # 20 versions
        "app.comparisons_page",  # 200 at most
        "app.browse_tracks",  # of one user, who is a value to it
        "app.users_page",  # of all users, whom the planner knows
        # scheduled work, and what administrators are shown of it
        *("app.due_reminders", "app.failed_jobs", "app.expire_exports", "app.forget_exports"),
    }
