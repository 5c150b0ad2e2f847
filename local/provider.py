"""The identity provider of the local stack, to which the functions turn as they would to Google.

Its page asks only for a `sub`, the name of one of its users; `PUT {provider}/users/{sub}` makes another.
"""

import json
import os
import sys
from pathlib import Path

from local.service import Service


def start(port: int, admin_emails: str, log: Path) -> Service:
    """The provider, with a user `admin` for the first of the administrators' addresses and a user `dev`."""
    admin = admin_emails.partition(",")[0].strip() or "admin@questlog.test"
    users = [
        {"sub": "admin", "email": admin, "email_verified": True, "name": "Admin"},
        {"sub": "dev", "email": "dev@localhost", "email_verified": True, "name": "Dev"},
    ]

    def command(chosen_port: int) -> list[str]:
        claims = [word for user in users for word in ("--user-claims", json.dumps(user))]
        return [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(chosen_port), *claims]

    return Service("identity provider", command, port=port, log=log, env=os.environ)
