"""Pictures of the figures, as SVG beside the document that shows them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from bench import beside
from bench.figure import Figure
from bench.population import HEAVY, SMALL, USUAL

# Reads whose cost is drawn against the rows of the account: those that a history could make slow.
_AGAINST_ROWS: Final = (
    "GET /today",
    "GET /habits",
    "GET /gamification/ledger",
    "GET /gamification/history",
    "GET /focus",
)
_AGAINST_DISTANCE: Final = ("GET /today", "POST /habits/{habit_id}/complete")
SIDES: Final = ("ours", "the usual stack")


class Plot(NamedTuple):
    """A picture: the name of its file without the ending, what it shows, and the drawing."""

    name: str
    shows: str
    drawing: Drawing


def draw(name: str, figure: Figure, folder: Path) -> None:
    """Draw what there is to draw of a figure into the folder, and have the figure show it."""
    if figure.missing or name not in PLOTS:
        return
    folder.mkdir(exist_ok=True)
    # Letters stay text, and a picture of equal numbers is an equal file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "questlog"}):
        for plot in PLOTS[name](figure):
            plot.drawing.savefig(folder / f"{plot.name}.svg", metadata={"Date": None})
            figure.pictures.append((plot.shows, f"{folder.name}/{plot.name}.svg"))


def _beside(figure: Figure) -> Iterator[Plot]:
    """Trips and CPU of the database as bars, and latency against the distance as lines."""
    routes = [row[0] for row in figure.rows]
    for column, name, shows in (
        (1, "trips", "Round trips to the database per request"),
        (3, "database-cpu", "Microseconds of the database's CPU per request"),
    ):
        drawing, axes = _blank(shows)
        _bars(axes, routes, dict(zip(SIDES, _pairs(figure, column), strict=True)))
        yield Plot(name, shows, drawing)
    shows = "Milliseconds per request against the distance to the database"
    drawing, axes = _blank(shows)
    first = len(figure.columns) - len(beside.DISTANCES)
    by_distance = [_pairs(figure, first + number) for number in range(len(beside.DISTANCES))]
    for route in _AGAINST_DISTANCE:
        for side, whose in enumerate(SIDES):
            taken = [pairs[side][routes.index(route)] for pairs in by_distance]
            axes.plot(beside.DISTANCES, taken, marker="o", label=f"{route}, {whose}")
    axes.set_xlabel("milliseconds added to a round trip")
    axes.legend()
    yield Plot("latency", shows, drawing)


def _awards(figure: Figure) -> Iterator[Plot]:
    shows = "Payments per second"
    drawing, axes = _blank(shows)
    rates = {name: [float(cell.split(" / ")[0]) for cell in cells] for name, *cells in figure.rows}
    _bars(axes, figure.columns[1:], rates)
    yield Plot("awards", shows, drawing)


def _scale(figure: Figure) -> Iterator[Plot]:
    shows = "Milliseconds of the database's CPU against the rows of the account's ledger"
    drawing, axes = _blank(shows)
    accounts = (SMALL, USUAL, HEAVY)
    for route, *costs in figure.rows:
        if route in _AGAINST_ROWS:
            taken = [float(cost) for cost in costs[: len(accounts)]]
            axes.plot([account.ledger for account in accounts], taken, marker="o", label=route)
    axes.set_xscale("log")
    axes.legend()
    yield Plot("rows", shows, drawing)


PLOTS: Final[Mapping[str, Callable[[Figure], Iterator[Plot]]]] = {"beside": _beside, "awards": _awards, "scale": _scale}


def _blank(title: str) -> tuple[Drawing, Axes]:
    drawing = Drawing(figsize=(8, 4), layout="constrained")
    axes = drawing.subplots()
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    return drawing, axes


def _bars(axes: Axes, labels: Sequence[str], values: Mapping[str, Sequence[float]]) -> None:
    """Groups of bars that lie, one for each label, so that long labels are read without turning the head."""
    height = 0.8 / len(values)
    for number, (name, of_each) in enumerate(values.items()):
        bars = axes.barh([place + number * height for place in range(len(labels))], of_each, height, label=name)
        axes.bar_label(bars, fmt="%g", padding=2)
    axes.set_yticks([place + 0.4 - height / 2 for place in range(len(labels))], labels)
    axes.invert_yaxis()
    axes.legend()


def _pairs(figure: Figure, column: int) -> list[list[float]]:
    """The values of ours and of theirs, in a column of cells such as "1 / 16"."""
    cells = [[float(value) for value in row[column].split(" / ")] for row in figure.rows]
    return [[cell[side] for cell in cells] for side in (0, 1)]
