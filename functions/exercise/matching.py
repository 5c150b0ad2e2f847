"""Exercises of other apps, found in the library by their names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from questlog.importing.values import fold


class LibraryExercise(NamedTuple):
    """An exercise that a name may mean: a built-in one has a slug, one of the user's own none."""

    id: UUID
    name: str
    slug: str | None
    equipment: tuple[str, ...]


# Names of Strong and Hevy, as name_key() makes them, that mean a built-in exercise with another name.
SYNONYMS: Final[Mapping[str, str]] = {
    "ab scissors": "scissor-kick",
    "ab wheel": "ab-roller",
    "back extension": "hyperextensions-back-extensions",
    "back extension (weighted hyperextension)": "hyperextensions-back-extensions",
    "ball slams": "overhead-slam",
    "band pullaparts": "band-pull-apart",
    "battle ropes": "battling-ropes",
    "bench press": "barbell-bench-press-medium-grip",
    "bench press (barbell)": "barbell-bench-press-medium-grip",
    "bench press (cable)": "cable-chest-press",
    "bent over one arm row (dumbbell)": "one-arm-dumbbell-row",
    "bent over row - underhand (barbell)": "reverse-grip-bent-over-rows",
    "bent over row (dumbbell)": "bent-over-two-dumbbell-row",
    "bicep curl (barbell)": "barbell-curl",
    "bicep curl (cable)": "standing-biceps-cable-curl",
    "bicycle crunch": "air-bike",
    "box jump": "front-box-jump",
    "butterfly (pec deck)": "butterfly",
    "cable core palloff press": "pallof-press",
    "cable fly crossovers": "cable-crossover",
    "cable kickback": "one-legged-cable-kickback",
    "calf press on leg press": "calf-press-on-the-leg-press-machine",
    "calf press on seated leg press": "calf-press-on-the-leg-press-machine",
    "chest dip": "dips-chest-version",
    "chest dip (weighted)": "dips-chest-version",
    "chest fly (dumbbell)": "dumbbell-flyes",
    "chest fly (machine)": "butterfly",
    "chest press (machine)": "machine-bench-press",
    "chest supported incline row (dumbbell)": "dumbbell-incline-row",
    "chin up (weighted)": "chin-up",
    "clap push ups": "plyo-push-up",
    "crunch (machine)": "ab-crunch-machine",
    "cycling": "bicycling",
    "cycling (indoor)": "bicycling-stationary",
    "diamond push up": "push-ups-close-triceps-position",
    "dumbbell row": "one-arm-dumbbell-row",
    "elliptical": "elliptical-trainer",
    "elliptical machine": "elliptical-trainer",
    "ez bar biceps curl": "ez-bar-curl",
    "flat leg raise": "flat-bench-lying-leg-raise",
    "front squat": "front-barbell-squat",
    "full squat": "barbell-full-squat",
    "glute bridge": "butt-lift-bridge",
    "glute kickback (cable)": "one-legged-cable-kickback",
    "hammer curl (cable)": "cable-hammer-curls-rope-attachment",
    "heel taps": "alternate-heel-touchers",
    "hip abduction (machine)": "thigh-abductor",
    "hip abductor (machine)": "thigh-abductor",
    "hip adduction (machine)": "thigh-adductor",
    "hip adductor (machine)": "thigh-adductor",
    "hyperextension": "hyperextensions-back-extensions",
    "incline bench press (barbell)": "barbell-incline-bench-press-medium-grip",
    "incline bench press (cable)": "incline-cable-chest-press",
    "incline bench press (dumbbell)": "incline-dumbbell-press",
    "incline chest fly (dumbbell)": "incline-dumbbell-flyes",
    "incline chest press (machine)": "leverage-incline-chest-press",
    "inverted row (bodyweight)": "inverted-row",
    "iso-lateral chest press (machine)": "leverage-chest-press",
    "iso-lateral high row (machine)": "leverage-high-row",
    "iso-lateral row (machine)": "leverage-iso-row",
    "jump rope": "rope-jumping",
    "jump squat": "freehand-jump-squat",
    "kettlebell turkish get up": "kettlebell-turkish-get-up-lunge-style",
    "knee raise (captain's chair)": "knee-hip-raise-on-parallel-bars",
    "knee raise parallel bars": "knee-hip-raise-on-parallel-bars",
    "lat pulldown - close grip (cable)": "close-grip-front-lat-pulldown",
    "lat pulldown - underhand (cable)": "underhand-cable-pulldowns",
    "lat pulldown (cable)": "wide-grip-lat-pulldown",
    "lateral raise (band)": "lateral-raise-with-bands",
    "lateral raise (cable)": "standing-low-pulley-deltoid-raise",
    "lateral raise (dumbbell)": "side-lateral-raise",
    "low cable fly crossovers": "low-cable-crossover",
    "lying leg raise": "flat-bench-lying-leg-raise",
    "lying neck curls (weighted)": "lying-face-up-plate-neck-resistance",
    "military press": "standing-military-press",
    "overhead press (barbell)": "standing-military-press",
    "overhead press (cable)": "cable-shoulder-press",
    "overhead press (dumbbell)": "standing-dumbbell-press",
    "overhead press (smith machine)": "smith-machine-overhead-shoulder-press",
    "overhead triceps extension (cable)": "cable-rope-overhead-triceps-extension",
    "pec deck (machine)": "butterfly",
    "pullover (dumbbell)": "bent-arm-dumbbell-pullover",
    "push up - close grip": "push-ups-close-triceps-position",
    "push up (weighted)": "pushups",
    "rear delt reverse fly (cable)": "cable-rear-delt-fly",
    "rear delt reverse fly (dumbbell)": "reverse-flyes",
    "rear delt reverse fly (machine)": "reverse-machine-flyes",
    "reverse curl (dumbbell)": "standing-dumbbell-reverse-curl",
    "reverse fly (cable)": "cable-rear-delt-fly",
    "reverse lunge (dumbbell)": "dumbbell-rear-lunge",
    "rowing (machine)": "rowing-stationary",
    "russian twist (weighted)": "russian-twist",
    "seated cable row - v grip (cable)": "seated-cable-rows",
    "seated calf raise (plate loaded)": "seated-calf-raise",
    "seated dip machine": "dip-machine",
    "seated incline curl (dumbbell)": "incline-dumbbell-curl",
    "seated overhead press (barbell)": "seated-barbell-military-press",
    "seated overhead press (dumbbell)": "seated-dumbbell-press",
    "seated row (machine)": "leverage-iso-row",
    "seated shoulder press (machine)": "machine-shoulder-military-press",
    "shoulder press (machine plates)": "leverage-shoulder-press",
    "shoulder press (machine)": "machine-shoulder-military-press",
    "shoulder press (plate loaded)": "leverage-shoulder-press",
    "shrug (machine)": "leverage-shrug",
    "side plank": "side-bridge",
    "single arm curl (cable)": "standing-one-arm-cable-curl",
    "single arm lateral raise (cable)": "standing-low-pulley-deltoid-raise",
    "single arm triceps pushdown (cable)": "cable-one-arm-tricep-extension",
    "skullcrusher (barbell)": "ez-bar-skullcrusher",
    "skullcrusher (dumbbell)": "lying-dumbbell-tricep-extension",
    "spider curl (barbell)": "spider-curl",
    "spider curl (dumbbell)": "spider-curl",
    "spinning": "bicycling-stationary",
    "split squat (dumbbell)": "split-squat-with-dumbbells",
    "stair machine": "stairmaster",
    "stair machine (steps)": "step-mill",
    "standing calf raise (smith machine)": "smith-machine-calf-raise",
    "stationary bike": "bicycling-stationary",
    "straight arm lat pulldown (cable)": "straight-arm-pulldown",
    "straight leg deadlift": "stiff-legged-barbell-deadlift",
    "straight leg deadlift (barbell)": "stiff-legged-barbell-deadlift",
    "strict military press (barbell)": "standing-military-press",
    "sumo squat (dumbbell)": "plie-dumbbell-squat",
    "t bar row": "t-bar-row-with-handle",
    "treadmill": "running-treadmill",
    "triceps dip": "dips-triceps-version",
    "triceps dip (weighted)": "dips-triceps-version",
    "triceps extension (barbell)": "standing-overhead-barbell-triceps-extension",
    "triceps extension (cable)": "cable-rope-overhead-triceps-extension",
    "triceps extension (dumbbell)": "standing-dumbbell-triceps-extension",
    "triceps pushdown (cable - rope)": "triceps-pushdown-rope-attachment",
    "triceps pushdown (cable - straight bar)": "triceps-pushdown",
    "triceps rope pushdown": "triceps-pushdown-rope-attachment",
    "upright row (dumbbell)": "standing-dumbbell-upright-row",
    "v up": "jackknife-sit-up",
    "walking lunge": "bodyweight-walking-lunge",
}

# Words that are written in several ways, and the equipment of the library as other apps name it.
_WORDS: Final = {
    "chinup": "chin up",
    "dumbell": "dumbbell",
    "flye": "fly",
    "pullup": "pull up",
    "pushup": "push up",
    "situp": "sit up",
    "single": "one",
    "legged": "leg",
    "stability": "exercise",
}
_EQUIPMENT: Final = {
    "bands": "band",
    "body only": "bodyweight",
    "e-z curl bar": "ez bar",
    "kettlebells": "kettlebell",
}


def name_key(name: str) -> str:
    """The words of an exercise's name in the singular, whatever their order: the same for two ways to write it.

    Equipment in brackets counts as any other word: Squat (Barbell) is Barbell Squat. Assisted, which is no equipment,
    counts too: the weight of an assisted exercise is assistance, so it must not be matched with the other exercise.
    """
    return " ".join(sorted(_words(name))) or name.casefold()


def _words(name: str) -> set[str]:
    return {part for word in fold(name).split() for part in _WORDS.get(_singular(word), _singular(word)).split()}


def _singular(word: str) -> str:
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word


@dataclass(frozen=True, slots=True)
class Names:
    """The exercises by what they may be called. The user's own come before the built-in ones."""

    _own: Mapping[str, UUID]
    _built_in: Mapping[str, UUID]
    _with_equipment: Mapping[str, UUID] = field(default_factory=dict)
    _slugs: Mapping[str, UUID] = field(default_factory=dict)

    @classmethod
    def of(cls, exercises: Iterable[LibraryExercise]) -> "Names":
        """The names of a library. A name that two exercises share, equipment included, finds neither."""
        own: dict[str, UUID] = {}
        built_in: dict[str, UUID] = {}
        with_equipment: dict[str, UUID | None] = {}
        slugs: dict[str, UUID] = {}
        for exercise in exercises:
            words = _words(exercise.name)
            key = name_key(exercise.name)
            if exercise.slug is None:
                own.setdefault(key, exercise.id)
                continue
            built_in.setdefault(key, exercise.id)
            slugs[exercise.slug] = exercise.id
            for equipment in exercise.equipment:
                both = " ".join(sorted(words | _words(_EQUIPMENT.get(equipment, equipment))))
                with_equipment[both] = None if with_equipment.get(both, exercise.id) != exercise.id else exercise.id
        known = {key: found for key, found in with_equipment.items() if found is not None}
        return cls(own, built_in, known, slugs)

    def find(self, name: str) -> UUID | None:
        """The exercise that a name of another app means; None where it means none of them."""
        key = name_key(name)
        synonym = _SLUG_OF.get(key)
        return (
            self._own.get(key)
            or self._built_in.get(key)
            or (self._slugs.get(synonym) if synonym else None)
            or self._with_equipment.get(key)
        )


_SLUG_OF: Final = {name_key(name): slug for name, slug in SYNONYMS.items()}
