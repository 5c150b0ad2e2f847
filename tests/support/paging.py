"""Lists that are returned whole unless a page of them is asked for (platform contract, 1, rule 8)."""

from typing import Any

from tests.support.client import Client


def has_pages(user: Client, path: str, name: str, **filters: Any) -> None:
    """Assert that pages of two make up the whole list, which has three items, and that other pages are refused.

    What the answer has beside the list is on each page as it is beside the whole list.
    """

    def page(**query: Any) -> dict[str, Any]:
        answer = user.get(path, query=filters | query)
        assert answer.status == 200, answer.text
        document: dict[str, Any] = answer.json.get("data", answer.json)
        return document

    beside = page()
    whole = beside.pop(name)
    assert len(whole) == 3
    assert beside.pop("total", 3) == 3
    assert not {"page", "page_size"} & set(beside)
    assert page(page_size=2) == {**beside, name: whole[:2], "total": 3, "page": 1, "page_size": 2}
    assert page(page_size=2, page=2) == {**beside, name: whole[2:], "total": 3, "page": 2, "page_size": 2}
    assert page(page=1) == {**beside, name: whole, "total": 3, "page": 1, "page_size": 100}
    assert page(page=1_000_000, page_size=100)[name] == []
    for query in ({"page": 0}, {"page": 1_000_001}, {"page_size": 0}, {"page_size": 101}):
        user.get(path, query=filters | query).invalid(*query)
