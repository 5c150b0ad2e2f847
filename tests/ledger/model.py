"""What the ledger should hold: the contract's rules once more, in plain Python, without SQL, locks or increments."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import isqrt
from typing import Any

STREAKS = ("daily_activity", "focus", "habit", "workout", "learning", "reading")


def level_cost(level: int) -> int:
    return isqrt(10000 * level**3)


def level_for(total_xp: int) -> int:
    level, floor = 1, 0
    while floor + level_cost(level) <= total_xp:
        floor += level_cost(level)
        level += 1
    return level


@dataclass(frozen=True)
class Definitions:
    events: dict[str, dict[str, Any]]
    achievements: list[dict[str, Any]]


@dataclass
class Entry:
    """A row, as far as sums and replays go."""

    asked: tuple[Any, ...]
    xp: int
    coins: int
    skill: str | None = None
    stars: int = 0
    counters: dict[str, int] = field(default_factory=dict)
    reverses: "Entry | None" = None
    result: dict[str, Any] = field(default_factory=dict)


class Mismatch(Exception):
    pass


class Insufficient(Exception):
    pass


class NotReversible(Exception):
    pass


@dataclass
class Model:
    definitions: Definitions
    today: date
    entries: dict[str, Entry] = field(default_factory=dict)
    active_days: set[date] = field(default_factory=set)
    streaks: dict[str, tuple[int, int, date]] = field(default_factory=dict)
    achievements: set[str] = field(default_factory=set)
    factor: int | None = None

    # Balances are sums over all rows, taken anew each time: nothing here can drift.
    @property
    def total_xp(self) -> int:
        return sum(entry.xp for entry in self.entries.values())

    @property
    def coins(self) -> int:
        return sum(entry.coins for entry in self.entries.values())

    @property
    def level(self) -> int:
        return level_for(self.total_xp)

    @property
    def spent(self) -> int:
        kept = (e for e in self.entries.values() if (e.coins < 0) == (e.reverses is None))
        return -sum(entry.coins for entry in kept)

    @property
    def counters(self) -> dict[str, int]:
        sums: Counter[str] = Counter()
        for entry in self.entries.values():
            sums.update(entry.counters)
        return {name: value for name, value in sums.items() if value}

    @property
    def skills(self) -> dict[str, int]:
        sums: Counter[str] = Counter()
        for entry in self.entries.values():
            if entry.skill is not None:
                sums[entry.skill] += entry.xp + 10 * entry.stars
        return {name: value for name, value in sums.items() if value}

    @property
    def streak(self) -> int:
        current, _, last = self.streaks.get("daily_activity", (0, 0, date.min))
        return current if last >= self.today - timedelta(days=1) else 0

    def award(
        self,
        event_type: str,
        xp: int,
        coins: int,
        key: str,
        *,
        skill: str | None = None,
        stars: int = 0,
        counters: dict[str, int] | None = None,
        metadata: dict[str, Any] | None = None,
        day: date | None = None,
    ) -> dict[str, Any]:
        event = self.definitions.events[event_type]
        skill = skill or event["default_skill"]
        asked = (event_type, xp, coins, skill, stars)
        if key in self.entries:
            return self._replay(self.entries[key], asked)
        level_before = self.level
        credited = xp * self.factor if self.factor and event["boostable"] else xp
        entry = Entry(asked, credited, coins, skill, stars, self._all_counters(event, counters or {}))
        self.entries[key] = entry
        if "daily_activity" in event["streak_types"]:
            self.active_days.add(day or self.today)
        moved = self._move_streaks(event["streak_types"], day or self.today)
        unlocked = self._earn(event_type, metadata or {}, moved, level_before)
        return self._answer(entry, bonus=credited - xp, level_before=level_before, unlocked=unlocked)

    def spend(self, coins: int, key: str) -> dict[str, Any]:
        asked = ("market_purchase", 0, -coins, None, 0)
        if key in self.entries:
            return self._replay(self.entries[key], asked)
        if self.coins < coins:
            raise Insufficient
        entry = self.entries[key] = Entry(asked, 0, -coins)
        return self._answer(entry, level_before=self.level)

    def reverse(self, key: str) -> dict[str, Any]:
        original = self.entries[key]
        if original.reverses is not None:
            raise NotReversible
        known = self.entries.get(f"reverse:{key}")
        if known is not None:
            return known.result | {"replayed": True}
        if self.coins < original.coins:
            raise Insufficient
        level_before = self.level
        entry = self.entries[f"reverse:{key}"] = Entry(
            (),
            -original.xp,
            -original.coins,
            original.skill,
            -original.stars,
            {counter: -amount for counter, amount in original.counters.items()},
            original,
        )
        bonus = -original.result.get("bonus_xp", 0)
        return self._answer(entry, bonus=bonus, level_before=level_before)

    @staticmethod
    def _replay(known: Entry, asked: tuple[Any, ...]) -> dict[str, Any]:
        if known.asked != asked:
            raise Mismatch
        return known.result | {"replayed": True}

    @staticmethod
    def _all_counters(event: dict[str, Any], counters: dict[str, int]) -> dict[str, int]:
        own = {event["counter"]: 1} if event["counter"] else {}
        return dict(Counter(counters) + Counter(own))

    def _move_streaks(self, types: list[str], day: date) -> dict[str, int]:
        moved = {}
        for streak_type in types:
            current, longest, last = self.streaks.get(streak_type, (0, 0, date.min))
            if day > last:
                current = current + 1 if day - timedelta(days=1) == last else 1
                self.streaks[streak_type] = (current, max(longest, current), day)
                moved[streak_type] = current
        return moved

    def _earn(self, event_type: str, metadata: dict[str, Any], moved: dict[str, int], level_before: int) -> set[str]:
        unlocked: set[str] = set()
        while True:
            new = [
                d
                for d in self.definitions.achievements
                if d["key"] not in self.achievements and self._holds(d, event_type, metadata, moved, level_before)
            ]
            if not new:
                return unlocked
            self.achievements.add(new[0]["key"])
            unlocked.add(new[0]["key"])
            self.entries[f"achievement:{new[0]['key']}"] = Entry(
                (), new[0]["reward_xp"], new[0]["reward_coins"], counters={"achievements_earned": 1}
            )

    def _holds(
        self,
        definition: dict[str, Any],
        event_type: str,
        metadata: dict[str, Any],
        moved: dict[str, int],
        level_before: int,
    ) -> bool:
        config = definition["trigger_config"]
        match definition["trigger_type"]:
            case "counter":
                return self.counters.get(config["counter"], 0) >= int(config["count"])
            case "streak":
                return moved.get(config["streak_type"], 0) >= int(config["count"])
            case "event":
                return event_type == str(config["event_type"]) and all(
                    isinstance(metadata.get(name), int) and metadata[name] >= least
                    for name, least in config["min"].items()
                )
            case _:
                return self.level > level_before and self.level >= int(config["level"])

    def _answer(
        self, entry: Entry, *, level_before: int, bonus: int = 0, unlocked: set[str] | None = None
    ) -> dict[str, Any]:
        entry.result = {
            "replayed": False,
            "xp": entry.xp,
            "bonus_xp": bonus,
            "coins": entry.coins,
            "skill_key": entry.skill,
            "leveled_up": self.level > level_before,
            "new_level": self.level,
            "total_xp": self.total_xp,
            "balance": self.coins,
            "streak": self.streak,
            "achievements": unlocked or set(),
        }
        return entry.result
