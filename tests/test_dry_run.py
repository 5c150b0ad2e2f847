"""What `sam build` makes runs as Lambda would run it, with nothing else on the path than what was built."""

import json
import os
import shutil
from pathlib import Path

import pytest

from questlog.identity import session_cookie_name

from local.settings import LOGINS
from local.template import ROOT, Function, Secret, functions
from tests.conftest import ENVIRONMENT, Database, NewUser
from tests.support import bucket
from tests.support.dry_run import LAMBDA_PYTHON, Deployment, RunningFunction, lambda_python

pytestmark = pytest.mark.skipif(not os.environ.get("CI"), reason="builds all that is deployed: `make dry-run` runs it")


def test_every_function_answers_its_event_from_where_lambda_would_lay_it(
    database: Database, new_user: NewUser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One test for all, which are built once and started one after the other."""
    python = lambda_python()
    deployment = Deployment(tmp_path, python)
    secrets = [value.key for one in functions() for value in one.environment.values() if isinstance(value, Secret)]
    settings = {
        # What is not in use is an empty string (docs/deploy.md, 3).
        **dict.fromkeys(secrets, ""),
        **ENVIRONMENT,
        **{secret: database.url(login) for secret, login in LOGINS.items()},
        "R2_ENDPOINT": bucket.serve(),
        "POWERTOOLS_LOG_LEVEL": "ERROR",
    }
    token = new_user(role="admin").token
    answered = set()
    for function in functions():
        variables = function.variables(settings)
        with RunningFunction(deployment, function, variables, tmp_path / f"{function.group}.log") as running:
            for name, event, seconds_left in events_of(function, token or ""):
                answer = running.invoke(event, seconds_left)
                if function.schedules:
                    assert set(answer.values()) == {0}, (name, answer, running.log)
                else:
                    assert answer["statusCode"] == 200, (name, answer, running.log)
                answered.add(function.name)
    assert answered == {function.name for function in functions()}
    with capsys.disabled():
        where = (
            "at Lambda's own paths" if deployment.is_private else "from a folder, since this machine has no namespaces"
        )
        note = "" if LAMBDA_PYTHON in str(python) else f", for want of Python {LAMBDA_PYTHON}"
        print(f"\ndry run: {len(answered)} functions under {python}{note}, {where}")
    shutil.rmtree(tmp_path)


def events_of(function: Function, token: str) -> list[tuple[str, object, float]]:
    """The events of a function: names, contents, and the seconds they have. A schedule has none left to begin a job."""
    if function.schedules:
        files = sorted((ROOT / "events" / "schedules").glob(f"{function.group}_*.json"))
        return [(file.stem, json.loads(file.read_text("utf-8")), 0.0) for file in files]
    event = json.loads((ROOT / "events" / f"{function.group}.json").read_text("utf-8"))
    event["cookies"] = [f"{session_cookie_name()}={token}"]
    return [(function.group, event, float(function.timeout_seconds))]
