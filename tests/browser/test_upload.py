"""A page uploads a file straight to the bucket, plays a part of it, and sees it measured within seconds."""

import base64
import json
import time

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.test_front_end import opened
from tests.reference.uploads import tone

pytestmark = pytest.mark.xdist_group("browser")

PUT = """
async ([url, content]) => {
  const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
  const answer = await fetch(url, {method: "PUT", headers: {"content-type": "audio/wav"}, body: bytes});
  return [answer.status, answer.headers.get("etag")];
}
"""
GET_PART = """
async url => {
  const answer = await fetch(url, {headers: {range: "bytes=0-3"}});
  return [answer.status, answer.headers.get("content-range"), await answer.text()];
}
"""


def test_a_file_goes_to_the_bucket_and_is_measured(visitor: BrowserContext, gateway: str, frontend: str) -> None:
    app, content = opened(visitor, gateway, frontend), tone(2.0)
    app.ask_to_sign_in()
    app.type_name("listener")
    app.page.wait_for_url(f"{frontend}/done")
    assert app.call("/auth/accept-tos", "POST", '{"accepted": true}')["status"] == 200

    begun = {"filename": "tone.wav", "mime_type": "audio/wav", "file_size": len(content)}
    upload = app.call("/reference/upload/init", "POST", json.dumps(begun))["json"]
    status, etag = app.page.evaluate(PUT, [upload["url"], base64.b64encode(content).decode()])
    assert (status, bool(etag)) == (200, True)
    track = app.call("/reference/tracks", "POST", json.dumps({"name": "Tone", "r2_key": upload["r2_key"]}))["json"]
    assert (track["status"], track["duration_seconds"]) == ("ready", 2.0)

    stream = app.call(f"/reference/tracks/{track['id']}/stream")["json"]
    assert app.page.evaluate(GET_PART, stream["url"]) == [206, f"bytes 0-3/{len(content)}", "RIFF"]

    path = f"/reference/tracks/{track['id']}/analysis"
    analysis = app.call(path, "POST")["json"]
    assert analysis["status"] == "pending"
    deadline = time.monotonic() + 60
    while analysis["status"] in ("pending", "running") and time.monotonic() < deadline:
        app.page.wait_for_timeout(500)
        analysis = app.call(path)["json"]
    assert (analysis["status"], analysis["summary"]["duration_ms"]) == ("completed", 2000)
    window = app.call(f"/frames/analysis/{analysis['id']}/frames?from_ms=0&to_ms=2000")["json"]
    assert window["total_frames"] == 40
