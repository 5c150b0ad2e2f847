"""Which app a file of books comes from, and its books."""

from typing import Literal

from questlog.importing.problems import Unreadable
from questlog.importing.tables import read_table

from functions.books import goodreads, storygraph
from functions.books.shelf import Shelf

Format = Literal["auto", "goodreads", "storygraph", "questlog"]


def read(data: bytes, source: Format = "auto") -> Shelf:
    """The books in a file. Raises Refused, with the reason, if it does not have the given format."""
    table = read_table(data)
    if source in ("auto", "goodreads", "questlog") and goodreads.recognises(table):
        return goodreads.read(table, own=source == "questlog")
    if source in ("auto", "storygraph") and storygraph.recognises(table):
        return storygraph.read(table)
    of_goodreads = "Title, Author and Exclusive Shelf (Goodreads)"
    of_storygraph = "Title, Authors and Read Status (StoryGraph)"
    wanted = {"auto": f"{of_goodreads} or {of_storygraph}", "storygraph": of_storygraph}.get(source, of_goodreads)
    raise Unreadable(f"is not such an export: looked for the columns {wanted}, found {table.found()}")
