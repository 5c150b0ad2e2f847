"""Exercises of other apps, found in the library by their names (imports contract, 4)."""

from collections import Counter
from uuid import NAMESPACE_OID, uuid5

import pytest

from functions.exercise.matching import SYNONYMS, LibraryExercise, Names, name_key
from tests.conftest import Database

# Two of the library differ in one letter; the first is as good as the second.
TWINS = {"squat-with-bands", "squats-with-bands"}


@pytest.fixture(scope="module")
def built_in(database: Database) -> list[LibraryExercise]:
    rows = database.query("SELECT id, name, slug, equipment FROM exercises WHERE is_builtin ORDER BY slug")
    return [LibraryExercise(row["id"], row["name"], row["slug"], tuple(row["equipment"])) for row in rows]


@pytest.fixture(scope="module")
def names(built_in: list[LibraryExercise]) -> Names:
    return Names.of(built_in)


@pytest.fixture(scope="module")
def slugs(built_in: list[LibraryExercise]) -> dict[object, str | None]:
    """The slug of each id, and none of none."""
    found: dict[object, str | None] = {exercise.id: exercise.slug for exercise in built_in}
    return found | {None: None}


def test_every_exercise_is_found_by_its_own_name(built_in: list[LibraryExercise], names: Names) -> None:
    assert len(built_in) == 873
    for exercise in built_in:
        if exercise.slug not in TWINS:
            assert names.find(exercise.name) == exercise.id, exercise.name
    shared = Counter(name_key(exercise.name) for exercise in built_in)
    assert [key for key, count in shared.items() if count > 1] == [name_key("Squat with Bands")]


def test_every_target_of_the_table_exists_and_folding_alone_would_not_find_it(
    built_in: list[LibraryExercise], names: Names, slugs: dict[object, str | None]
) -> None:
    assert set(SYNONYMS.values()) <= set(slugs.values())
    assert len({name_key(name) for name in SYNONYMS}) == len(SYNONYMS)
    folded = Names.of([exercise._replace(slug="x" + (exercise.slug or "")) for exercise in built_in])
    for name, slug in SYNONYMS.items():
        assert slugs[names.find(name)] == slug
        assert folded.find(name) is None, f"{name} is found without the table"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Squat (Barbell)", "barbell-squat"),
        ("SQUATS  (barbell)", "barbell-squat"),
        ("Barbell Squat", "barbell-squat"),
        ("Bicep Curl (Dumbbell)", "dumbbell-bicep-curl"),
        ("Biceps Curls (Dumbbell)", "dumbbell-bicep-curl"),
        ("Bench Press (Barbell)", "barbell-bench-press-medium-grip"),
        ("Romanian Deadlift (Barbell)", "romanian-deadlift"),
        ("Leg Extension (Machine)", "leg-extensions"),
        ("Face Pull (Cable)", "face-pull"),
        ("Crunch", "crunches"),
        ("Push Up", "pushups"),
        ("Pull-Ups", "pullups"),
        ("Farmer\u2019s Walk", "farmers-walk"),
        ("Lat Pulldown (Cable)", "wide-grip-lat-pulldown"),
        ("Preacher Curl (Barbell)", "preacher-curl"),
        ("Lat Pulldown (Single Arm)", "one-arm-lat-pulldown"),
    ],
)
def test_case_punctuation_plural_and_equipment_are_folded(
    names: Names, slugs: dict[object, str | None], name: str, slug: str
) -> None:
    assert slugs[names.find(name)] == slug


@pytest.mark.parametrize(
    "name",
    [
        *("Pull Up (Assisted)", "Chin Up (Assisted)", "Triceps Dip (Assisted)", "Chest Dip (Assisted)"),
        *("Romanian Deadlift (Dumbbell)", "Squat (Machine)", "Running", "Laufen", "", "!!!", "卧推"),
    ],
)
def test_what_is_another_exercise_matches_nothing(names: Names, name: str) -> None:
    assert names.find(name) is None


def test_what_folds_to_nothing_is_still_told_apart() -> None:
    assert name_key("!!!") != name_key("???")
    assert name_key("卧推") != name_key("深蹲")


def test_the_users_own_come_first(built_in: list[LibraryExercise], slugs: dict[object, str | None]) -> None:
    own = LibraryExercise(uuid5(NAMESPACE_OID, "own"), "Squats, Barbell", None, ())
    names = Names.of([*built_in, own])
    assert names.find("Squat (Barbell)") == own.id
    assert slugs[names.find("Plank")] == "plank"


def test_names_shared_with_their_equipment_are_nobodys() -> None:
    twins = [LibraryExercise(uuid5(NAMESPACE_OID, name), name, name, ("cable",)) for name in ("Pull X", "X, pull")]
    assert Names.of(twins[:1]).find("Pull X (Cable)") == twins[0].id
    assert Names.of(twins).find("Pull X (Cable)") is None
