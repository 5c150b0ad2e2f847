"""The first install tells how far it is, and why it fails, in lines that fit on a screen."""

from importlib.metadata import version
from pathlib import Path

import pytest
import rich

from local.install import install, progress, reason
from local.service import free_port

SAID = """\
Looking in indexes: https://index.test/simple
Ignoring colorama: markers 'sys_platform == "win32"' don't match your environment
Requirement already satisfied: boto3==1.40.0 in ./lib (from -r requirements.txt (line 8)) (1.40.0)
Collecting flask==3.1.0 (from -r requirements.txt (line 12))
  Downloading flask-3.1.0-py3-none-any.whl (102 kB)
WARNING: Retrying (Retry(total=4)) after connection broken
Collecting pyyaml==6.0.2 (from -r requirements.txt (line 19))
Installing collected packages: pyyaml, flask
"""


def test_each_package_is_a_step() -> None:
    kept: list[str] = []
    shown = list(progress(SAID.splitlines(keepends=True), kept.append, 4))
    assert "".join(kept) == SAID, "all of it is kept"
    assert [text.split("] ")[1] for text in shown] == [
        "1 of 4  colorama",
        "2 of 4  boto3",
        "3 of 4  flask",
        "3 of 4  the package index does not answer, trying again",
        "4 of 4  pyyaml",
    ]
    assert [text.count("#") for text in shown] == [6, 12, 18, 18, 24]
    assert {len(text.split("]")[0]) for text in shown} == {25}


def test_pip_itself_says_what_is_counted(tmp_path: Path) -> None:
    lock, shown = tmp_path / "lock.txt", list[str]()
    lock.write_text(f"rich=={version('rich')} \\\n    --hash=sha256:{'0' * 64}\n    # via nobody\n")
    assert install(lock, tmp_path / "log", shown.append) == 0
    first, *rest = [text.split("] ")[1] for text in shown]
    assert first == "1 of 1  rich"
    assert set(rest) <= {"0 put in place"}
    assert "Requirement already satisfied: rich" in (tmp_path / "log").read_text()
    assert rich.__file__


def test_without_a_network_the_reason_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, log = tmp_path / "lock.txt", tmp_path / "log"
    lock.write_text(f"questlog-nothing==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free_port()}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    assert install(lock, log, lambda _text: None) != 0
    why, command = reason(log.read_text())
    assert why == "The package index does not answer, or lacks a package: is there a network?"
    assert "PIP_INDEX_URL" in command


def test_another_failure_is_what_pip_calls_an_error() -> None:
    said = "Collecting a\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES.\n    a from b:\n        Expected sha256 c\n"
    assert reason(said)[0] == "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES."
    assert reason("OSError: [Errno 28] No space left on device")[0] == "The disk is full."
    # What is left of an environment that was interrupted while it was made.
    assert reason("python: No module named pip\n") == ("python: No module named pip", "make clean && make run")
    assert reason("")[0] == "pip failed."
