"""The search: what it finds, in which order, in any script, and that no input breaks it."""

from typing import Any

import pytest

from tests.conftest import User


def add(user: User, title: str, content: str = "", **fields: Any) -> str:
    made: str = user.post("/infobase", {"title": title, "content": content} | fields).data["id"]
    return made


def titles(user: User, search: str, **query: Any) -> list[str]:
    """The titles that a search finds, in its order."""
    found = user.get("/infobase", query={"search": search} | query).data
    assert found["total"] == len(found["entries"])
    return [entry["title"] for entry in found["entries"]]


def test_every_word_must_be_there(user: User) -> None:
    add(user, "Compression", "A compressor evens out the vocal.")
    add(user, "Vocals", "Sing it again.", tags=["compressor"])
    add(user, "Drums", "No compressor here.")
    assert titles(user, "compressor vocal") == ["Vocals", "Compression"]
    assert titles(user, "compressor vocal nothing") == []


def test_english_word_forms_match(user: User) -> None:
    add(user, "One", "She was mixing drums.")
    assert titles(user, "mixes") == ["One"]
    assert titles(user, "drum") == ["One"]


@pytest.mark.parametrize(
    ("content", "search"),
    [
        ("日本語のテスト", "テスト"),
        ("日本語のテスト", "語"),
        ("我在学习混音技术", "混音"),
        ("한국어로 쓴 메모", "국어"),
        ("ภาษาไทยเขียนติดกัน", "ไทย"),
        ("هذا كِتَابٌ جديد", "كتاب"),
        ("Сведение барабанов", "сведение"),
        ("Ёлка и café", "елка cafe"),
        ("naive", "naïve"),
        ("ΟΔΟΣ", "οδός"),
        ("Straße", "STRASSE"),
        ("हिन्दी में लिखा", "हिन्दी"),
    ],
)
def test_any_script(user: User, content: str, search: str) -> None:
    add(user, "Note", content)
    assert titles(user, search) == ["Note"]


def test_phrase(user: User) -> None:
    add(user, "A", "the drum bus is hot")
    add(user, "B", "the bus of the drum")
    assert titles(user, '"drum bus"') == ["A"]
    assert titles(user, "drum bus") == ["A", "B"]
    assert titles(user, '"of the drum"') == ["B"]
    assert titles(user, '-"drum bus" bus') == ["B"]
    assert titles(user, "-bus") == []
    assert titles(user, "-hot") == ["B"]


@pytest.mark.parametrize(
    "search", ["%", "_", "'", ":*", "!", '"', '"""', "\\", "a'b", "&|!()", "<->", "foo:*", "-", "- -", "(" * 200]
)
def test_hostile(user: User, search: str) -> None:
    add(user, "Note", "text")
    assert titles(user, search) == []


def test_prefix(user: User) -> None:
    add(user, "Note", "compression of drums")
    assert titles(user, "dr") == ["Note"]
    assert titles(user, "dr compression") == []
    assert titles(user, "compression dr") == ["Note"]
    assert titles(user, "c") == []
