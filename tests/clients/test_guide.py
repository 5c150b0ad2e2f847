"""docs/guide.md is run: each of its blocks prints what the guide shows below it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from local.template import ROOT
from tests.clients.conftest import GATEWAY, HERE, environment, run, type_errors
from tests.support.clock import NOON

# The worker that has the stack.
pytestmark = pytest.mark.xdist_group("browser")

FRONTEND = "http://localhost:3000"
GUIDE = (ROOT / "docs" / "guide.md").read_text("utf-8")
_PARTS = re.compile(
    r"^## (?P<chapter>\d+)\.[^\n]*\n|^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """A block that is run, and what the guide says that it prints: JSON, text, or nothing."""

    chapter: int
    language: str
    code: str
    shown_as: str = "text"
    shown: str = ""


class Printed(NamedTuple):
    """How a block ended, and what it printed."""

    status: int
    text: str


def blocks(guide: str) -> list[Block]:
    """The blocks in their order. A fence of json or text says what the block right before it prints."""
    found: list[Block] = []
    chapter = 0
    for part in _PARTS.finditer(guide):
        if part["chapter"]:
            chapter = int(part["chapter"])
        elif part["language"] in ("sh", "ts"):
            found.append(Block(chapter, part["language"], part["text"]))
        else:
            assert part["language"] in ("json", "text"), f"nothing runs a block of {part['language'] or 'no language'}"
            assert not found[-1].shown, "a block has one answer"
            found[-1] = found[-1]._replace(shown_as=part["language"], shown=part["text"])
    return found


BLOCKS = blocks(GUIDE)


def is_shown(shown: Any, printed: Any) -> bool:
    """Whether a JSON value is the one that is shown. "…" is any value, as a key any more keys, at the end of a list any
    more items.
    """
    if isinstance(shown, dict) and isinstance(printed, dict):
        named = shown.keys() - {"…"}
        all_there = named <= printed.keys() if "…" in shown else named == printed.keys()
        return all_there and all(is_shown(shown[key], printed[key]) for key in named)
    if isinstance(shown, list) and isinstance(printed, list):
        if shown[-1:] == ["…"]:
            shown, printed = shown[:-1], printed[: len(shown) - 1]
        return len(shown) == len(printed) and all(map(is_shown, shown, printed))
    return bool(shown in ("…", printed))


def prints(block: Block, text: str) -> bool:
    """Whether the text is what the guide shows; in text, … is any part of a line."""
    if block.shown_as == "json":
        return is_shown(json.loads(block.shown), json.loads(text))
    return re.fullmatch(".*".join(map(re.escape, block.shown.strip().split("…"))), text.strip()) is not None


def name_of(number: int, block: Block) -> str:
    """The file that a block is written to: the one it names in its first line, if any."""
    named = re.match(r"// (\S+\.ts)\n", block.code)
    return named[1] if named else f"block{number}.{block.language}"


@pytest.fixture(scope="module")
def curl() -> None:
    """curl that knows --json and %header{}: 7.84 or newer."""
    said = run("curl", "-V", cwd=HERE).stdout if shutil.which("curl") else ""
    version = re.match(r"curl (\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < (7, 84):
        if os.environ.get("CI"):
            pytest.fail("CI has to install curl 7.84 or newer")
        pytest.skip("curl 7.84 or newer is not installed")


@pytest.fixture(scope="module")
def printed(curl: None, types: Path, gateway: str, frontend: str) -> Iterator[list[Printed]]:
    """What each block printed, run in order by one shell: a variable that one sets is there in the next."""
    shutil.copy(HERE / "browser.js", types)
    script = []
    for number, block in enumerate(BLOCKS):
        name = name_of(number, block)
        code = block.code.replace(GATEWAY, gateway).replace(FRONTEND, frontend)
        (types / name).write_text(code, "utf-8")
        command = f"source ./{name}" if block.language == "sh" else f"node --import ./browser.js {name}"
        script.append(f"{command} >printed{number} 2>&1; echo $? >status{number}\n")
    variables = {**environment(), "GATEWAY": gateway, "ORIGIN": frontend}
    # Midnight would come between two blocks some day, and a habit that was completed would be due again.
    move_clock(gateway, NOON.isoformat())
    try:
        subprocess.run(["bash", "-c", "".join(script)], cwd=types, env=variables, timeout=300, check=True)
        texts = [(types / f"printed{number}").read_text("utf-8") for number in range(len(BLOCKS))]
        yield [
            Printed(
                int((types / f"status{number}").read_text()), text.replace(gateway, GATEWAY).replace(frontend, FRONTEND)
            )
            for number, text in enumerate(texts)
        ]
    finally:
        # The tests after this one share the clock.
        move_clock(gateway, None)


def move_clock(gateway: str, now: str | None) -> None:
    """Set the stack's clock, or put it back."""
    httpx.put(f"{gateway}/__clock", json={"now": now}, timeout=120).raise_for_status()


@pytest.mark.parametrize("number", range(len(BLOCKS)), ids=lambda number: f"{BLOCKS[number].chapter}-{number}")
def test_a_block_prints_what_is_shown(number: int, printed: list[Printed]) -> None:
    block, (status, text) = BLOCKS[number], printed[number]
    assert status == 0, text
    assert prints(block, text), f"{block.code}\nshows:\n{block.shown}\nprinted:\n{text}"


def test_the_typescript_is_right(types: Path, printed: list[Printed]) -> None:
    programs = [name_of(number, block) for number, block in enumerate(BLOCKS) if block.language == "ts"]
    assert type_errors(types, *programs) == ""


def test_there_are_ten_chapters_and_each_is_run() -> None:
    assert re.findall(r"^## (\d+)\.", GUIDE, re.MULTILINE) == [str(number) for number in range(1, 11)]
    assert {block.chapter for block in BLOCKS} == set(range(1, 11))
    assert len(_PARTS.findall(GUIDE)) == GUIDE.count("\n## ") + GUIDE.count("\n```") // 2


def test_the_first_lines_are_what_the_tests_do() -> None:
    """The packages are those of package.json, and the types are made by the README's command."""
    packages = json.loads((HERE / "package.json").read_text("utf-8"))["devDependencies"]
    assert f"    npm install {' '.join(packages)}\n" in GUIDE
    [command] = re.findall(r"^    npx .*$", GUIDE, re.MULTILINE)
    assert command in (ROOT / "README.md").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ('{"a": 1}', '{"a": 2}'),
        ('{"a": 1}', '{"a": 1, "b": 2}'),
        ('{"a": 1, "…": "…"}', '{"b": 1}'),
        ('{"a": "…"}', "{}"),
        ('["…"]', "{}"),
        ('[1, "…"]', "[]"),
        ("[1]", "[1, 2]"),
        ("[1, 2]", "[1]"),
        ("null", "[]"),
    ],
)
def test_another_answer_is_not_what_is_shown(shown: str, printed: str) -> None:
    assert not prints(Block(1, "sh", "", "json", shown), printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [("", "anything"), ("200", ""), ("200", "2000"), ("a … c", "a b"), ("a.c", "abc"), ("a …", "a b\nc")],
)
def test_another_text_is_not_what_is_shown(shown: str, printed: str) -> None:
    assert not prints(Block(1, "sh", "", "text", shown), printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [('{"a": "…", "…": "…"}', '{"a": 1, "b": 2}'), ("[]", "[]"), ('[1, "…"]', "[1, 2]"), ('[1, "…"]', "[1]")],
)
def test_what_is_left_out_may_be_anything(shown: str, printed: str) -> None:
    assert prints(Block(1, "sh", "", "json", shown), printed)
