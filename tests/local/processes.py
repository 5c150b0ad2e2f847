"""Looking at processes from outside."""

from pathlib import Path


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended but that nobody has asked after yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
