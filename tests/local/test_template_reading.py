"""The local stack reads from template.yaml what AWS would make of it, and refuses what it cannot do."""

from pathlib import Path

import pytest

from local.template import Route, Schedule, Secret, TemplateError, functions, read

TEMPLATE = """
Parameters:
  Limit: {Type: Number, Default: 60}
  SecretName: {Type: String, Default: questlog}
Globals:
  Function:
    Timeout: 10
    Environment:
      Variables:
        DATABASE_URL: !Sub "{{resolve:secretsmanager:${SecretName}:SecretString:DATABASE_URL}}"
        LIMIT: !Ref Limit
Resources:
  Table: {Type: AWS::Logs::LogGroup}
  JobsFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: functions.jobs.app.handler
      Timeout: 900
      Environment:
        Variables:
          DATABASE_URL: !Sub "{{resolve:secretsmanager:${SecretName}:SecretString:JOBS_DATABASE_URL}}"
      Events:
        Queue: {Type: Schedule, Properties: {Schedule: rate(1 minute), Input: '{"schedule": "queue"}'}}
        Clean: {Type: Schedule, Properties: {Schedule: "rate(2 hours)"}}
        Any: {Type: HttpApi, Properties: {ApiId: !Ref Api}}
        One: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: get, Path: /jobs}}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


def test_functions(template: Path) -> None:
    (jobs,) = functions(template)
    assert (jobs.name, jobs.group, jobs.timeout_seconds, jobs.memory_mb) == ("JobsFunction", "jobs", 900, 128)
    assert jobs.routes == (Route("ANY", "$default"), Route("GET", "/jobs"))
    assert jobs.schedules == (Schedule("Queue", 60, '{"schedule": "queue"}'), Schedule("Clean", 7200, None))
    assert jobs.environment == {"DATABASE_URL": Secret("JOBS_DATABASE_URL"), "LIMIT": "60"}


def test_variables_are_the_templates_with_the_settings_values(template: Path) -> None:
    (jobs,) = functions(template)
    settings = {"JOBS_DATABASE_URL": "jobs", "DATABASE_URL": "app", "LIMIT": "0", "HOME": "/home/someone"}
    assert jobs.variables(settings) == {"DATABASE_URL": "jobs", "LIMIT": "0"}


def test_a_function_that_another_invokes_has_no_address_here(template: Path) -> None:
    template.write_text(TEMPLATE.replace("LIMIT: !Ref Limit", "LIMIT: !Ref JobsFunction.Alias"))
    (jobs,) = functions(template)
    assert jobs.environment["LIMIT"] == ""


def test_a_secret_nobody_has_is_named(template: Path) -> None:
    (jobs,) = functions(template)
    with pytest.raises(TemplateError, match="DATABASE_URL is the secret JOBS_DATABASE_URL"):
        jobs.variables({"DATABASE_URL": "app"})


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("rate(2 hours)", "cron(0 * * * ? *)", "not cron"),
        ("Type: Schedule,", "Type: SQS,", "no events of type SQS"),
        ("LIMIT: !Ref Limit", "LIMIT: !GetAtt Table.Arn", "cannot work out"),
    ],
)
def test_what_it_cannot_do_it_refuses(template: Path, was: str, becomes: str, complaint: str) -> None:
    template.write_text(TEMPLATE.replace(was, becomes))
    with pytest.raises(TemplateError, match=complaint):
        functions(template)


def test_short_tags_read_like_long_ones(template: Path) -> None:
    template.write_text("a: !Ref X\nb: !GetAtt X.Y.Z\nc: !Join [',', [!Ref X]]\n")
    assert read(template) == {
        "a": {"Ref": "X"},
        "b": {"Fn::GetAtt": ["X", "Y.Z"]},
        "c": {"Fn::Join": [",", [{"Ref": "X"}]]},
    }
