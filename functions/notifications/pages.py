"""The pages that a link of a mail leads to. They load nothing, and run no script."""

from typing import Final

from starlette.responses import Response

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_STYLE: Final = "body{font:18px/1.5 system-ui;max-width:30rem;margin:20vh auto;padding:0 1rem}button{font:inherit}"
# Without an action the form is sent to the page's own address.
_BUTTON: Final = '<form method="post"><button>Get no more mail</button></form>'


def page(sentence: str, *, with_button: bool = False) -> Response:
    """A page that says one sentence of ours, with a button or without."""
    head = f'<meta name="viewport" content="width=device-width"><title>Questlog</title><style>{_STYLE}</style>'
    body = f"<p>{sentence}</p>{_BUTTON if with_button else ''}"
    content = f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    return Response(content, headers=headers, media_type="text/html")
