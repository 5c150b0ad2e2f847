"""Which Questlog this is."""

import os
from functools import cache
from pathlib import Path

VERSION = "0.1.0"
COMMIT = os.environ.get("QUESTLOG_COMMIT") or None
BUILT_AT = os.environ.get("QUESTLOG_BUILT_AT") or None


@cache
def schema_version() -> int:
    """The number of the newest migration that this release was built with."""
    return max(int(path.name[:4]) for path in Path(__file__).with_name("migrations").glob("[0-9]*.sql"))
