"""What cfn-lint lets pass in template.yaml and a deployment would not forgive."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.template import ROOT, Function, Secret, functions, read
from tests.conftest import Database
from tests.jobs.ticking import ALL_THE_TIME

TEMPLATE = read()
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
GLOBALS: dict[str, Any] = TEMPLATE["Globals"]["Function"]
FUNCTIONS = functions()
NAMES = [function.name for function in FUNCTIONS]
BUCKET = {
    *("AdminFunction", "LearnFunction", "ListeningFunction", "ReferenceFunction", "UserFunction"),
    *("AudioWorkerFunction", "JobsFunction"),
}
JOBS = {"AudioWorkerFunction", "JobsFunction", "NotifierFunction"}
# Which function may hold which secret. Whoever adds one says so here.
SECRETS = {
    "DATABASE_URL": set(NAMES) - {"AdminFunction", "AuthFunction", *JOBS},
    "JOBS_DATABASE_URL": JOBS,
    "AUTH_DATABASE_URL": {"AuthFunction"},
    "OPERATOR_DATABASE_URL": {"AdminFunction"},
    "CONSOLE_DATABASE_URL": {"AdminFunction"},
    "ADMIN_CLAIM_KEY": {"AuthFunction"},
    "GOOGLE_CLIENT_SECRET": {"AuthFunction"},
    "AZURE_CLIENT_SECRET": {"AuthFunction"},
    "R2_ACCESS_KEY_ID": BUCKET,
    "R2_SECRET_ACCESS_KEY": BUCKET,
    "EXPORT_SIGNING_KEY": {"JobsFunction"},
    "UNSUBSCRIBE_KEY": {"NotificationsFunction", "NotifierFunction"},
    "VAPID_PRIVATE_KEY": {"NotifierFunction"},
}


def resources(kind: str) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in RESOURCES.items() if one["Type"] == kind}


def test_functions_share_runtime_architecture_and_layer() -> None:
    assert GLOBALS["Runtime"] == "python3.13"
    assert GLOBALS["Architectures"] == ["arm64"]
    assert GLOBALS["Layers"] == [{"Ref": "CommonLayer"}]
    layer = RESOURCES["CommonLayer"]
    assert layer["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": "arm64"}
    assert layer["Properties"]["CompatibleRuntimes"] == ["python3.13"]
    assert layer["Properties"]["CompatibleArchitectures"] == ["arm64"]
    for properties in resources("AWS::Serverless::Function").values():
        assert not {"Runtime", "Architectures", "CodeUri"} & set(properties)


def test_the_audio_worker_has_a_layer_of_its_own_and_is_not_tried_again() -> None:
    """What it needs would cost every other function its cold start; and the queue itself tries again."""
    worker = RESOURCES["AudioWorkerFunction"]["Properties"]
    assert worker["Layers"] == [{"Ref": "AudioLayer"}]
    assert worker["EventInvokeConfig"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    assert worker["Environment"]["Variables"]["OPENBLAS_NUM_THREADS"] == "1"
    own = {name: one["Layers"] for name, one in resources("AWS::Serverless::Function").items() if "Layers" in one}
    assert own == {
        "AudioWorkerFunction": [{"Ref": "AudioLayer"}],
        "HealthFunction": [{"Ref": "DocsLayer"}],
        "NotifierFunction": [{"Ref": "PushLayer"}],
    }


def test_what_is_scheduled_is_tried_again_by_its_next_tick_alone() -> None:
    for function in FUNCTIONS:
        if function.schedules:
            invoked = RESOURCES[function.name]["Properties"]["EventInvokeConfig"]
            assert invoked == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}, function.name


def test_the_database_knows_how_often_a_schedule_ticks(database: Database) -> None:
    """It tells administrators which schedule has stopped."""
    ticks = {(schedule.name.lower(), schedule.every_seconds) for one in FUNCTIONS for schedule in one.schedules}
    known = {(row["name"], row["every_seconds"]) for row in database.query("SELECT * FROM schedules()")}
    # The audio worker has one schedule, which goes by what it does.
    assert known == {("analysis" if name == "tick" else name, seconds) for name, seconds in ticks}


def test_work_that_is_one_transaction_has_most_of_the_time() -> None:
    [worker] = [one for one in FUNCTIONS if one.name == "JobsFunction"]
    assert worker.timeout_seconds * 1000 == ALL_THE_TIME


def test_every_group_is_listed_and_nothing_else() -> None:
    folders = {path.parent.name for path in ROOT.glob("functions/*/app.py")}
    missing = folders - {function.group for function in FUNCTIONS}
    assert not missing, f"template.yaml lacks {missing}"


@pytest.mark.parametrize("function", FUNCTIONS, ids=NAMES)
def test_the_name_is_the_one_the_build_packs_by(function: Function) -> None:
    words = re.findall("[A-Z][a-z0-9]*", function.name.removesuffix("Function"))
    assert "_".join(words).lower() == function.group
    assert RESOURCES[function.name]["Metadata"] == {"BuildMethod": "makefile"}
    assert RESOURCES[function.name]["Properties"]["AutoPublishAliasAllProperties"] is True


@pytest.mark.parametrize("function", FUNCTIONS, ids=NAMES)
def test_the_handler_is_there(function: Function) -> None:
    module, _, name = function.handler.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("function", FUNCTIONS, ids=NAMES)
def test_every_path_is_there_with_and_without_its_prefix(function: Function) -> None:
    paths = {route.path for route in function.routes} - {"$default"}
    bare = {path for path in paths if path != "/api" and not path.startswith("/api/")}
    assert {route.method for route in function.routes} <= {"ANY"}
    assert paths - bare == {f"/api{path}".rstrip("/") for path in bare}
    if function.name != "HealthFunction":
        roots = {path for path in bare if not path.endswith("{proxy+}")}
        # A file has nothing below it.
        assert bare == roots | {f"{root}/{{proxy+}}" for root in roots if "." not in root}


def test_no_path_is_claimed_twice_and_one_function_takes_the_rest() -> None:
    routes = [route for function in FUNCTIONS for route in function.routes]
    assert len(routes) == len(set(routes))
    assert [function.name for function in FUNCTIONS if any(r.path == "$default" for r in function.routes)] == [
        "HealthFunction"
    ]


def test_every_function_is_watched() -> None:
    """One log for all, whose lines name their service; and alarms on the API as a whole."""
    assert GLOBALS["LoggingConfig"] == {"LogGroup": {"Ref": "Logs"}}
    assert not [name for name, one in resources("AWS::Serverless::Function").items() if "LoggingConfig" in one]
    # The role may write below this prefix and nowhere else.
    assert RESOURCES["Logs"]["Properties"]["LogGroupName"] == {"Fn::Sub": "/${AWS::StackName}/functions"}
    (counted,) = RESOURCES["ServerErrors"]["Properties"]["MetricTransformations"]
    assert counted["Dimensions"] == [{"Key": "service", "Value": "$.service"}]
    alarms = resources("AWS::CloudWatch::Alarm").values()
    assert {one["MetricName"] for one in alarms} == {"5xx", "Latency", "Throttles"}
    assert all(one["AlarmActions"] == [{"Ref": "Alarms"}] for one in alarms)


def test_what_the_template_becomes_fits_into_one_stack() -> None:
    """CloudFormation takes 500 resources. SAM makes a permission of each event, and two more of a function."""
    functions = resources("AWS::Serverless::Function")
    events = sum(len(function.get("Events", {})) for function in functions.values())
    schedules = sum(len(function.schedules) for function in FUNCTIONS)
    # The API and its stage; a schedule is a rule beside its permission.
    becomes = len(RESOURCES) + 1 + 2 * len(functions) + events + schedules
    assert becomes < 450


def test_secrets_go_to_those_who_need_them() -> None:
    for function in FUNCTIONS:
        for variable, value in function.environment.items():
            if isinstance(value, Secret):
                assert function.name in SECRETS[value.key], f"{function.name} holds {variable}"
            else:
                assert not re.search("SECRET|PASSWORD|(?<!PUBLIC)_KEY", variable), f"{variable} is no plain parameter"


def test_requests_are_answered_before_api_gateway_gives_up() -> None:
    for function in FUNCTIONS:
        if function.routes:
            assert function.timeout_seconds < 30


@pytest.mark.skipif(not os.environ.get("CI"), reason="downloads what the layer is made of: CI=1 runs it")
def test_the_build_holds_what_it_should_and_is_small(tmp_path: Path) -> None:
    sam = Path(sys.executable).with_name("sam")
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "PYTHON": sys.executable}
    command: list[str | Path] = [sam, "build", "--build-dir", tmp_path / "build", "--cache-dir", tmp_path / "cache"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    layer = tmp_path / "build" / "CommonLayer" / "python"
    assert {"questlog", "psycopg", "pydantic", "starlette", "mangum"} <= {path.name for path in layer.iterdir()}
    assert list(layer.glob("pydantic_core/*aarch64*.so")), "built for another processor"
    assert not list(layer.glob("boto3")), "a boto3 client costs a request function 71 % more to import"
    audio = tmp_path / "build" / "AudioLayer" / "python"
    assert list(audio.glob("numpy/**/*aarch64*.so")), "built for another processor"
    push = tmp_path / "build" / "PushLayer" / "python"
    assert {"cryptography", "http_ece", "py_vapid"} <= {path.name for path in push.iterdir()}
    megabytes = {}
    for function in FUNCTIONS:
        artifact = tmp_path / "build" / function.name
        assert [path.name for path in (artifact / "functions").iterdir()] == [function.group]
        assert (artifact / function.handler.rpartition(".")[0].replace(".", "/")).with_suffix(".py").is_file()
        assert not [path for path in artifact.rglob("*") if path.is_symlink()]
        megabytes[function.name] = (size(layer) + size(artifact)) / 1024**2
    # Lambda takes 250, layers included.
    assert megabytes.pop("AudioWorkerFunction") + size(audio) / 1024**2 < 230
    assert max(megabytes.values()) < 120
    shutil.rmtree(tmp_path)


def size(folder: Path) -> int:
    """Bytes of all files, as Lambda counts them unzipped."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
