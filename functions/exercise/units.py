"""Weights and distances of other apps in kilograms and metres."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Literal

from questlog.importing.problems import UnitNeeded, Unreadable
from questlog.importing.values import rounded

Quantity = Literal["weight", "distance"]
Unit = Literal["kg", "lb", "km", "mi", "m", "ft", "yd"]

# In kilograms and metres: the international pound, mile, foot and yard (1959).
_FACTORS: Final[dict[Unit, Decimal]] = {
    "kg": Decimal(1),
    "lb": Decimal("0.45359237"),
    "km": Decimal(1000),
    "mi": Decimal("1609.344"),
    "m": Decimal(1),
    "ft": Decimal("0.3048"),
    "yd": Decimal("0.9144"),
}
_NAMES: Final[dict[Quantity, dict[str, Unit]]] = {
    "weight": {
        **dict.fromkeys(("kg", "kgs", "kilograms"), "kg"),
        **dict.fromkeys(("lb", "lbs", "pounds"), "lb"),
    },
    "distance": {
        **dict.fromkeys(("km", "kms", "kilometers", "kilometres"), "km"),
        **dict.fromkeys(("mi", "mile", "miles"), "mi"),
        **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), "m"),
        **dict.fromkeys(("ft", "feet"), "ft"),
        **dict.fromkeys(("yd", "yds", "yards"), "yd"),
    },
}
# Plates come in quarters of a unit. An app that keeps one unit and shows the other rounds to two decimals, which moves
# a weight by up to 0.005 of a unit.
_STEP: Final = Decimal("0.25")
_ROUNDING: Final = Decimal("0.0051")


def unit_of(name: str, quantity: Quantity) -> Unit | None:
    """The unit that a column or a cell names, as in lbs, mi. or meters; None when it is not known."""
    return _NAMES[quantity].get(name.strip().strip(".").casefold())


def only_unit(names: Iterable[str], quantity: Quantity) -> Unit | None:
    """The unit that some names agree on. None where they name several, or none. Unreadable for one not known."""
    found: set[Unit] = set()
    for name in {name for name in names if name.strip()}:
        unit = unit_of(name, quantity)
        if unit is None:
            raise Unreadable(f"holds a {quantity} in a unit that is not known: {name[:40]}")
        found.add(unit)
    return found.pop() if len(found) == 1 else None


def kilograms(weight: Decimal | None, unit: Unit | None, *, as_written: bool = False) -> Decimal | None:
    """A weight in kilograms, 3 decimals; None for none or 0. UnitNeeded when its unit is not known.

    A weight that is no multiple of 0.25 but within 0.0051 kg of a multiple of 0.25 of the other unit was entered in
    that one: 29.48 kg were 65 lb and are 29.484, 88.18 lb were 40 kg. Otherwise the rounding of a file would make
    personal records of equal weights. `as_written` leaves that out.
    """
    if not weight:
        return None
    if unit is None:
        raise UnitNeeded("weight_unit")
    in_kilograms = weight * _FACTORS[unit]
    if as_written or weight % _STEP == 0:
        return rounded(in_kilograms)
    other = _FACTORS["lb" if unit == "kg" else "kg"]
    entered = rounded(in_kilograms / other / _STEP, 0) * _STEP * other
    return rounded(entered if abs(entered - in_kilograms) <= _ROUNDING else in_kilograms)


def metres(distance: Decimal | None, unit: Unit | None) -> Decimal | None:
    """A distance in metres, 3 decimals; None for none or 0. UnitNeeded when its unit is not known."""
    if not distance:
        return None
    if unit is None:
        raise UnitNeeded("distance_unit")
    return rounded(distance * _FACTORS[unit])
