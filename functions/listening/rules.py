"""What the listening routes work out of their rows: suggestions, tables for spreadsheets, checklists, pages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args
from uuid import UUID

from functions.listening.models import Paging
from functions.listening.note_models import Analyzed, Annotation, Downbeat, SectionType, Suggestion, TrackLength
from functions.listening.session_models import Item, ItemRow, NewItem, PromptCategory, Session, SessionRow

Source: TypeAlias = Literal["sections", "beats", "grid"]

# Regions --------------------------------------------------------------------------------------------------------------

_SLICE_MS: Final = 5_000
_BEATS_PER_BAR: Final = 4
_MINUTE_MS: Final = 60_000
# A tempo of the user's that differs by no more than this part is taken for the detected one.
_SAME_TEMPO: Final = 0.01
# How sure a suggestion is: a tempo given by the user tells the length of bars, not where they begin; a slice nothing.
_CONFIDENCE_OF_TEMPO: Final = 0.5
_CONFIDENCE_OF_SLICES: Final = 0.1


def suggestions(
    track: TrackLength, analysis: Analyzed | None, downbeats: Sequence[Downbeat], *, bars: int, limit: int
) -> list[Suggestion]:
    """Suggest at most `limit` regions that begin at 0, follow each other and end inside the track.

    They are the sections that the analysis found; else groups of `bars` bars, on the detected beats, or by the user's
    tempo if that is another one; else slices of 5 s. None if the length of the track is not known.
    """
    duration = _duration_ms(track, analysis)
    if not duration:
        return []
    found: Iterable[Suggestion]
    if analysis and analysis.sections:
        found = _sections(analysis.sections, duration)
    elif analysis and downbeats and _is_tempo_of(track.bpm, analysis.bpm):
        # What is before the first beat belongs to the first group.
        borders = (beat.time_ms for beat in downbeats[bars::bars])
        found = _groups(borders, duration, bars, "beats", analysis.bpm_confidence)
    elif track.bpm:
        width = bars * _BEATS_PER_BAR * _MINUTE_MS / track.bpm
        found = _groups(_grid(width), duration, bars, "grid", _CONFIDENCE_OF_TEMPO)
    else:
        found = _slices(duration)
    return list(islice(found, limit))


def _duration_ms(track: TrackLength, analysis: Analyzed | None) -> int | None:
    if analysis is not None:
        return analysis.duration_ms
    return None if track.duration_seconds is None else int(1000 * track.duration_seconds)


def _is_tempo_of(given: float | None, heard: float | None) -> bool:
    # Rounded, because 121.2 is a little more than 1 % over 120 in binary fractions.
    return given is None or (heard is not None and round(abs(given / heard - 1), 6) <= _SAME_TEMPO)


def _grid(width: float) -> Iterator[int]:
    """Borders in ms that are `width` ms apart, without end."""
    return (round(number * width) for number in count(1))


def _spans(borders: Iterable[int], duration: int) -> Iterator[tuple[int, int]]:
    """What lies between 0, the borders and the end of the track."""
    start = 0
    for border in borders:
        if border >= duration:
            break
        if border > start:
            yield start, border
            start = border
    yield start, duration


def _groups(
    borders: Iterable[int], duration: int, bars: int, source: Source, confidence: float
) -> Iterator[Suggestion]:
    for number, span in enumerate(_spans(borders, duration)):
        first = number * bars + 1
        name = f"Bars {first}-{first + bars - 1}" if bars > 1 else f"Bar {first}"
        yield _suggestion(span, name, "custom", confidence, source)


def _slices(duration: int) -> Iterator[Suggestion]:
    for start, end in _spans(_grid(_SLICE_MS), duration):
        name = f"{clock_time(start)[:8]} to {clock_time(end)[:8]}"
        yield _suggestion((start, end), name, "custom", _CONFIDENCE_OF_SLICES, "grid")


def _sections(sections: Sequence[Mapping[str, Any]], duration: int) -> Iterator[Suggestion]:
    """The sections of an analysis, each named by its kind and its number among those of its kind."""
    start = 0
    counts: dict[str, int] = {}
    for section in sections:
        end = min(section["end_ms"], duration)
        if end <= start:
            continue
        label = section["label"]
        counts[label] = counts.get(label, 0) + 1
        kind: SectionType = label if label in get_args(SectionType) else "custom"
        name = f"{label.capitalize()} {counts[label]}"
        yield _suggestion((start, end), name, kind, section["confidence"], "sections")
        start = end


def _suggestion(span: tuple[int, int], name: str, kind: SectionType, confidence: float, source: Source) -> Suggestion:
    return {
        "start_time_ms": span[0],
        "end_time_ms": span[1],
        "name": name,
        "section_type": kind,
        "confidence": confidence,
        "source": source,
    }


# Annotations ----------------------------------------------------------------------------------------------------------


def annotations_csv(annotations: Iterable[Annotation]) -> str:
    """Annotations as a table for spreadsheets and audio editors (RFC 4180)."""
    import csv  # noqa: PLC0415 - only who asks for the table pays for it
    import io  # noqa: PLC0415 - the same

    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(["start", "end", "title", "category", "content"])
    for one in annotations:
        end = one["end_time_ms"]
        writer.writerow(
            [
                clock_time(one["start_time_ms"]),
                "" if end is None else clock_time(end),
                _no_formula(one["title"]),
                one["category"],
                _no_formula(one["content"] or ""),
            ]
        )
    return table.getvalue()


def clock_time(time_ms: int) -> str:
    """A time as HH:MM:SS.mmm."""
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"


def _no_formula(text: str) -> str:
    """The text with an apostrophe in front if a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


# Sessions -------------------------------------------------------------------------------------------------------------


class Checklist(NamedTuple):
    """Items to be written: their prompts and, in the same order, their categories."""

    prompts: list[str]
    categories: list[PromptCategory]


_DEFAULT: Final[Sequence[tuple[str, PromptCategory]]] = (
    ("How deep and how defined is the low end next to the reference?", "frequency"),
    ("Is the tonal tilt darker, brighter or level with the reference?", "frequency"),
    ("Does the lead sit where it should, in every section?", "mixing"),
    ("Do the transients punch, or has something flattened them?", "dynamics"),
    ("How wide is it, and what is lost in mono?", "spatial"),
    ("How far back do the farthest elements sit?", "spatial"),
    ("Does the energy change at each section border?", "arrangement"),
    ("What has loudness cost: pumping, distortion, fatigue?", "mastering"),
)


def default_checklist() -> Checklist:
    """The checklist of a session that is started without one."""
    return Checklist([prompt for prompt, _ in _DEFAULT], [category for _, category in _DEFAULT])


def checklist(items: Iterable[NewItem]) -> Checklist:
    """The items that were sent; one without a category is general."""
    listed = list(items)
    return Checklist([item.prompt for item in listed], [item.category or "general" for item in listed])


def sessions(rows: Iterable[SessionRow], items: Iterable[ItemRow]) -> list[Session]:
    """Sessions with their checklists; the items of each are in order."""
    of_session: dict[UUID, list[Item]] = {}
    for item in items:
        of_session.setdefault(item["session_id"], []).append(item)
    return [{**row, "items": of_session.get(row["id"], [])} for row in rows]


# Pages ----------------------------------------------------------------------------------------------------------------


def paging(total: int, page: int, page_size: int) -> Paging:
    """What a list says of the page it shows."""
    return {
        "total": total,
        "page": page,
        "page_size": page_size,
        "has_next": page * page_size < total,
        "has_prev": page > 1,
    }
