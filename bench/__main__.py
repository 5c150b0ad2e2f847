"""Measure everything and write docs/bench.md: `make bench`, or one figure alone: `make bench ARGS=trips`."""

import argparse
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from rich.console import Console

from bench import (
    audio,
    awards,
    cards,
    database_cpu,
    events,
    exports,
    idle_tab,
    imports,
    scale,
    searches,
    size,
    training,
    trips,
    warm,
)
from bench.figure import Figure
from bench.stage import Stage

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "bench.md"

# Counted before timed. A new figure is a script beside these, and a line here.
ON_A_STAGE: Final[Mapping[str, Callable[[Stage], Figure]]] = {
    "trips": trips.measure,
    "warm": warm.measure,
    "database_cpu": database_cpu.measure,
    "events": events.measure,
    "training": training.measure,
    "training_history": training.measure_history,
    "cards": cards.measure,
    "searches": searches.measure,
    "idle_tab": idle_tab.measure,
    "exports": exports.measure,
    "awards": awards.measure,
    "scale": scale.measure,
}
BY_THEMSELVES: Final[Mapping[str, Callable[[], Figure]]] = {
    "imports": imports.measure,
    "audio": audio.measure,
    "size": size.measure,
}
ORDER: Final = (
    "trips",
    "imports",
    "warm",
    "database_cpu",
    "events",
    "training",
    "training_history",
    "cards",
    "searches",
    "idle_tab",
    "exports",
    "awards",
    "scale",
    "audio",
    "size",
)

INTRODUCTION: Final = """# Figures

Written by `make bench`; every number below was measured in one run of it, except where it says "recorded". Trips,
instructions and sizes are counted and come out the same on any machine of this kind. Times and rates are this
machine's, and to be compared within their table only.

Measured on: {machine}.
"""


def main() -> None:
    """Measure what is asked for; the document is written when that is everything."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("figure", nargs="?", choices=ORDER, help="this one only, and leave the document alone")
    chosen = parser.parse_args().figure
    console = Console()
    figures = []
    with Stage() as stage:
        for name in ORDER if chosen is None else (chosen,):
            figure = ON_A_STAGE[name](stage) if name in ON_A_STAGE else BY_THEMSELVES[name]()
            console.print(figure.table())
            figures.append(figure)
        machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {stage.version}"
    if chosen is None:
        lines = [line for figure in figures for line in figure.markdown()]
        DOCUMENT.write_text("\n".join([INTRODUCTION.format(machine=machine), *lines]).rstrip() + "\n", "utf-8")
        console.print(f"written to {DOCUMENT.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
