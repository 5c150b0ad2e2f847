"""The versions of this release."""

import os
from typing import Final

VERSION: Final = "0.1.0"
# The number of the newest migration, which must be applied before this release runs; a test compares it with the files.
SCHEMA_VERSION: Final = 40
# Changes when audio is measured differently: a track that another version measured is measured again.
ANALYZER_VERSION: Final = "1.0.0"
COMMIT: Final = os.environ.get("QUESTLOG_COMMIT") or None
BUILT_AT: Final = os.environ.get("QUESTLOG_BUILT_AT") or None
