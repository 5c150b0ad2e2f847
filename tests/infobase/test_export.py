"""The export: a ZIP archive of Markdown files."""

import zipfile
from datetime import UTC, datetime
from io import BytesIO

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.infobase.exporting import Names, archive, file_name
from functions.infobase.models import ExportRow
from tests.conftest import Database, User
from tests.infobase.conftest import added


def files(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(BytesIO(content)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name).decode() for name in opened.namelist()}


def row(title: str, category: str = "Tips", content: str | None = "", part: int = 1, **fields: object) -> ExportRow:
    at = datetime(2031, 5, 7, 12, 30, 15, 123456, tzinfo=UTC)
    known = {"tags": [], "is_pinned": False, "created_at": at, "updated_at": at}
    return ExportRow.model_validate(
        {"title": title, "category": category, "content": content, "part": part} | known | fields
    )


def test_a_file_for_each_entry(user: User) -> None:
    added(
        user,
        "Gain: staging",
        "# Title\n\nLeave *headroom*.\n",
        category="Mix/Master",
        tags=["a b", 'c"d'],
        is_pinned=True,
    )
    added(user, "日本語", "テスト")
    gone = added(user, "Gone")
    user.delete(f"/infobase/{gone['id']}")
    answer = user.get("/infobase/export.zip")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="infobase.zip"'
    assert answer.headers["cache-control"] == "no-store"
    exported = files(answer.content)
    assert set(exported) == {"Mix_Master/Gain_ staging.md", "Tips/日本語.md"}
    _, head, content = exported["Mix_Master/Gain_ staging.md"].split("---\n", 2)
    assert content == "# Title\n\nLeave *headroom*.\n"
    fields = yaml.safe_load(head)
    assert list(fields) == ["title", "tags", "created", "updated", "pinned"]
    assert (fields["title"], fields["tags"], fields["pinned"]) == ("Gain: staging", ["a b", 'c"d'], True)
    assert fields["created"].tzinfo is not None


def test_nothing_is_an_archive_too(user: User) -> None:
    assert files(user.get("/infobase/export.zip").content) == {}


def test_what_is_too_large_comes_in_parts(user: User) -> None:
    names = []
    for n in range(10):
        added(user, "Long", "—" * 99_999)
        names.append(f"Tips/Long ({n + 1}).md" if n else "Tips/Long.md")
    for _ in range(3):
        added(user, "Longer", "—" * 100_000)
    details = user.get("/infobase/export.zip").refused(413, "answer_too_large")
    assert details == {"parts": 2}
    first, second = (user.get("/infobase/export.zip", query={"part": n}) for n in (1, 2))
    assert 'part=2>; rel="next"' in first.headers["link"]
    assert "link" not in second.headers
    together = [*files(first.content), *files(second.content)]
    assert sorted(together) == sorted([*names, "Tips/Longer.md", "Tips/Longer (2).md", "Tips/Longer (3).md"])
    user.get("/infobase/export.zip", query={"part": 3}).refused(404, "not_found")
    user.get("/infobase/export.zip", query={"part": 0}).invalid("part")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("plain", "plain"),
        ('a<b>c:d"e/f\\g|h?i*j', "a_b_c_d_e_f_g_h_i_j"),
        ("a\nb\x1fc\x7f", "a_b_c_"),
        ("dots... ", "dots"),
        ("...", "untitled"),
        (" ", "untitled"),
        (".hidden", "_hidden"),
        ("con", "con_"),
        ("NUL", "NUL_"),
        ("Com1.txt", "Com1_.txt"),
        ("console", "console"),
        ("com10", "com10"),
        ("x" * 101, "x" * 100),
        ("é" * 51, "é" * 50),
        ("x" + "長" * 33 + "長", "x" + "長" * 33),
        ("x" * 99 + ".y", "x" * 99),
    ],
)
def test_names(text: str, name: str) -> None:
    assert file_name(text) == name


def test_names_that_are_equal_but_for_case_or_form() -> None:
    names = Names()
    assert [names.take(name) for name in ("Café", "CAFE\u0301", "café (2)", "Café", "x")] == [
        "Café",
        "CAFE\u0301 (2)",
        "café (2) (2)",
        "Café (3)",
        "x",
    ]
    assert len(names.take("y" * 200).encode()) == 100
    assert names.take("y" * 200) == "y" * 96 + " (2)"


def test_folders_that_are_equal_but_for_case() -> None:
    exported = files(archive([row("A", "tips"), row("A", "Tips"), row("B", "tips")], 1))
    assert set(exported) == {"tips/A.md", "Tips (2)/A.md", "tips/B.md"}


def test_names_count_the_other_parts() -> None:
    rows = [row("A", content=None, part=1), row("A", content="x", part=2)]
    assert set(files(archive(rows, 2))) == {"Tips/A (2).md"}


@settings(max_examples=60)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60), max_size=8))
def test_any_title_comes_back_from_the_front_matter(titles: list[str]) -> None:
    exported = files(archive([row(title or "x", tags=titles[:3]) for title in titles], 1))
    assert len({name.casefold() for name in exported}) == len(titles)
    for title, text in zip(titles, exported.values(), strict=True):
        fields = yaml.safe_load(text.split("---\n")[1])
        assert (fields["title"], fields["tags"]) == (title or "x", titles[:3])


def test_of_another_user_nothing(user: User, other: User, database: Database) -> None:
    added(other, "Theirs")
    assert files(user.get("/infobase/export.zip").content) == {}
