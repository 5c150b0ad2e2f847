"""template.yaml as the local stack needs it: functions with their routes, schedules, limits and environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "template.yaml"
DEFAULT_ROUTE = "$default"

_SECRET = re.compile(r"\{\{resolve:secretsmanager:[^:]+:SecretString:(\w+)\}\}")
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


class TemplateError(ValueError):
    """The template uses something that the local stack does not support. So it stops instead of differing from AWS."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the HTTP API. The method `ANY` takes all; the path `$default` takes what no other route does."""

    method: str
    path: str

    @property
    def key(self) -> str:
        """API Gateway's name for it, as events carry it."""
        return self.path if self.path == DEFAULT_ROUTE else f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """An EventBridge rule that invokes the function every so many seconds."""

    name: str
    every_seconds: int
    input: str | None


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the template; `environment` has its parameters filled in, and names secrets by `Secret`."""

    name: str
    group: str
    handler: str
    timeout_seconds: int
    memory_mb: int
    environment: Mapping[str, "str | Secret"] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    schedules: tuple[Schedule, ...] = ()

    def variables(self, settings: Mapping[str, str]) -> dict[str, str]:
        """The function's environment variables: those the template gives it and no others, with the values of
        `settings` where it has them. A secret goes by its own name, which several variables may share.
        """
        values = {}
        for name, value in self.environment.items():
            if not isinstance(value, Secret):
                values[name] = settings.get(name, value)
            elif value.key in settings:
                values[name] = settings[value.key]
            else:
                raise TemplateError(
                    f"{self.name}: {name} is the secret {value.key}, which the local stack does not have."
                )
        return values


@dataclass(frozen=True, slots=True)
class Secret:
    """A value kept in Secrets Manager, by its key there."""

    key: str


def functions(path: Path = TEMPLATE) -> list[Function]:
    """Every function of the template, in its order."""
    document = read(path)
    parameters = {name: str(declared.get("Default", "")) for name, declared in document.get("Parameters", {}).items()}
    # No function invokes another here: its work is done at the other's next tick, seconds later.
    parameters |= {f"{name}.Alias": "" for name in document["Resources"]}
    defaults = document.get("Globals", {}).get("Function", {})
    return [
        _function(name, defaults, resource["Properties"], parameters)
        for name, resource in document["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    ]


def read(path: Path = TEMPLATE) -> dict[str, Any]:
    """The template as plain data, `!Ref X` as {"Ref": X} and `!Sub` and its like as {"Fn::Sub": ...}."""
    with path.open() as file:
        document: dict[str, Any] = yaml.load(file, Loader=_Loader)  # noqa: S506 - it is a SafeLoader
    return document


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise TemplateError(f"!{suffix} of a mapping, line {node.start_mark.line + 1}")
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def _function(
    name: str, defaults: Mapping[str, Any], own: Mapping[str, Any], parameters: Mapping[str, str]
) -> Function:
    handler = own["Handler"]
    variables = {
        **defaults.get("Environment", {}).get("Variables", {}),
        **own.get("Environment", {}).get("Variables", {}),
    }
    routes, schedules = [], []
    for event_name, event in own.get("Events", {}).items():
        properties = event.get("Properties", {})
        match event["Type"]:
            case "HttpApi":
                routes.append(Route(properties.get("Method", "ANY").upper(), properties.get("Path", DEFAULT_ROUTE)))
            case "Schedule":
                schedules.append(Schedule(event_name, _rate(properties["Schedule"]), properties.get("Input")))
            case other:
                raise TemplateError(f"{name}.{event_name}: the local stack has no events of type {other}.")
    return Function(
        name=name,
        group=handler.split(".")[1],
        handler=handler,
        timeout_seconds=own.get("Timeout", defaults.get("Timeout", 3)),
        memory_mb=own.get("MemorySize", defaults.get("MemorySize", 128)),
        environment={key: _value(f"{name}.{key}", value, parameters) for key, value in variables.items()},
        routes=tuple(routes),
        schedules=tuple(schedules),
    )


def _value(where: str, value: object, parameters: Mapping[str, str]) -> str | Secret:
    match value:
        case {"Ref": str(parameter)} if parameter in parameters:
            return parameters[parameter]
        case {"Fn::Sub": str(text)}:
            filled = re.sub(r"\$\{(\w+)\}", lambda found: parameters.get(found[1], found[0]), text)
            secret = _SECRET.fullmatch(filled)
            return Secret(secret[1]) if secret else filled
        case str() | int() | float():
            return str(value)
    raise TemplateError(f"{where}: the local stack cannot work out {value}.")


def _rate(expression: str) -> int:
    rate = _RATE.fullmatch(expression)
    if rate is None:
        raise TemplateError(f"The local stack understands rate(...) and not {expression}.")
    return int(rate[1]) * _SECONDS[rate[2]]
