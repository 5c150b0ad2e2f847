"""The pictures of the figures are drawings that any program shows, and the document names them."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import beside, plots
from bench.figure import Figure

BESIDE = Figure("Beside", "Read so.", ("route", "trips", "function", "database", "ratio", *map(str, beside.DISTANCES)))
BESIDE.add(
    "GET /today", "1 / 16", "10 / 90", "20 / 25", "0.80", "2.0 / 9.5", "4.0 / 41.5", "12.0 / 170.0", "42.0 / 650.0"
)
BESIDE.add("POST /habits/{habit_id}/complete", "1 / 13", "9 / 8", "2 / 2", "1", "1 / 2", "3 / 4", "5 / 6", "7 / 8")
AWARDS = Figure("Awards", "Read so.", ("what", "1 conn.", "4 conn."))
AWARDS.add("award", "1951 / 410", "3813 / 450")
SCALE = Figure("Scale", "Read so.", ("what", "small", "usual", "heavy", "rows shown", "factor"))
SCALE.add("GET /today", "1.83", "2.48", "10.90", "2", "5.96")
SCALE.add("POST /focus", "1", "1", "1", "1", "1")


@pytest.mark.parametrize(
    ("name", "figure", "files", "words"),
    [
        ("beside", BESIDE, ["trips", "database-cpu", "latency"], ["the usual stack", "GET /today, ours", "16"]),
        ("awards", AWARDS, ["awards"], ["award", "1951"]),
        ("scale", SCALE, ["rows"], ["GET /today"]),
    ],
)
def test_a_figure_is_drawn(tmp_path: Path, name: str, figure: Figure, files: list[str], words: list[str]) -> None:
    figure.pictures.clear()
    plots.draw(name, figure, tmp_path / "plots")
    assert [file for _, file in figure.pictures] == [f"plots/{file}.svg" for file in files]
    drawn = [ET.parse(tmp_path / file) for _, file in figure.pictures]
    text = " ".join(" ".join(drawing.getroot().itertext()) for drawing in drawn)
    assert [word for word in words if word not in text] == []
    assert not any(element.tag.endswith("script") for drawing in drawn for element in drawing.iter())
    document = "\n".join(figure.markdown())
    assert all(f"![{shows}]({file})" in document for shows, file in figure.pictures)


def test_what_was_not_measured_is_not_drawn(tmp_path: Path) -> None:
    plots.draw("awards", Figure("Awards", "Read so.", ("what",)).without_rows("there is none"), tmp_path / "plots")
    assert not (tmp_path / "plots").exists()
