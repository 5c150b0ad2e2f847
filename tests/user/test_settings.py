"""One store behind two kinds of routes: what one writes the other reads, and both refuse the same."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from functions.user.models import KnownSettings, UserSettingsChange
from tests.conftest import Database, NewUser, User, at_once
from tests.support.client import Answer

TYPED = {
    "notifications_enabled": True,
    "email_notifications": False,
    "push_notifications": False,
    "theme": "system",
    "timezone": "UTC",
    "locale": "en",
    "profile_public": False,
    "show_activity": True,
    "daily_reminder_time": None,
    "quiet_hours": None,
    "max_notifications_per_day": 6,
    "day_start_hour": 0,
    "week_start": "monday",
}
# Shown beside them: what can be sent by here.
CHANNELS = {"push_available": True, "email_available": True}
DEFAULTS = TYPED | {
    "focus_duration": 25,
    "nudge_intensity": "standard",
    "gamification_visible": True,
    "module_weights": {},
    "interests": [],
}
OTHERS = {
    "notifications_enabled": False,
    "email_notifications": False,
    "push_notifications": True,
    "theme": "dark",
    "timezone": "America/Argentina/Buenos_Aires",
    "locale": "zh-Hant-TW",
    "profile_public": True,
    "show_activity": False,
    "daily_reminder_time": "07:30",
    "quiet_hours": {"from": "22:00", "to": "06:30"},
    "max_notifications_per_day": 0,
    "day_start_hour": 6,
    "week_start": "sunday",
    "focus_duration": 240,
    "nudge_intensity": "energetic",
    "gamification_visible": False,
    "module_weights": {"focus": 1, "learn": 0.5, "habits": -2},
    "interests": ["music", "focus"],
}
MISFITS = [
    ("notifications_enabled", 1, ""),
    ("push_notifications", "true", ""),
    ("theme", "neon", ""),
    ("theme", "Dark", ""),
    ("timezone", "EST", ""),
    ("timezone", "UTC+3", ""),
    ("timezone", "+03:00", ""),
    ("timezone", "GMT", ""),
    ("timezone", "utc", ""),
    ("timezone", "europe/berlin", ""),
    ("timezone", "Europe/Berlin ", ""),
    ("timezone", "Mars/Olympus", ""),
    ("timezone", "posix/Europe/Berlin", ""),
    ("timezone", "../etc/passwd", ""),
    ("timezone", "", ""),
    ("timezone", 3, ""),
    ("locale", "", ""),
    ("locale", "en_GB", ""),
    ("locale", "e", ""),
    ("locale", "x", ""),
    ("locale", "en-", ""),
    ("locale", "de-" + "a" * 9, ""),
    ("locale", "en" + "-abcdefgh" * 4, ""),
    ("daily_reminder_time", "24:00", ""),
    ("daily_reminder_time", "7:30", ""),
    ("daily_reminder_time", "07:60", ""),
    ("daily_reminder_time", "07:30:00", ""),
    ("daily_reminder_time", "\u0660\u0667:\u0663\u0660", ""),
    ("quiet_hours", {"from": "22:00"}, ".to"),
    ("quiet_hours", {"from": "22:00", "to": "24:00"}, ".to"),
    ("quiet_hours", {"from": "22:00", "to": "22:00"}, ""),
    ("quiet_hours", "22:00-06:00", ""),
    ("max_notifications_per_day", 51, ""),
    ("max_notifications_per_day", -1, ""),
    ("max_notifications_per_day", 1.5, ""),
    ("max_notifications_per_day", "6", ""),
    ("day_start_hour", 7, ""),
    ("day_start_hour", -1, ""),
    ("day_start_hour", "4", ""),
    ("day_start_hour", 4.5, ""),
    ("day_start_hour", True, ""),
    ("week_start", "saturday", ""),
    ("focus_duration", 0, ""),
    ("focus_duration", 241, ""),
    ("focus_duration", 25.5, ""),
    ("nudge_intensity", "loud", ""),
    ("gamification_visible", "yes", ""),
    ("module_weights", [], ""),
    ("module_weights", {"focus": "1"}, ".focus"),
    ("module_weights", {"focus": None}, ".focus"),
    ("interests", "music", ""),
    ("interests", ["music", 1], ".1"),
    ("interests", ["x" * 16_384], ""),
]


def stored(user: User) -> dict[str, Any]:
    return {row["key"]: row["value"] for row in user.get("/settings").json["settings"]}


def effective(user: User) -> dict[str, Any]:
    data: dict[str, Any] = user.get("/settings").json["data"]
    return data


def named(answer: Answer) -> set[str]:
    """The fields an answer refuses; a union names the branches it tried behind the field."""
    return {entry["field"] for entry in answer.refused(400, "validation_error")["fields"]}


def test_defaults_are_shown_and_not_stored(user: User) -> None:
    assert user.get("/user/settings").data == TYPED | CHANNELS
    assert user.get("/settings").json == {"settings": [], "data": DEFAULTS}
    for key, value in DEFAULTS.items():
        assert user.get(f"/settings/{key}").json == {"key": key, "value": value}


def test_types_and_defaults_name_the_same_settings() -> None:
    assert set(UserSettingsChange.model_fields) == set(TYPED)
    assert set(KnownSettings.model_fields) == set(DEFAULTS) == set(OTHERS)


def test_a_stored_setting_is_shown_with_its_row(user: User) -> None:
    user.post("/settings", {"key": "my.key", "value": {"a": [1, None]}})
    document = user.get("/settings").json
    [row] = document["settings"]
    assert set(row) == {"id", "user_id", "key", "value", "created_at", "updated_at"}
    assert (row["user_id"], row["key"], row["value"]) == (str(user.id), "my.key", {"a": [1, None]})
    assert document["data"] == DEFAULTS | {"my.key": {"a": [1, None]}}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_the_typed_routes_write_the_others_read(user: User, method: str) -> None:
    wanted = {key: OTHERS[key] for key in TYPED}
    assert user.request(method, "/user/settings", body=wanted).data == wanted | CHANNELS
    assert user.get("/user/settings").data == wanted | CHANNELS
    assert stored(user) == wanted
    assert effective(user) == DEFAULTS | wanted


def test_what_the_others_write_the_typed_routes_read(user: User) -> None:
    for key, value in OTHERS.items():
        assert user.post("/settings", {"key": key, "value": value}).json == {
            "key": key,
            "value": value,
            "updated": True,
        }
        assert user.get(f"/settings/{key}").json == {"key": key, "value": value}
    assert user.get("/user/settings").data == {key: OTHERS[key] for key in TYPED} | CHANNELS
    assert effective(user) == OTHERS


def test_many_at_once(user: User) -> None:
    answer = user.patch("/settings", OTHERS | {"mine": None})
    assert answer.json["data"] == OTHERS | {"mine": None}
    assert answer.json == user.get("/settings").json
    assert [row["key"] for row in answer.json["settings"]] == sorted([*OTHERS, "mine"])


def test_absent_keeps_and_null_resets(user: User) -> None:
    user.patch("/settings", OTHERS)
    assert user.put("/user/settings", {"theme": None, "timezone": None}).data == {
        **{key: OTHERS[key] for key in TYPED},
        **CHANNELS,
        "theme": "system",
        "timezone": "UTC",
    }
    assert user.post("/settings", {"key": "interests", "value": None}).json["value"] == []
    assert user.patch("/settings", dict.fromkeys(OTHERS)).json == {"settings": [], "data": DEFAULTS}
    assert user.put("/user/settings").data == TYPED | CHANNELS


def test_deleting_is_resetting(user: User, other: User) -> None:
    for one in (user, other):
        one.patch("/settings", {"theme": "dark", "mine": 1})
    for _ in range(2):
        answer = user.delete("/settings/theme")
        assert (answer.status, answer.text) == (204, "")
    assert user.get("/settings/theme").json == {"key": "theme", "value": "system"}
    assert user.delete("/settings/mine").status == user.delete("/settings/never%20set").status == 204
    user.get("/settings/mine").refused(404, "not_found")
    assert stored(user) == {}
    assert stored(other) == {"theme": "dark", "mine": 1}


def test_an_unknown_key_is_not_found_until_it_is_set(user: User, other: User) -> None:
    user.get("/settings/mine").refused(404, "not_found")
    other.post("/settings", {"key": "mine", "value": 1})
    user.get("/settings/mine").refused(404, "not_found")
    user.post("/settings", {"key": "mine", "value": None})
    assert user.get("/settings/mine").json == {"key": "mine", "value": None}


@pytest.mark.parametrize(("key", "value", "deeper"), MISFITS)
def test_every_route_refuses_the_same(user: User, key: str, value: Any, deeper: str) -> None:
    def fits(answer: Answer, field: str) -> None:
        fields = named(answer)
        assert fields
        assert all(name == field or name.startswith(f"{field}.") for name in fields), fields

    fits(user.patch("/settings", {"mine": 1, key: value}), key + deeper)
    fits(user.post("/settings", {"key": key, "value": value}), "value" + deeper)
    if key in TYPED:
        for method in ("PUT", "PATCH"):
            fits(user.request(method, "/user/settings", body={key: value}), key)
    assert stored(user) == {}


@pytest.mark.parametrize("key", ["", "a b", "a/b", "ä", "x" * 256, "a\n"])
def test_a_key_is_plain(user: User, key: str) -> None:
    user.post("/settings", {"key": key, "value": 1}).invalid("key")
    user.patch("/settings", {"fine": 1, key: 1}).invalid(key[:200] or "body")
    assert stored(user) == {}


@pytest.mark.parametrize(
    "key", ["x" * 255, "A.b:c-d_9", "model_config", "__class__", "changes", "id", "user_id", "etag"]
)
def test_any_plain_key_will_do(user: User, key: str) -> None:
    assert user.post("/settings", {"key": key, "value": "one"}).json == {"key": key, "value": "one", "updated": True}
    assert user.patch("/settings", {key: "two"}).json["data"][key] == "two"
    assert user.get(f"/settings/{key}").json == {"key": key, "value": "two"}


def test_what_is_missing_is_named(user: User) -> None:
    user.post("/settings", {"key": "mine"}).invalid("value")
    user.post("/settings", {"value": 1}).invalid("key")
    user.post("/settings", {"key": 1, "value": 1}).invalid("key")
    user.patch("/settings", {}).invalid("body")
    user.patch("/settings", {f"k{n}": n for n in range(51)}).invalid("body")
    assert user.patch("/settings", {f"k{n}": n for n in range(50)}).status == 200


def test_a_value_has_sixteen_kibibytes(user: User) -> None:
    fits = "x" * 16_382
    assert user.post("/settings", {"key": "mine", "value": fits}).json["value"] == fits
    assert user.patch("/settings", {"other": fits}).status == 200
    user.post("/settings", {"key": "third", "value": fits + "x"}).invalid("value")
    user.patch("/settings", {"third": "ü" * 8192}).invalid("third")
    assert set(stored(user)) == {"mine", "other"}


def test_a_number_beyond_all_numbers_is_bad_input(user: User) -> None:
    user.post("/settings", b'{"key": "mine", "value": [1e999]}').invalid("value.0")
    user.patch("/settings", b'{"mine": {"n": -1e999}}').invalid("mine.n")
    assert "module_weights" in str(named(user.patch("/settings", b'{"module_weights": {"focus": 1e999}}')))
    assert stored(user) == {}


@pytest.mark.parametrize(
    "number", ["1e308", "-1.5e300", "1e19", "9223372036854775807", "-9223372036854775808", "5e-324"]
)
def test_a_large_number_is_kept_as_the_number_it_is(user: User, number: str) -> None:
    sent = f'{{"key": "mine", "value": [{number}, {{"n": {number}}}]}}'.encode()
    answer = user.post("/settings", sent)
    for shown in (answer, user.get("/settings/mine"), user.get("/settings")):
        assert len(shown.text) < 1000
    [listed, nested] = answer.json["value"]
    assert listed == nested["n"] == json.loads(number)
    assert type(listed) is type(json.loads(number))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-(2**53), 2**53)
    | st.floats(min_value=2**64, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(value=json_values)
def test_other_values_are_kept_verbatim(user: User, value: Any) -> None:
    assert user.post("/settings", {"key": "mine", "value": value}).json["value"] == value
    assert user.patch("/settings", {"mine": value}).json["data"]["mine"] == value


def test_all_or_nothing(user: User) -> None:
    user.patch("/settings", {"theme": "dark"})
    for bad in ({"theme": "light", "timezone": "EST"}, {"theme": None, "locale": "?"}, {"theme": "light", "a b": 1}):
        assert named(user.patch("/settings", bad))
    assert stored(user) == {"theme": "dark"}


def fill(user: User, database: Database, keys: int) -> None:
    database.query(
        "INSERT INTO user_settings (user_id, key, value)"
        " SELECT %s, 'filler.' || n, '1' FROM generate_series(1, %s) AS n",
        *(user.id, keys),
    )


def test_two_hundred_are_enough(user: User, database: Database) -> None:
    fill(user, database, 199)
    user.patch("/settings", {"one": 1, "two": 2}).refused(409, "too_many_settings")
    assert len(stored(user)) == 199
    assert user.post("/settings", {"key": "theme", "value": "dark"}).status == 200
    user.post("/settings", {"key": "one", "value": 1}).refused(409, "too_many_settings")
    user.put("/user/settings", {"locale": "de"}).refused(409, "too_many_settings")
    # What is there already may still change, and room may be made in the same request.
    assert user.patch("/settings", {"filler.1": 2, "theme": "light"}).status == 200
    assert user.patch("/settings", {"theme": None, "one": 1}).status == 200
    assert len(stored(user)) == 200


def test_who_has_more_already_may_change_them_and_add_none(user: User, database: Database) -> None:
    fill(user, database, 205)
    assert user.post("/settings", {"key": "filler.1", "value": 2}).status == 200
    user.post("/settings", {"key": "one", "value": 1}).refused(409, "too_many_settings")
    assert len(stored(user)) == 205


def test_the_limit_holds_in_parallel(user: User, database: Database) -> None:
    fill(user, database, 195)
    keys = iter([f"k{n}" for n in range(10)])
    answers = at_once(10, lambda: user.post("/settings", {"key": next(keys), "value": 1}).status)
    assert sorted(answers) == [200] * 5 + [409] * 5


def test_different_keys_do_not_undo_each_other(user: User) -> None:
    changes = iter([*OTHERS.items(), *[(f"k{n}", n) for n in range(6)]])

    def change() -> int:
        key, value = next(changes)
        if key in TYPED:
            return user.put("/user/settings", {key: value}).status
        return user.patch("/settings", {key: value}).status

    assert at_once(24, change) == [200] * 24
    assert effective(user) == OTHERS | {f"k{n}": n for n in range(6)}


def test_the_list_in_pages(user: User) -> None:
    user.patch("/settings", {"theme": "dark", "a": 1, "b": 2, "c": 3, "d": 4})
    assert set(user.get("/settings").json) == {"settings", "data"}
    pages = [user.get("/settings", query={"page": page, "page_size": 2}).json for page in (1, 2, 3, 4)]
    assert [[row["key"] for row in page["settings"]] for page in pages] == [["a", "b"], ["c", "d"], ["theme"], []]
    assert [(page["total"], page["page"], page["page_size"]) for page in pages] == [(5, n, 2) for n in (1, 2, 3, 4)]
    # Known settings are on each page, as they hold; the others where they are listed.
    assert [page["data"] for page in pages] == [
        DEFAULTS | {"theme": "dark", "a": 1, "b": 2},
        DEFAULTS | {"theme": "dark", "c": 3, "d": 4},
        DEFAULTS | {"theme": "dark"},
        DEFAULTS | {"theme": "dark"},
    ]
    assert user.get("/settings", query={"page": 1}).json["page_size"] == 100
    assert user.get("/settings", query={"page_size": 5}).json["page"] == 1
    for query in ({"page": 0}, {"page_size": 0}, {"page_size": 101}, {"page": "x"}):
        user.get("/settings", query=query).invalid(*query)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"locale": "en_GB"}, "must be a language tag, such as en or zh-Hant-TW"),
        ({"daily_reminder_time": "7:30"}, "must be a time of day, HH:MM"),
        ({"timezone": "EST"}, "must be UTC or a name of the IANA time zone database, such as Europe/Berlin"),
        ({"a b": 1}, "must be 1 to 255 letters, digits and signs of . _ : -"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(user: User, body: dict[str, Any], sentence: str) -> None:
    [field] = user.patch("/settings", body).refused(400, "validation_error")["fields"]
    assert field == {"field": next(iter(body)), "message": sentence}


@pytest.mark.parametrize(
    ("key", "fits", "beyond"),
    [
        ("interests", ["x"] * 1000, ["x"] * 1001),
        (
            "module_weights",
            {f"module{n}": 1 for n in range(1000)},
            {f"module{n}": 1 for n in range(1001)},
        ),
    ],
)
def test_lists_and_maps_end(user: User, key: str, fits: Any, beyond: Any) -> None:
    assert user.patch("/settings", {key: fits}).status == 200
    for answer in (user.patch("/settings", {key: beyond}), user.post("/settings", {"key": key, "value": beyond})):
        assert named(answer)
    assert stored(user) == {key: fits}


def test_the_list_is_polled_by_tag(user: User) -> None:
    first = user.get("/settings")
    assert first.headers["cache-control"] == "private, no-cache"
    tag = {"If-None-Match": first.headers["etag"]}
    unchanged = user.get("/settings", headers=tag)
    assert (unchanged.status, unchanged.text) == (304, "")
    user.put("/user/settings", {"theme": "dark"})
    changed = user.get("/settings", headers=tag)
    assert changed.status == 200
    user.post("/settings", {"key": "etag", "value": 1})
    again = user.get("/settings", headers={"If-None-Match": changed.headers["etag"]})
    assert again.status == 200
    user.post("/settings", {"key": "etag", "value": 2})
    assert user.get("/settings", headers={"If-None-Match": again.headers["etag"]}).status == 200


def test_a_replay_answers_as_the_first_time(user: User) -> None:
    key = {"Idempotency-Key": "once"}
    first = user.put("/user/settings", {"theme": "dark"}, headers=key)
    user.put("/user/settings", {"theme": "light"})
    assert user.put("/user/settings", {"theme": "dark"}, headers=key).json == first.json
    assert user.get("/user/settings").data["theme"] == "light"
    for _ in range(2):
        assert user.delete("/settings/theme", headers={"Idempotency-Key": "gone"}).status == 204


def test_a_new_zone_holds_at_once(user: User, database: Database) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        user.put("/user/settings", {"timezone": zone})
        [row] = database.query("SELECT (clock() AT TIME ZONE %s)::date AS today", zone)
        assert user.get("/gamification/history", query={"days": 1}).data["days"][0]["date"] == str(row["today"])


def test_every_zone_offered_is_one_postgres_knows(database: Database) -> None:
    zones = [row["name"] for row in database.query("SELECT name FROM time_zones")]
    assert len(zones) > 400
    assert {"UTC", "Europe/Berlin", "Etc/GMT+5"} <= set(zones)
    assert all(zone == "UTC" or "/" in zone for zone in zones)
    assert database.query("SELECT count(now() AT TIME ZONE name) AS n FROM time_zones") == [{"n": len(zones)}]


def test_the_database_refuses_what_the_routes_do(user: User, database: Database) -> None:
    for key, value, _ in MISFITS:
        if key == "locale" or value == ["x" * 16_384]:
            continue  # a tag's form and a value's size are the wire's alone
        with pytest.raises(Exception, match=r"violates (check|foreign key) constraint"):
            database.query(
                "INSERT INTO user_settings (user_id, key, value) VALUES (%s, %s, %s)", user.id, key, Jsonb(value)
            )
    for key, value in OTHERS.items():
        database.query(
            "INSERT INTO user_settings (user_id, key, value) VALUES (%s, %s, %s)", user.id, key, Jsonb(value)
        )
    assert effective(user) == OTHERS


def test_settings_belong_to_their_user(new_user: NewUser) -> None:
    ann, ben = new_user(), new_user()
    ann.patch("/settings", OTHERS)
    assert ben.get("/user/settings").data == TYPED | CHANNELS
    assert ben.get("/settings").json["settings"] == []
    ben.patch("/settings", {"theme": "light"})
    ben.delete("/settings/locale")
    assert effective(ann) == OTHERS
