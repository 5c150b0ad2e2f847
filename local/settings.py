"""What the functions of the local stack are configured with: defaults here, the environment over them.

Passwords and keys are made once for each data folder and kept there, readable by its owner alone.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from questlog.notifications import VENDORS

# Each login role, by the name of the secret that holds its URL.
LOGINS = {
    "DATABASE_URL": "questlog_app",
    "AUTH_DATABASE_URL": "questlog_auth",
    "OPERATOR_DATABASE_URL": "questlog_operator",
    "JOBS_DATABASE_URL": "questlog_jobs",
    "CONSOLE_DATABASE_URL": "questlog_console",
}

_ORIGINS = ",".join(f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (3000, 3001))
_DEFAULTS = {
    "FRONTEND_URL": "http://localhost:3000",
    "ADMIN_EMAILS": "admin@questlog.test",
    "AUTH_RATE_LIMIT": "0",
    "GOOGLE_CLIENT_ID": "questlog-local",
    "AZURE_CLIENT_SECRET": "",
    "R2_BUCKET": "questlog",
    "MAIL_FROM": "questlog@questlog.test",
    # Push services refuse a localhost address here.
    "VAPID_SUBJECT": "mailto:admin@questlog.test",
    # Besides those of the template, this machine: a test may be browser and push service in one.
    "PUSH_HOSTS": f"{VENDORS},localhost,127.0.0.1",
    "QUESTLOG_COMMIT": "",
    "QUESTLOG_BUILT_AT": "",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


def local_settings(secret: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The settings that are known before anything has started. Addresses of services are added as these start.

    All variables of the environment are included, so that a template variable that is not named here gets its value.
    """
    port = environment.get("PORT", "8080")
    private_key, public_key = vapid_keys(secret["vapid"])
    public_url = f"http://localhost:{port}"
    made = {
        # localhost and not 127.0.0.1, as in the front end's address: browsers keep cookies by host name.
        "PUBLIC_URL": public_url,
        # The gateway's own pages sign in too, so sign-in must be able to return to them.
        "ALLOWED_ORIGINS": f"{_ORIGINS},{public_url}",
        "ADMIN_CLAIM_KEY": secret["claim_key"],
        "EXPORT_SIGNING_KEY": secret["export_key"],
        "UNSUBSCRIBE_KEY": secret["unsubscribe_key"],
        "VAPID_PRIVATE_KEY": private_key,
        "VAPID_PUBLIC_KEY": public_key,
        "GOOGLE_CLIENT_SECRET": secret["google"],
        "R2_ACCESS_KEY_ID": secret["bucket_id"],
        "R2_SECRET_ACCESS_KEY": secret["bucket_key"],
    }
    # The database's address is the administrator's here; what functions get is made from it, role by role.
    return {**_DEFAULTS, **made, **{name: value for name, value in environment.items() if name != "DATABASE_URL"}}


def vapid_keys(seed: str) -> tuple[str, str]:
    """The key pair that signs what is pushed, private and public, in base64url. It follows from the seed."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - the stack starts sooner without it
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - the same

    private = sha256(seed.encode()).digest()
    public = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return _base64url(private), _base64url(point)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def database_urls(admin_url: str, secret: Mapping[str, str]) -> dict[str, str]:
    """The same database for each of the roles that functions log in as, by the names of their secrets."""
    return {name: as_role(admin_url, role, secret[role]) for name, role in LOGINS.items()}


def as_role(url: str, role: str, password: str) -> str:
    """The URL with another login."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{address}"))


def kept_secrets(folder: Path) -> dict[str, str]:
    """The data folder's own passwords and keys, made at the first call."""
    path = folder / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    names = [
        "claim_key",
        "google",
        "bucket_id",
        "bucket_key",
        "export_key",
        "unsubscribe_key",
        "vapid",
        *LOGINS.values(),
    ]
    if missing := [name for name in names if name not in known]:
        known |= {name: secrets.token_hex(16) for name in missing}
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(known))
        unfinished.replace(path)
    return known
