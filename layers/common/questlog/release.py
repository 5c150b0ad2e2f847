"""Which Questlog this is."""

import os
from typing import Final

VERSION: Final = "0.1.0"
# The number of the newest migration, which this release expects to find applied; a test holds it to the files.
SCHEMA_VERSION: Final = 39
# Changes with what is measured of audio: a track is measured again when it was by another version.
ANALYZER_VERSION: Final = "1.0.0"
COMMIT: Final = os.environ.get("QUESTLOG_COMMIT") or None
BUILT_AT: Final = os.environ.get("QUESTLOG_BUILT_AT") or None
