"""The identity provider of the local stack, to which the functions turn as they would to Google.

Its page asks only for a `sub`, the name of one of its users; `PUT {provider}/users/{sub}` sets a user's claims. Run as
a program, it is the server: oidc-provider-mock, where a name that nobody has set becomes a verified user of its own.
"""

import json
import os
import sys
from pathlib import Path
from urllib.parse import quote

from local.service import Service


def start(port: int, admin_emails: str, log: Path) -> Service:
    """The provider, with a user `admin` for the first of the administrators' addresses and a user `dev`."""
    admin = admin_emails.partition(",")[0].strip() or "admin@questlog.test"
    users = [
        {"sub": "admin", "email": admin, "email_verified": True, "name": "Admin"},
        {"sub": "dev", "email": "dev@localhost", "email_verified": True, "name": "Dev"},
    ]

    def command(chosen_port: int) -> list[str]:
        return [sys.executable, "-W", "ignore", "-m", "local.provider", str(chosen_port), json.dumps(users)]

    return Service("identity provider", command, port=port, log=log, env=os.environ)


def claims_of_a_new_name(name: str) -> dict[str, object]:
    """The claims of a user who typed this name, or e-mail address, into the form.

    Sign-in accepts no address with a space in it, and letters beyond A to Z only in lower case.
    """
    address = "-".join(name.split()).lower()
    email = address if "@" in address else f"{address}@questlog.test"
    return {"email": email, "email_verified": True, "name": name.partition("@")[0].strip()}


def serve(port: int, users: list[dict[str, str]]) -> None:
    """Be the server, until stopped."""
    import oidc_provider_mock  # noqa: PLC0415 - only the server needs these, and the stack starts sooner without
    from flask import Flask, request  # noqa: PLC0415 - the same

    known = {user["sub"] for user in users}
    claims = [oidc_provider_mock.User(sub=user["sub"], claims={**user}) for user in users]
    app: Flask = oidc_provider_mock.app(user_claims=claims)

    @app.before_request
    def make_users_of_new_names() -> None:
        name = request.form.get("sub", "")
        if request.method == "PUT" and request.path.startswith("/users/"):
            known.add(request.path.removeprefix("/users/"))
        elif request.path == "/oauth2/authorize" and name and name not in known:
            app.test_client().put(f"/users/{quote(name, safe='')}", json=claims_of_a_new_name(name))

    app.run(host="127.0.0.1", port=port, threaded=True, debug=False, use_debugger=False)


if __name__ == "__main__":
    serve(int(sys.argv[1]), json.loads(sys.argv[2]))
