"""One id leads from the gateway's log over ours to the database's."""

from uuid import UUID

import pytest

from tests.conftest import Database, User
from tests.support.client import gateway_event, invoke
from tests.support.fresh import FreshFunction

NAME = "questlog-HabitsFunction-1A2B"


def event_of_gateway(gateway_id: str, headers: dict[str, str] | None = None) -> dict[str, object]:
    event = gateway_event("GET", "/health", headers=headers)
    event["requestContext"]["requestId"] = gateway_id
    return event


def test_the_gateways_id_is_the_requests_where_the_client_has_none() -> None:
    answer = invoke(event_of_gateway("JKJaXmPLvHcESHA="))
    assert answer.headers["x-request-id"] == "JKJaXmPLvHcESHA"


def test_a_clients_id_is_preferred() -> None:
    answer = invoke(event_of_gateway("JKJaXmPLvHcESHA=", {"x-request-id": "mine"}))
    assert answer.headers["x-request-id"] == "mine"


@pytest.mark.parametrize("gateway_id", ["", "two words", "x" * 65, "="])
def test_where_neither_is_an_id_one_is_made(gateway_id: str) -> None:
    answer = invoke(event_of_gateway(gateway_id, {"x-request-id": "{}"}))
    assert UUID(answer.headers["x-request-id"]).version == 4


def test_an_event_without_an_id_is_answered() -> None:
    event = gateway_event("GET", "/health")
    del event["requestContext"]["requestId"]
    assert invoke(event).status == 200


def test_the_log_has_both_ids_and_leads_to_the_servers_process(user: User, database: Database) -> None:
    database.query(
        """
        CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN 1 / 0; END $$;
        CREATE TRIGGER stumble BEFORE INSERT ON focus_libraries FOR EACH ROW EXECUTE FUNCTION stumble();
        """
    )
    event = gateway_event(
        "POST",
        "/focus/libraries",
        cookies={"__Host-session": user.token or ""},
        headers={"x-request-id": "mine"},
        body=b'{"name": "a"}',
    )
    try:
        with FreshFunction("focus", database.app_url, AWS_LAMBDA_FUNCTION_NAME=NAME, POWERTOOLS_LOG_LEVEL="INFO") as it:
            assert it.invoke(event)["statusCode"] == 500
            [process] = database.query(
                "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()", NAME
            )
            fault, request = it.log
    finally:
        database.query("DROP TRIGGER stumble ON focus_libraries; DROP FUNCTION stumble()")
    assert fault["error"] == f"sqlstate 22012, constraint None, process {process['pid']}"
    assert fault["request_id"] == request["request_id"] == "mine"
    assert request["gateway_request_id"] == event["requestContext"]["requestId"]
