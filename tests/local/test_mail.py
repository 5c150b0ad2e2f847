"""The stand-in for SES: a real client sends to it, and a browser reads."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session

from local import mail
from local.service import Service


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Service]:
    with mail.start(tmp_path / "mail", tmp_path / "mail.log") as service:
        service.ready()
        yield service


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


def test_what_is_sent_is_shown(post: Service, tmp_path: Path) -> None:
    session = get_session()
    session.set_credentials("local", "local")
    client: Any = session.create_client("sesv2", region_name="us-east-1", endpoint_url=post.url)
    message = EmailMessage()
    message["To"] = "ada@questlog.test"
    message["Subject"] = "Stretch & <b>bend</b>"
    message.set_content("It is time: https://questlog.test/habits\n")
    message.add_alternative("<p>It is <script>alert(1)</script>time</p>", subtype="html")
    assert "none yet" in get(post.url)
    answer = client.send_email(
        FromEmailAddress="a@questlog.test",
        Destination={"ToAddresses": ["ada@questlog.test"]},
        Content={"Raw": {"Data": message.as_bytes()}},
    )
    listed = get(post.url)
    assert "Stretch &amp; &lt;b&gt;bend&lt;/b&gt;" in listed
    shown = get(f"{post.url}/{answer['MessageId']}")
    assert '<a href="https://questlog.test/habits">' in shown
    assert "<iframe sandbox srcdoc" in shown
    assert "<script>" not in shown
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1


def test_what_is_no_mail(post: Service) -> None:
    session = get_session()
    session.set_credentials("local", "local")
    client: Any = session.create_client("sesv2", region_name="us-east-1", endpoint_url=post.url)
    with pytest.raises(ClientError):
        client.send_email(Content={"Simple": {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}})
    for path in ("nothing", "..%2f..%2fetc%2fpasswd", "../mail.log"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(f"{post.url}/{path}")
