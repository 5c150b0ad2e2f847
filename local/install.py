"""Install a lock file into this virtual environment, and show the progress: `python local/install.py LOCK`.

Nothing is installed yet when it runs, so it uses the standard library alone. pip's own output goes to a file: shown is
one line that is redrawn on a terminal, or two lines if the output is not a terminal.
"""

import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable
from pathlib import Path

_PINNED = re.compile(r"^[A-Za-z0-9][\w.-]*(\[[^]]*\])?==", re.MULTILINE)
# One such line for each package of the lock.
_NAMED = re.compile(r"(?:Collecting|Requirement already satisfied:|Ignoring) ([\w.-]+)")
# Messages of pip if the package index cannot be reached, or does not have a file.
_UNREACHABLE = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeoutError|Temporary failure in name resolution"
    r"|Connection refused|No matching distribution found|ProxyError|Network is unreachable"
)
_BAR = 24
_LOOK_SECONDS = 0.2


def install(lock: Path, log: Path, show: Callable[[str], None]) -> int:
    """Have pip install what the lock names. Returns pip's exit status; `show` is told how far it is."""
    total = len(_PINNED.findall(lock.read_text("utf-8")))
    command = [
        *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"),
        *("--no-deps", "--require-hashes", "--requirement", str(lock)),
    ]
    with (
        log.open("w", encoding="utf-8") as kept,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip,
    ):
        assert pip.stdout is not None
        before = _in_place()
        for text in progress(pip.stdout, kept.write, total):
            show(text)
        # pip says nothing while it puts files in place, so what is there is counted.
        while pip.poll() is None:
            placed = _in_place() - before
            show(f"{_drawn(placed, total)} {placed} put in place")
            time.sleep(_LOOK_SECONDS)
        kept.write(pip.stdout.read())
    return pip.returncode


def progress(lines: Iterable[str], keep: Callable[[str], object], total: int) -> Iterable[str]:
    """What is done at each step of pip's output, until all is fetched: "12 of 73  botocore"."""
    seen = 0
    for line in lines:
        keep(line)
        if (named := _NAMED.match(line)) is not None:
            seen += 1
            yield f"{_drawn(seen, total)} {seen} of {total}  {named[1]}"
        elif line.startswith("Installing collected packages"):
            return
        elif line.startswith("WARNING: Retrying"):
            yield f"{_drawn(seen, total)} {seen} of {total}  the package index does not answer, trying again"


def reason(said: str) -> tuple[str, str]:
    """Why pip failed, in a sentence, and the command to try."""
    if _UNREACHABLE.search(said):
        return (
            "The package index does not answer, or lacks a package: is there a network?",
            "PIP_INDEX_URL=https://your.index/simple make run",
        )
    if "No space left on device" in said:
        return "The disk is full.", "df -h ."
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["pip failed."]
    return next((line for line in lines if line.startswith("ERROR")), lines[-1]), "make clean && make run"


def _in_place() -> int:
    """How many packages this environment has."""
    return len(list(Path(sysconfig.get_path("purelib")).glob("*.dist-info")))


def _drawn(done: int, total: int) -> str:
    full = _BAR * min(done, total) // max(total, 1)
    return f"[{'#' * full}{'.' * (_BAR - full)}]"


def main() -> int:
    """Install, and print what there is to say; the exit status."""
    lock, log, is_terminal = Path(sys.argv[1]), Path(sys.prefix, "install.log"), sys.stdout.isatty()
    started = time.monotonic()

    def show(text: str) -> None:
        if is_terminal:
            sys.stdout.write(f"\r\x1b[K  installing {text[:100]}")
            sys.stdout.flush()

    if not is_terminal:
        sys.stdout.write(f"  installing {lock}\n")
        sys.stdout.flush()
    try:
        status = install(lock, log, show)
    except KeyboardInterrupt:
        sys.stdout.write("\n  stopped: the next `make` goes on\n")
        return 130
    if is_terminal:
        sys.stdout.write("\r\x1b[K")
    if status == 0:
        sys.stdout.write(f"  installed {lock} in {time.monotonic() - started:.0f} s\n")
        return 0
    why, command = reason(log.read_text("utf-8"))
    sys.stdout.write(f"\n  {why}\n  look in    {log}\n  try        {command}\n\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
