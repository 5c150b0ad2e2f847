"""Streaks with pauses and shields once more, in plain Python: from the days alone, without a state that is kept."""

from dataclasses import dataclass, field


@dataclass
class Model:
    """A user with one daily habit, in days from a first one. Whatever is asked is worked out from all that was done."""

    today: int = 0
    shields: int = 0
    # When a day was first active, and each pause of everything: (first day, last day).
    active: list[int] = field(default_factory=list)
    pauses: list[tuple[int, int]] = field(default_factory=list)
    # The days that shields were used for, and the days on which a streak of the user's began anew.
    shielded: set[int] = field(default_factory=set)
    # Days of the habit that were done on a day that was paused then.
    extra: set[int] = field(default_factory=set)

    def paused(self, day: int) -> bool:
        return any(first <= day <= last for first, last in self.pauses)

    def refused(self, first: int, last: int, others: list[tuple[int, int]]) -> str | None:
        """What a pause of these days beside the others is refused with; None where it fits."""
        if any(first <= end and begin <= last for begin, end in others):
            return "conflict"
        return "limit_reached" if _fullest([*others, (first, last)]) > 60 else None

    def last_open_day(self, first: int, others: list[tuple[int, int]]) -> int:
        fitting = [last for last in range(first, first + 60) if _fullest([*others, (first, last)]) <= 60]
        return max(fitting, default=first)

    def pause(self, first: int, last: int) -> None:
        self.pauses.append((first, last))

    def change(self, number: int, first: int, last: int) -> None:
        old_first, old_last = self.pauses[number]
        self.pauses[number] = (first, last)
        if first < old_first:
            self.extra -= set(range(first, last + 1))
        self.extra -= {day for day in range(old_first, old_last + 1) if not first <= day <= last}

    def end(self, number: int) -> None:
        first, last = self.pauses.pop(number)
        if first < self.today:
            self.pauses.insert(number, (first, self.today - 1))
        self.extra -= set(range(self.today, last + 1))

    def missed(self, last: int, day: int) -> list[int]:
        return [between for between in range(last + 1, day) if not self.paused(between)]

    def do(self) -> None:
        """The habit is completed today; nothing happens where it was already."""
        if self.today in self.active:
            return
        if self.paused(self.today):
            self.extra.add(self.today)
        if self.active:
            missed = self.missed(self.active[-1], self.today)
            if 0 < len(missed) <= self.shields:
                self.shields -= len(missed)
                self.shielded.update(missed)
        self.active.append(self.today)

    def streak(self, *, daily: bool) -> int:
        """The user's streak as it is shown: the daily one, which shields protect, or that of the habits."""
        if not self.active:
            return 0
        missed = self.missed(self.active[-1], self.today)
        if missed and not (daily and len(missed) <= self.shields):
            return 0
        return self._run(self.active, self.shielded if daily else set())

    def habit_streak(self) -> int:
        """The habit's own streak: days done on a paused day are outside of it."""
        days = [day for day in self.active if not (day in self.extra and self.paused(day))]
        if not days or self.missed(days[-1], self.today):
            return 0
        return self._run(days, set())

    def _run(self, days: list[int], shielded: set[int]) -> int:
        length = 1
        for day, next_day in zip(days[-2::-1], days[:0:-1], strict=True):
            if set(self.missed(day, next_day)) - shielded:
                break
            length += 1
        return length


def _fullest(spans: list[tuple[int, int]]) -> int:
    """The most paused days of any 365."""
    days = [day for begin, end in spans for day in range(begin, end + 1)]
    return max(sum(begin <= day < begin + 365 for day in days) for begin in range(min(days) - 364, max(days) + 1))
