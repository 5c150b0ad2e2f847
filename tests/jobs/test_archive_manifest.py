"""The manifest's signature: under the first key of the list, trusted under any."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from questlog.settings import Misconfigured

from functions.jobs.archive import manifest

OLD, NEW = b"o" * 32, b"n" * 32
UNSIGNED: dict[str, Any] = {"format": "questlog-export", "user": {"id": "1", "email": "ä@b.test"}, "tables": {}}


def test_the_signature_is_that_of_the_contract() -> None:
    signed = manifest.signed(UNSIGNED, NEW)
    text = json.dumps({**UNSIGNED, "key_id": signed["key_id"]}, sort_keys=True, separators=(",", ":"))
    assert signed["signature"] == hmac.new(NEW, text.encode(), hashlib.sha256).hexdigest()
    assert signed["key_id"] == hashlib.sha256(NEW).hexdigest()[:8]


def test_any_key_of_the_list_is_trusted_and_no_other() -> None:
    signed = json.loads(manifest.written(manifest.signed(UNSIGNED, OLD)))
    assert manifest.is_trusted(signed, [NEW, OLD])
    assert not manifest.is_trusted(signed, [NEW])
    assert not manifest.is_trusted(signed, [])


@pytest.mark.parametrize(
    "change",
    [{"format": "other"}, {"tables": {"habits": {}}}, {"key_id": "00000000"}, {"more": 1}, {"more": "\ud800"}],
)
def test_a_changed_manifest_is_not_trusted(change: dict[str, Any]) -> None:
    assert not manifest.is_trusted({**manifest.signed(UNSIGNED, NEW), **change}, [NEW])


@pytest.mark.parametrize("signature", [None, 1, "", "\ud800", "ä", "0" * 64])
def test_another_signature_is_not_trusted(signature: object) -> None:
    assert not manifest.is_trusted({**manifest.signed(UNSIGNED, NEW), "signature": signature}, [NEW])
    assert not manifest.is_trusted(UNSIGNED, [NEW])


def test_keys_are_a_list_of_which_none_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPORT_SIGNING_KEY", f"{'n' * 32} , {'o' * 32}")
    assert manifest.signing_keys() == [NEW, OLD]
    for bad in ("", " ", "n" * 31, f"{'n' * 32},", f",{'n' * 32}", f"{'n' * 32},{'o' * 31}"):
        monkeypatch.setenv("EXPORT_SIGNING_KEY", bad)
        with pytest.raises(Misconfigured, match="EXPORT_SIGNING_KEY"):
            manifest.signing_keys()
