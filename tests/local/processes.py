"""Looking at processes from outside."""

from pathlib import Path


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended but that nobody has asked after yet does not.

    While other threads of it still end, its parent cannot ask either.
    """
    process = Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" or len(list((process / "task").iterdir())) > 1
    except FileNotFoundError:
        return False
