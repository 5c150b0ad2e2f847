"""Mail by Amazon SES, API version 2: plain text and HTML, with a way out that needs no sign-in (RFC 8058)."""

import os
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from html import escape
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from questlog.notifications import channels, unsubscribe_token
from questlog.settings import settings

from functions.notifier.outcome import DELIVERED, FAILED, Outcome, tried_again
from functions.notifier.settings import sender_settings

# SES is busy, or sends no more today; every other refusal is of the message itself.
_BUSY: Final = frozenset({"TooManyRequestsException", "LimitExceededException", "SendingPausedException"})

# SES takes lines that end with CRLF and have ASCII alone; a header that is set raw stays on one line.
_POLICY: Final = SMTP.clone(cte_type="7bit", refold_source="none")


def mail(delivery: Mapping[str, Any]) -> Outcome:
    """Send a message to the user's address."""
    message = message_of(delivery)
    try:
        _client().send_email(
            FromEmailAddress=channels().mail_from,
            Destination={"ToAddresses": [delivery["address"]]},
            Content={"Raw": {"Data": message.as_bytes()}},
        )
    except ClientError as error:
        refused = error.response
        status = refused.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        if status >= 500 or status == 429 or refused.get("Error", {}).get("Code") in _BUSY:
            return tried_again(delivery["attempts"])
        return FAILED
    except BotoCoreError:
        return tried_again(delivery["attempts"])
    return DELIVERED


def message_of(delivery: Mapping[str, Any]) -> EmailMessage:
    """The mail: both forms say the same, and where to turn mail off."""
    here = channels()
    token = unsubscribe_token(delivery["user_id"], here.unsubscribe_key)
    way_out = f"{settings().public_url}/notifications/unsubscribe/{token}"
    link = f"{sender_settings().frontend_url}{delivery['path']}"
    message = EmailMessage(policy=_POLICY)
    message["From"] = f"Questlog <{here.mail_from}>"
    message["To"] = delivery["address"]
    message["Subject"] = delivery["title"]
    # As it is: the standard library writes what is longer than a line in encoded words, and no mail program takes an
    # address from those (RFC 2047, 5).
    message.set_raw("List-Unsubscribe", f"<{way_out}>")
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(
        f"{delivery['title']}\n\n{delivery['body']}\n\n{link}\n\n-- \nTo get no more mail of this kind: {way_out}\n"
    )
    message.add_alternative(
        "<!doctype html><html><body>"
        f"<h1>{escape(delivery['title'])}</h1><p>{escape(delivery['body'])}</p>"
        f'<p><a href="{escape(link)}">Open Questlog</a></p>'
        f'<hr><p><small><a href="{escape(way_out)}">Get no more mail of this kind</a></small></p>'
        "</body></html>\n",
        subtype="html",
    )
    return message


@cache
def _client() -> Any:
    endpoint = sender_settings().mail_endpoint
    session = get_session()
    if endpoint is not None:
        # The stand-in of the local stack asks for no credentials, and has none to give away.
        session.set_credentials("local", "local")
    return session.create_client(
        "sesv2",
        region_name=os.environ.get("AWS_REGION", "us-east-1"),
        endpoint_url=endpoint,
        config=Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1}, max_pool_connections=32),
    )
