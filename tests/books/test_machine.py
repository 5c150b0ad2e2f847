"""A book against a plain model: changed, read, taken back in any order (training contract, 3, rules 1 to 5 and 8)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from local.clock import Clock
from tests.books.test_books import added
from tests.conftest import NewUser, User

STATUSES = ("want_to_read", "reading", "completed", "abandoned")
MOST = 50_000
Dates = tuple[datetime | None, datetime | None]


@dataclass
class Log:
    """A log as the model keeps it. `taken_from` is the status from which it took the book."""

    pages: int
    start: int
    end: int
    read: int
    at: datetime
    taken_from: str | None


@dataclass
class Modelled:
    """A book as the model keeps it; `reads` are the dates of each completion, `logs` by id, in the order made."""

    total: int | None
    status: str = "want_to_read"
    page: int = 0
    started: datetime | None = None
    finished: datetime | None = None
    reads: list[Dates] = field(default_factory=list)
    logs: dict[str, Log] = field(default_factory=dict)

    @property
    def read_number(self) -> int:
        return len(self.reads) + (self.status != "completed")

    @property
    def last_page(self) -> int:
        return self.total or MOST

    def complete(self, finished: datetime) -> None:
        self.finished = max(finished, self.started or finished)
        self.status, self.page = "completed", self.total or self.page
        self.reads.append((self.started, self.finished))

    def go_to(self, page: int, now: datetime) -> None:
        """Rule 3: the last page completes; a completed book below it is being read again."""
        self.page = max(0, min(page, self.last_page))
        if self.status == "completed" and self.total is not None and self.page < self.total:
            self.reads.pop()
            self.status, self.finished = "reading", None
        elif self.status != "completed" and self.page == self.total:
            self.complete(max((log.at for log in self.logs.values() if log.read == self.read_number), default=now))

    def put(self, sent: dict[str, Any], now: datetime) -> None:
        """Rules 1 to 3."""
        self.total = sent.get("total_pages", self.total)
        page = sent.get("current_page", min(self.page, self.last_page))
        was = self.status
        if sent.get("status", was) != was:
            self.become(sent["status"], page, now, page_sent="current_page" in sent)
        elif "current_page" in sent:
            if was == "want_to_read" and page > 0:
                self.status, self.started = "reading", now
            self.go_to(page, now)
        else:
            self.page = self.total if was == "completed" and self.total is not None else page

    def become(self, status: str, page: int, now: datetime, *, page_sent: bool) -> None:
        """Rule 2."""
        was, self.status, self.page, self.finished = self.status, status, page, None
        if status == "completed":
            self.complete(now)
        elif status == "reading":
            self.page = page if page_sent or was != "completed" else 0
            self.started = now if was == "completed" else self.started or now
        elif status == "want_to_read":
            self.page, self.started = 0, None

    def log(self, log_id: str, pages: int, now: datetime) -> bool:
        """Rule 4. Returns whether the log completed the book."""
        if self.status == "completed":
            self.logs[log_id] = Log(pages, self.page, self.page, self.read_number, now, None)
            return False
        end = min(self.page + pages, self.last_page)
        taken_from = None if self.status == "reading" else self.status
        self.logs[log_id] = Log(pages, self.page, end, self.read_number, now, taken_from)
        self.status, self.started = "reading", self.started or now
        self.go_to(end, now)
        return self.status == "completed"

    def edit(self, log_id: str, pages: int, now: datetime) -> None:
        """Rule 8."""
        log, end = self.logs[log_id], self.logs[log_id].end
        if end > log.start:
            log.end = max(log.start, min(log.start + pages, self.last_page))
        log.pages = pages
        self.follow(log, log.end - end, now)

    def delete(self, log_id: str, now: datetime) -> None:
        """Rule 8, and a slip can be undone."""
        log = self.logs.pop(log_id)
        self.follow(log, log.start - log.end, now)
        is_latest = not any(one.read == log.read and one.at > log.at for one in self.logs.values())
        is_there = (self.status, self.read_number, self.page) == ("reading", log.read, log.start)
        if log.taken_from and is_latest and is_there:
            self.status = log.taken_from
            self.started = None if self.status == "want_to_read" else self.started

    def follow(self, log: Log, pages: int, now: datetime) -> None:
        if pages and log.read == self.read_number and self.status != "want_to_read":
            self.go_to(self.page + pages, now)


class Shelf(RuleBasedStateMachine):
    """One book; after every step it, its reads and its logs are what the model says."""

    def __init__(self, new_user: NewUser, clock: Clock) -> None:
        super().__init__()
        self._new_user, self._clock = new_user, clock

    @initialize(total=st.sampled_from([None, 40, 40]))
    def begin(self, total: int | None) -> None:
        self.user: User = self._new_user()
        self.now = datetime.fromisoformat("2031-05-08T12:00:00+00:00")
        self._clock.freeze()
        self._clock.set(self.now)
        self.model = Modelled(total)
        self.path = f"/books/{added(self.user, total_pages=total)['id']}"

    def _wait(self) -> datetime:
        self.now += timedelta(seconds=11)
        self._clock.set(self.now)
        return self.now

    @rule(
        status=st.none() | st.sampled_from(STATUSES),
        page=st.none() | st.integers(0, 60),
        total=st.none() | st.integers(20, 60),
    )
    def change(self, status: str | None, page: int | None, total: int | None) -> None:
        if page is not None and status in ("want_to_read", self.model.status):
            page = None  # a wanted book has no page, and what else was said of one with its status is the status's
        sent = {"status": status, "current_page": page, "total_pages": total}
        sent = {name: value for name, value in sent.items() if value is not None}
        now = self._wait()
        answer = self.user.put(self.path, sent)
        if page is not None and page > (total or self.model.last_page):
            answer.invalid("current_page")
            return
        assert answer.status == 200, answer.text
        self.model.put(sent, now)

    @rule(pages=st.integers(1, 50))
    def log(self, pages: int) -> None:
        now = self._wait()
        data = self.user.post(f"{self.path}/sessions", {"pages_read": pages}).data
        assert data["book_completed"] == self.model.log(data["session_id"], pages, now)
        assert data["new_page"] == self.model.page

    @precondition(lambda self: self.model.logs)
    @rule(data=st.data(), pages=st.integers(1, 50))
    def edit(self, data: st.DataObject, pages: int) -> None:
        log_id = data.draw(st.sampled_from(list(self.model.logs)))
        now = self._wait()
        assert self.user.patch(f"{self.path}/sessions/{log_id}", {"pages_read": pages}).status == 200
        self.model.edit(log_id, pages, now)

    @precondition(lambda self: self.model.logs)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        log_id = data.draw(st.sampled_from(list(self.model.logs)))
        now = self._wait()
        assert self.user.delete(f"{self.path}/sessions/{log_id}").status == 200
        self.model.delete(log_id, now)

    @invariant()
    def the_book_is_that_of_the_model(self) -> None:
        shown, model = self.user.get(self.path).data, self.model
        assert (shown["status"], shown["current_page"], shown["total_pages"]) == (model.status, model.page, model.total)
        assert (_moment(shown["started_at"]), _moment(shown["finished_at"])) == (model.started, model.finished)
        assert shown["times_read"] == len(model.reads)
        assert shown["progress_percent"] == (None if model.total is None else 100 * model.page // model.total)
        stats = self.user.get("/books/stats").data
        assert (stats["books_completed"], stats["books_reading"]) == (bool(model.reads), model.status == "reading")

    @invariant()
    def reads_and_logs_are_those_of_the_model(self) -> None:
        reads = self.user.get(f"{self.path}/reads").data["reads"]
        assert [(one["read_number"], _moment(one["started_at"]), _moment(one["finished_at"])) for one in reads] == [
            (number, *dates) for number, dates in reversed(list(enumerate(self.model.reads, 1)))
        ]
        logs = self.user.get(f"{self.path}/sessions").data["sessions"]
        shown = {
            one["id"]: [one[name] for name in ("pages_read", "start_page", "end_page", "read_number")] for one in logs
        }
        assert shown == {log_id: [log.pages, log.start, log.end, log.read] for log_id, log in self.model.logs.items()}


def _moment(shown: str | None) -> datetime | None:
    return None if shown is None else datetime.fromisoformat(shown)


@pytest.mark.usefixtures("user")
def test_a_book_equals_the_model(new_user: NewUser, clock: Clock) -> None:
    quick = settings(
        max_examples=12,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=[Phase.generate],
    )

    class OnThisDatabase(Shelf):
        def __init__(self) -> None:
            super().__init__(new_user, clock)

    run_state_machine_as_test(OnThisDatabase, settings=quick)
