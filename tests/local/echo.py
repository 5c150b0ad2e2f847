"""A gateway over one function whose code is in a folder of the test's own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import httpx

from local.clock import Clock
from local.gateway import Gateway, Server
from local.history import Exchange, History, Run
from local.runtime import Runtime
from local.start_page import StartPage
from local.status import Status
from local.template import Function, Route, Schedule

APP = """
import json, os, time

STARTED = time.time()

def handler(event, context):
    path = event.get("rawPath", "/tick")
    began = time.time()
    if path == "/tick":
        with open(os.environ["TICKS"], "a") as file:
            file.write(json.dumps(event) + "\\n")
    if path == "/sleep":
        time.sleep(float(event["rawQueryString"]))
    if path == "/logs":
        print("a line of its own")
        line = {"message": "request", "method": "GET", "route": "/logs", "trips": int(event["rawQueryString"])}
        print(json.dumps(line if line["trips"] else {"message": "request", "trips": 0}))
    if path == "/raise" or event.get("schedule") == "broken":
        raise RuntimeError("no")
    if path == "/exit":
        os._exit(3)
    if path == "/nonsense":
        return {"statusCode": "many"}
    body = {
        "path": path, "pid": os.getpid(), "started": STARTED, "began": began, "ended": time.time(), "version": 1,
        "cookies": event.get("cookies"), "body": event.get("body"), "left_ms": context.get_remaining_time_in_millis(),
        "name": context.function_name, "environment": dict(os.environ),
    }
    status = 404 if path == "/refuse" else 200
    return {"statusCode": status, "headers": {"content-length": "1"}, "body": json.dumps(body)}
"""

Ask = Callable[..., Awaitable[httpx.Response]]


class Stack:
    """A gateway over one function, `echo`, whose code is in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.app = folder / "functions" / "echo" / "app.py"
        self.app.parent.mkdir(parents=True)
        self.app.write_text(APP)
        self.ticks = folder / "ticks"
        self.folder = folder
        self.exchanges: list[Exchange] = []
        self.runs: list[Run] = []
        self.history = History()

    def run(
        self,
        test: Callable[[Ask], Awaitable[None]],
        *,
        timeout_seconds: int = 60,
        session: Callable[[], str] | None = None,
        clock: Clock | None = None,
        schedules: tuple[Schedule, ...] = (),
        database_url: str | None = None,
        services: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Start the gateway, let `test` ask it, stop it. With a database it has a start page."""
        function = Function(
            "EchoFunction",
            "echo",
            "functions.echo.app.handler",
            timeout_seconds,
            128,
            routes=(Route("ANY", "$default"),),
            schedules=schedules,
        )

        async def life() -> None:
            runtime = Runtime(function, {"TICKS": str(self.ticks)}, self.folder / "echo.log", root=self.folder)
            page = None
            if database_url is not None:
                status = Status(
                    url="http://localhost",
                    database_url=database_url,
                    services=services,
                    links={},
                    runtimes=[runtime],
                    history=self.history,
                )
                page = StartPage(status.document)
            gateway = Gateway([runtime], report=self._note, session=session, clock=clock, start_page=page)
            server = Server(gateway, [runtime], port=0)
            serving = asyncio.create_task(server.run_until_stopped(0.05, self._note_run))
            try:
                while not server.started:
                    await asyncio.sleep(0.01)
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=120) as client:
                    await test(client.request)
            finally:
                server.should_exit = True
                await serving

        # Not asyncio.run: it takes away the loop of the thread, on which handlers run that other tests call.
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(life())
        finally:
            loop.close()

    def _note(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.history.note_exchange(exchange)

    def _note_run(self, run: Run) -> None:
        self.runs.append(run)
        self.history.note_run(run)
