"""How large what is deployed is, unzipped: Lambda downloads and unpacks it at every cold start."""

from pathlib import Path
from typing import Final

from bench.figure import Figure

BUILD: Final = Path(__file__).parents[1] / ".aws-sam" / "build"
BUDGET_MB: Final = 120
WORKER_MB: Final = 230
LAMBDA_MB: Final = 250


def measure() -> Figure:
    """The layer's largest packages, the functions, and what counts: a function with its layers."""
    figure = Figure(
        "Size",
        f"Megabytes unzipped of what `make build` made. At most {BUDGET_MB} for the layer with the largest function, "
        f"and {WORKER_MB} for the audio worker with its two; Lambda refuses {LAMBDA_MB}.",
        ("what", "MB"),
    )
    if not BUILD.is_dir():
        return figure.without_rows("there is no build here; `make build` makes one")
    parts = {path.name: _megabytes(path) for path in BUILD.iterdir() if path.is_dir()}
    layer, audio, worker = (parts.pop(name) for name in ("CommonLayer", "AudioLayer", "AudioWorkerFunction"))
    # Of the other layers each goes with one function, and is smaller than the audio worker's.
    parts = {name: size for name, size in parts.items() if not name.endswith("Layer")}
    packages = {path.name: _megabytes(path) for path in (BUILD / "CommonLayer" / "python").iterdir() if path.is_dir()}
    for name in sorted(packages, key=packages.__getitem__, reverse=True)[:6]:
        figure.add(f"layer: {name}", f"{packages[name]:.1f}")
    figure.add("the layer", f"{layer:.1f}")
    largest = max(parts, key=parts.__getitem__)
    figure.add(f"the largest function: {largest}", f"{parts[largest]:.1f}")
    figure.add("together", f"{layer + parts[largest]:.1f}")
    figure.add("the audio worker's own layer", f"{audio:.1f}")
    figure.add("the audio worker with both layers", f"{layer + audio + worker:.1f}")
    return figure


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
