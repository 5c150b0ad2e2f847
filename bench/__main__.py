"""Measure everything and write docs/bench.md: `make bench`, or one figure alone: `make bench ARGS=trips`."""

import argparse
import os
import platform
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from bench import (
    administration,
    assistant,
    audio,
    awards,
    beside,
    capacity,
    cards,
    database_cpu,
    events,
    exports,
    first_request,
    idle_tab,
    imports,
    plots,
    scale,
    searches,
    size,
    training,
    trips,
    warm,
)
from bench.figure import Figure
from bench.stage import Stage

DOCUMENTS: Final = Path(__file__).parents[1] / "docs"

# Counted before timed. A new figure is a script beside these, and a line here.
ON_A_STAGE: Final[Mapping[str, Callable[[Stage], Figure]]] = {
    "trips": trips.measure,
    "first_request": first_request.measure,
    "warm": warm.measure,
    "database_cpu": database_cpu.measure,
    "beside": beside.measure,
    "events": events.measure,
    "training": training.measure,
    "training_history": training.measure_history,
    "cards": cards.measure,
    "searches": searches.measure,
    "administration": administration.measure,
    "idle_tab": idle_tab.measure,
    "assistant": assistant.measure,
    "exports": exports.measure,
    "awards": awards.measure,
    "scale": scale.measure,
    "weight": capacity.measure_weight,
    "day": capacity.measure_day,
}
BY_THEMSELVES: Final[Mapping[str, Callable[[], Figure]]] = {
    "imports": imports.measure,
    "audio": audio.measure,
    "size": size.measure,
}
ORDER: Final = (
    "trips",
    "imports",
    "first_request",
    "warm",
    "database_cpu",
    "beside",
    "events",
    "training",
    "training_history",
    "cards",
    "searches",
    "administration",
    "idle_tab",
    "assistant",
    "exports",
    "awards",
    "scale",
    "weight",
    "day",
    "audio",
    "size",
)

# Measured only when they are asked for, and written to documents of their own: `scale` takes gigabytes and long, and
# docs/scale.md counts with what the others say.
APART: Final[Mapping[str, tuple[str, ...]]] = {"scale": ("scale", "administration"), "capacity": ("weight", "day")}

INTRODUCTION: Final = """# Figures

Written by `{command}`; every number below was measured in one run of it, except where it says "recorded". Trips,
instructions and sizes are counted and come out the same on any machine of this kind. Times and rates are this
machine's, and to be compared within their table only.

Measured on: {machine}.
"""


def main() -> None:
    """Measure what is asked for; the document is written when that is everything, or the figure that stands apart."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "figure", nargs="?", choices=[*ORDER, *APART], help=f"this one only; {' and '.join(APART)} write documents"
    )
    chosen = parser.parse_args().figure
    console = Console()
    figures = []
    server = ""
    apart = {name for names in APART.values() for name in names}
    names = [name for name in ORDER if name not in apart] if chosen is None else APART.get(chosen, (chosen,))
    with _progress(console) as bar:
        task = bar.add_task("a database", total=len(names))
        tell = partial(_describe, bar, task)
        for position, name in enumerate(names, 1):
            tell(name)
            if not console.is_terminal:
                console.print(f"{position} of {len(names)}: {name}")
            if name in BY_THEMSELVES:
                figure = BY_THEMSELVES[name]()
            else:
                # One of its own: the quests and skills that another figure has left would be looked at by every award.
                with Stage(tell) as stage:
                    figure = ON_A_STAGE[name](stage)
                    server = stage.version
            console.print(figure.table())
            if chosen is None or chosen in APART:
                plots.draw(name, figure, DOCUMENTS / "plots")
            figures.append(figure)
            bar.advance(task)
        machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {server}"
    if chosen is None or chosen in APART:
        document = DOCUMENTS / ("bench.md" if chosen is None else f"bench-{chosen}.md")
        command = "make bench" if chosen is None else f"make bench ARGS={chosen}"
        lines = [line for figure in figures for line in figure.markdown()]
        introduction = INTRODUCTION.format(command=command, machine=machine)
        document.write_text("\n".join([introduction, *lines]).rstrip() + "\n", "utf-8")
        console.print(f"written to {document.relative_to(Path.cwd())}")


def _progress(console: Console) -> Progress:
    """A bar of the figures, drawn on a terminal alone; seldom, so that it does not count in what is measured."""
    columns = (SpinnerColumn(), BarColumn(24), MofNCompleteColumn(), TextColumn("{task.description}"))
    return Progress(
        *(*columns, TimeElapsedColumn()),
        console=console,
        transient=True,
        refresh_per_second=2,
        disable=not console.is_terminal,
    )


def _describe(bar: Progress, task: TaskID, what: str) -> None:
    bar.update(task, description=what)


if __name__ == "__main__":
    main()
