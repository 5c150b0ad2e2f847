"""The stand-in for Amazon SES: takes mails as the real one does, keeps them as files, and shows them.

Run as a program, it is the server: `POST /v2/email/outbound-emails` is what a client of SES asks (API version 2,
SendEmail with a raw message); `GET /` lists the mails, `GET /{name}` shows one.
"""

import base64
import binascii
import json
import os
import re
import sys
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from local.service import Service

_SENDING = "/v2/email/outbound-emails"
# The newest that are kept.
_KEPT = 200
_STYLE = "body{font:16px/1.5 system-ui;max-width:50rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap}"


def start(folder: Path, log: Path) -> Service:
    """The server, which keeps its mails in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return Service(
        "mail",
        lambda port: [sys.executable, "-m", "local.mail", str(port), str(folder)],
        port=0,
        log=log,
        env=os.environ,
    )


class Mailbox:
    """Mails as files of a folder, named by when they came."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, raw: bytes) -> str:
        """Store a mail; returns its name. The oldest go."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{uuid4().hex[:8]}"
        (self._folder / f"{name}.eml").write_bytes(raw)
        for old in self.names()[_KEPT:]:
            (self._folder / f"{old}.eml").unlink(missing_ok=True)
        return name

    def names(self) -> list[str]:
        """The names of all mails, the newest first."""
        return sorted((path.stem for path in self._folder.glob("*.eml")), reverse=True)

    def read(self, name: str) -> EmailMessage | None:
        """A mail; None where there is none of this name."""
        path = self._folder / f"{name}.eml"
        if not re.fullmatch(r"[0-9TZa-f-]+", name) or not path.exists():
            return None
        return message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=policy.default)


def raw_message(body: bytes) -> bytes | None:
    """The message of a SendEmail request; None where it holds none."""
    try:
        return base64.b64decode(json.loads(body)["Content"]["Raw"]["Data"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None


def listing(mailbox: Mailbox) -> str:
    """The page of all mails."""
    rows = []
    for name in mailbox.names():
        mail = mailbox.read(name)
        if mail is not None:
            rows.append(f'<li><a href="/{name}">{escape(str(mail["Subject"]))}</a> to {escape(str(mail["To"]))}</li>')
    return _page("Mails", f"<h1>Mails</h1><ul>{''.join(rows) or '<li>none yet</li>'}</ul>")


def shown(mail: EmailMessage) -> str:
    """The page of a mail: its headers, its text with links to follow, and its HTML in a frame without scripts."""
    headers = "\n".join(f"{name}: {value}" for name, value in mail.items())
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    plain = escape(text.get_content()) if text else ""
    linked = re.sub(r"(https?://[^\s&]+)", r'<a href="\1">\1</a>', plain)
    frame = f'<iframe sandbox srcdoc="{escape(html.get_content())}" width="100%" height="320"></iframe>' if html else ""
    return _page(
        str(mail["Subject"]), f'<p><a href="/">All mails</a></p><pre>{escape(headers)}\n\n{linked}</pre>{frame}'
    )


def _page(title: str, body: str) -> str:
    head = f"<title>{escape(title)}</title><style>{_STYLE}</style>"
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"


def serve(port: int, folder: Path) -> None:
    """Be the server, until stopped."""
    mailbox = Mailbox(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = raw_message(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
            if urlsplit(self.path).path != _SENDING or raw is None:
                self._answer(400, "application/json", '{"message": "This is no SendEmail with a raw message."}')
                return
            self._answer(200, "application/json", json.dumps({"MessageId": mailbox.keep(raw)}))

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            mail = mailbox.read(path[1:])
            if path == "/":
                self._answer(200, "text/html; charset=utf-8", listing(mailbox))
            elif mail is not None:
                self._answer(200, "text/html; charset=utf-8", shown(mail))
            else:
                self._answer(404, "text/plain", "There is no such mail.")

        def _answer(self, status: int, content_type: str, text: str) -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
