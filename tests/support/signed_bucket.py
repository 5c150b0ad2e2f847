"""moto's S3 behind a check of signatures, which moto itself takes whatever they are.

The check is written from AWS's description of Signature Version 4 ("Authenticating Requests: Using Query Parameters"),
and shares no code with botocore, which signs.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl, quote

import requests
from moto import mock_aws
from werkzeug.serving import make_server

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_LONGEST: Final = timedelta(days=7)
# How far the clock of who signed may be ahead of the bucket's.
_SKEW: Final = timedelta(minutes=15)


class SignatureCheck:
    """A WSGI application that answers 403 to what is not signed with this key for now, and hands the rest on."""

    def __init__(self, application: Application, access_key_id: str, secret_access_key: str) -> None:
        self._application = application
        self._access_key_id = access_key_id
        self._secret = secret_access_key

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        reason = self._refusal(environ)
        if reason is None:
            return self._application(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "application/xml")])
        return [f"<Error><Code>AccessDenied</Code><Message>{reason}</Message></Error>".encode()]

    def _refusal(self, environ: dict[str, Any]) -> str | None:
        target: str = environ["RAW_URI"]
        path, _, text = target.partition("?")
        pairs = parse_qsl(text, keep_blank_values=True)
        query = dict(pairs)
        signature = query.pop("X-Amz-Signature", "")
        key_id, _, scope = query.get("X-Amz-Credential", "").partition("/")
        if len(pairs) != len(query) + 1 or query.get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256":
            return "The request is not signed."
        if key_id != self._access_key_id:
            return "The key is unknown."
        if query.get("X-Amz-SignedHeaders") != "host":
            return "Other headers than the host are signed."
        canonical = "\n".join(
            [
                environ["REQUEST_METHOD"],
                path,
                "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(query.items())),
                f"host:{environ['HTTP_HOST']}",
                "",
                "host",
                "UNSIGNED-PAYLOAD",
            ]
        )
        if not hmac.compare_digest(self._signature(canonical, query["X-Amz-Date"], scope), signature):
            return "The signature does not match."
        return _outside_its_time(query)

    def _signature(self, canonical: str, signed_at: str, scope: str) -> str:
        key = f"AWS4{self._secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        return hmac.new(key, f"AWS4-HMAC-SHA256\n{signed_at}\n{scope}\n{hashed}".encode(), "sha256").hexdigest()


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _outside_its_time(query: dict[str, str]) -> str | None:
    if not re.fullmatch("[0-9]+", query["X-Amz-Expires"]):
        return "The lifetime is no number."
    signed_at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    lifetime = timedelta(seconds=int(query["X-Amz-Expires"]))
    now = datetime.now(UTC)
    if lifetime > _LONGEST:
        return "The lifetime is longer than a week."
    return None if signed_at - _SKEW <= now < signed_at + lifetime else "The request has expired."


def _moto(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """moto's answer: inside mock_aws(), what is sent to AWS goes to it."""
    content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    sent = {"Range": environ.get("HTTP_RANGE"), "Content-Type": environ.get("CONTENT_TYPE")}
    headers = {name: value for name, value in sent.items() if value}
    url = f"https://s3.amazonaws.com{environ['RAW_URI']}"
    answer = requests.request(environ["REQUEST_METHOD"], url, data=content, headers=headers, timeout=30)
    kept = {name: answer.headers[name] for name in ("Content-Type", "Content-Range") if name in answer.headers}
    start_response(f"{answer.status_code} {answer.reason}", list(kept.items()))
    return [answer.content]


@contextmanager
def serve(name: str, access_key_id: str, secret_access_key: str) -> Iterator[str]:
    """The address of moto's S3 with the check in front of it, in this process, and with one bucket."""
    server = make_server("127.0.0.1", 0, SignatureCheck(_moto, access_key_id, secret_access_key), threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    with mock_aws():
        requests.put(f"https://s3.amazonaws.com/{name}", timeout=30).raise_for_status()
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
