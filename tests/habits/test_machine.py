"""One habit through any sequence of days, completions, undos and skips, beside a model that knows only the rules."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import NewUser
from tests.habits.conftest import Later, Today
from tests.habits.test_streaks import naive
from tests.support import factories

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sleep"), st.integers(1, 3)),
        st.tuples(st.sampled_from(["complete", "complete", "undo", "skip", "unskip"]), st.integers(0, 7)),
    ),
    max_size=20,
)


@settings(max_examples=15)
@given(steps=STEPS, target=st.integers(1, 2), schedule=st.sets(st.integers(0, 6), min_size=1))
def test_a_habit_is_what_the_rules_make_of_it(
    new_user: NewUser, later: Later, today: Today, *, steps: list[tuple[str, int]], target: int, schedule: set[int]
) -> None:
    user = new_user()
    habit = factories.habit(
        user, frequency="custom", custom_days=sorted(schedule), target_count=target, xp_reward=1, coin_reward=0
    )
    path = f"/habits/{habit['id']}"
    later(user, 30)
    # By how many days ago.
    times: dict[int, int] = {}
    skipped: set[int] = set()
    paid_today = 0
    longest = 0
    for step, number in steps:
        done = _done(times, target)
        if step == "sleep":
            later(user, number)
            times = {back + number: count for back, count in times.items()}
            skipped = {back + number for back in skipped}
            paid_today = 0
            continue
        day = {"date": str(today() - timedelta(number))}
        if step == "complete":
            answer = user.post(f"{path}/complete", day).data
            assert answer["already_completed"] == (number in done)
            if number not in done:
                times[number] = times.get(number, 0) + 1
                skipped -= {number}
            earned = number == 0 and number not in done and times[number] == target
            assert (answer["xp_awarded"] > 0) == earned
            paid_today += earned
        elif step == "undo":
            answer = user.delete(f"{path}/complete", day)
            assert answer.status == (200 if times.get(number) else 404)
            if times.get(number):
                reversed_today = number == 0 and times[0] == target and paid_today > 0
                assert (answer.data["xp_reversed"] > 0) == reversed_today
                paid_today -= reversed_today
                times[number] -= 1
                longest = 0
        elif step == "skip":
            full = any(
                sum(number - 6 + n <= other <= number + n for other in skipped - {number}) >= 2 for n in range(7)
            )
            refused = number in done or (full and number not in skipped)
            assert user.post(f"{path}/skip", day).status == (409 if refused else 200)
            skipped |= set() if refused else {number}
        else:
            user.delete(f"{path}/skip", day)
            skipped -= {number}
        at = today()
        days = [{at - timedelta(back) for back in backs} for backs in (_done(times, target), skipped)]
        current, ever = naive(sorted(schedule), days[0], days[1], at)
        longest = max(longest, ever)
        shown = user.get(path).data
        assert (shown["current_streak"], shown["longest_streak"]) == (current, longest)
        assert shown["completed_count_today"] == times.get(0, 0)
        assert (shown["completed_today"], shown["skipped_today"]) == (times.get(0, 0) >= target, 0 in skipped)


def _done(times: dict[int, int], target: int) -> set[int]:
    return {back for back, count in times.items() if count >= target}
