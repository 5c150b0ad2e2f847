"""A migration that was released never changes: databases hold what it did, and no later run would do it again."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from questlog.release import SCHEMA_VERSION

from database.migrate import MIGRATIONS

RELEASED = MIGRATIONS / "released.sha256"


def changed(folder: Path, checksums: Mapping[str, str]) -> list[str]:
    """The released migrations that are not in the folder as they were released, and those put among them since."""
    wrong = [name for name, digest in checksums.items() if digest_of(folder / name) != digest]
    newest = max(checksums, default="")
    between = [file.name for file in folder.glob("*.sql") if file.name < newest and file.name not in checksums]
    return sorted(wrong + between)


def digest_of(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else None


def read(file: Path) -> dict[str, str]:
    """The checksums of a file that `sha256sum` wrote, by name."""
    lines = [line.split() for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return {name: digest for digest, name in lines}


def test_released_migrations_are_as_they_were_released() -> None:
    assert changed(MIGRATIONS, read(RELEASED)) == []


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("0002_two.sql", "SELECT 3", ["0002_two.sql"]),
        ("0001_one.sql", None, ["0001_one.sql"]),
        ("0001_other.sql", "", ["0001_other.sql"]),
        ("0003_three.sql", "", []),
    ],
)
def test_a_change_is_noticed(tmp_path: Path, file: str, text: str | None, named: list[str]) -> None:
    for name in ("0001_one.sql", "0002_two.sql"):
        (tmp_path / name).write_text("SELECT 1")
    digest = hashlib.sha256(b"SELECT 1").hexdigest()
    (tmp_path / "released.sha256").write_text(f"# a word\n{digest}  0001_one.sql\n{digest}  0002_two.sql\n")
    released = read(tmp_path / "released.sha256")
    assert changed(tmp_path, released) == []
    if text is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(text)
    assert changed(tmp_path, released) == named


def test_they_are_numbered_one_after_the_other_and_the_newest_is_what_the_release_expects() -> None:
    names = sorted(file.name for file in MIGRATIONS.glob("*.sql"))
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.sql", name) for name in names)
    assert [int(name[:4]) for name in names] == list(range(1, SCHEMA_VERSION + 1))
