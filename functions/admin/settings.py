"""What the administration is configured with, beside what every function needs (platform contract, 11)."""

from questlog.settings import variable


def console_url() -> str:
    """Where the login of the administrators' SQL connects to."""
    return variable("CONSOLE_DATABASE_URL", str)
