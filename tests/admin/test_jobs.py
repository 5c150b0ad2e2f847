"""The schedules and the queue, as administrators see and move them (platform contract, sections 7 and 9)."""

from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Database, User, at_once

JOB = {
    *("id", "kind", "status", "attempts", "max_attempts", "run_after", "lease_until", "last_error", "result"),
    *("created_at", "finished_at"),
}
SCHEDULE = {"name", "every_seconds", "last_started_at", "last_finished_at", "last_status", "last_result"}


@pytest.fixture(autouse=True)
def _no_other_jobs(database: Database) -> Any:
    """Jobs that are nobody's belong to all tests of this database."""
    database.query("DELETE FROM jobs WHERE user_id IS NULL")
    yield
    database.query("DELETE FROM jobs WHERE user_id IS NULL")


def failed_run(database: Database, name: str = "storage", ago: str = "0 s") -> str:
    [row] = database.query(
        "INSERT INTO jobs (user_id, kind, status, attempts, payload, last_error, finished_at)"
        " VALUES (NULL, 'run', 'failed', 5, jsonb_build_object('name', %s::text), 'It broke.',"
        "         instant() - %s::interval) RETURNING id",
        *(name, ago),
    )
    return str(row["id"])


def requests(database: Database, admin: User) -> list[tuple[str, Any]]:
    rows = database.query(
        "SELECT resource_id, details FROM audit_log WHERE user_id = %s AND event_type = 'job_requested'"
        " ORDER BY created_at, id",
        admin.id,
    )
    return [(row["resource_id"], row["details"]) for row in rows]


def test_the_schedules_and_the_queue(admin: User, database: Database) -> None:
    before = admin.get("/admin/jobs").json
    assert set(before) == {"schedules", "queue", "failed"}
    assert {one["name"]: one["every_seconds"] for one in before["schedules"]} == {
        "queue": 60,
        "cleanup": 3600,
        "storage": 300,
        "analysis": 60,
        "reminders": 60,
    }
    assert all(set(one) == SCHEDULE for one in before["schedules"])
    job_id = failed_run(database)
    after = admin.get("/admin/jobs").json
    assert after["queue"] == before["queue"] | {"failed": before["queue"]["failed"] + 1}
    [job] = [one for one in after["failed"] if one["id"] == job_id]
    assert set(job) == JOB
    assert (job["kind"], job["status"], job["attempts"], job["last_error"]) == ("run", "failed", 5, "It broke.")
    assert admin.get(f"/admin/jobs/{job_id}").json == {"job": job}


def test_the_newest_hundred_failed_jobs(admin: User, database: Database) -> None:
    ids = [failed_run(database, ago=f"{number} s") for number in range(101)]
    failed = [job["id"] for job in admin.get("/admin/jobs").json["failed"]]
    assert len(failed) == 100
    assert [job_id for job_id in failed if job_id in ids] == ids[: len([one for one in failed if one in ids])]
    assert ids[100] not in failed


def test_a_run_is_queued_once(admin: User, database: Database) -> None:
    answers = at_once(3, lambda: admin.post("/admin/jobs/run", {"name": "cleanup"}).json["job"])
    assert {job["id"] for job in answers} == {answers[0]["id"]}
    assert (answers[0]["kind"], answers[0]["status"], answers[0]["attempts"]) == ("run", "queued", 0)
    other = admin.post("/admin/jobs/run", {"name": "storage"}).json["job"]
    assert other["id"] != answers[0]["id"]
    assert requests(database, admin)[-1] == (other["id"], {"name": "storage"})


def test_what_is_no_schedule(admin: User, database: Database) -> None:
    for name in ("sleep", "", "x" * 41, 1, None):
        admin.post("/admin/jobs/run", {"name": name}).invalid("name")
    admin.post("/admin/jobs/run", {}).invalid("name")
    assert requests(database, admin) == []


def test_a_failed_job_is_tried_again(admin: User, database: Database) -> None:
    job_id = failed_run(database)
    job = admin.post(f"/admin/jobs/{job_id}/retry").json["job"]
    assert (job["id"], job["status"], job["attempts"]) == (job_id, "queued", 0)
    assert (job["last_error"], job["finished_at"]) == (None, None)
    admin.post(f"/admin/jobs/{job_id}/retry").refused(409, "not_failed")
    assert requests(database, admin) == [(job_id, {"kind": "run"})]


def test_a_newer_job_does_the_same(admin: User, database: Database) -> None:
    job_id = failed_run(database)
    other = failed_run(database, "cleanup")
    admin.post("/admin/jobs/run", {"name": "storage"})
    admin.post(f"/admin/jobs/{job_id}/retry").refused(409, "superseded")
    assert admin.post(f"/admin/jobs/{other}/retry").status == 200


def test_a_job_that_is_not_there(admin: User) -> None:
    for unknown in (str(uuid4()), "nothing"):
        admin.get(f"/admin/jobs/{unknown}").refused(404, "not_found")
        admin.post(f"/admin/jobs/{unknown}/retry").refused(404, "not_found")


def test_a_moderator_may_not(moderator: User) -> None:
    moderator.get("/admin/jobs").refused(403, "forbidden")
    moderator.post("/admin/jobs/run", {"name": "cleanup"}).refused(403, "forbidden")
