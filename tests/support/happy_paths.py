"""A request of each route that succeeds, for an administrator who has what the group's tests leave in an account.

Most routes succeed with the smallest request for something that the user has. The others are asked as this file says.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from tests.support import factories
from tests.support.client import Answer, Client
from tests.support.database import Database
from tests.support.routes import Route
from tests.support.rows import paths_of, rows_of
from tests.support.users import User

# Routes whose success takes more than requests: a job that has run, a file in the bucket, a secret of the settings.
NOT_BY_REQUESTS: Mapping[str, str] = {
    "POST /admin/restore": "a backup that a job has written",
    "GET /admin/restore/{restore_id}": "the same",
    "POST /admin/jobs/{job_id}/retry": "a job that has failed",
    "POST /admin-access/claim": "the key of the stack's owner",
    "GET /auth/azure": "a provider that is configured",
    "GET /auth/callback/{provider}": "a sign-in at the provider",
    "GET /notifications/unsubscribe/{token}": "a token that only mails have",
    "POST /notifications/unsubscribe/{token}": "the same",
    "POST /reference/tracks": "a file in the bucket",
    "GET /analysis": "an analysis that a worker has made",
    "GET /frames/analysis/{analysis_id}/chunks/{number}": "the same",
    "GET /reference/regions/{region_id}/metrics": "the same",
    "GET /user/exports/{export_id}/download": "an export that a job has written",
    "POST /user/imports/{import_id}/start": "a file in the bucket",
}


class Request(NamedTuple):
    """What to send: a path without its method, and a body or a query where it needs one."""

    path: str
    body: Any = None
    query: Mapping[str, str] | None = None


def _made(client: Client, path: str, body: Any) -> Any:
    """What a POST has made: the one object of its answer, in the envelope or under its own name."""
    answer = client.post(path, body)
    assert answer.status == 200, answer.text
    document = answer.json.get("data", answer.json)
    return document if "id" in document else next(part for part in document.values() if isinstance(part, dict))


def _first(client: Client, path: str, *keys: str) -> Any:
    """The first thing that a list shows, which lies behind these keys."""
    shown = client.get(path).json
    for key in keys:
        shown = shown[key]
    return shown[0]


def _universal_quest(client: Client) -> str:
    quest = {"key": f"q{uuid4().hex}", "title": "Tidy up", "category": "home", "quest_type": "daily"}
    counted = {"target": 5, "target_type": "habits_completed"}
    return f"/admin/quests/{_made(client, '/admin/quests', quest | counted)['id']}"


def _skill(client: Client) -> str:
    made = _made(client, "/admin/skills", {"id": f"s{uuid4().hex}", "name": "Patience"})
    return f"/admin/skills/{made['id']}"


def _topic(client: Client) -> str:
    made = _made(client, "/admin/content/topics", TOPIC | {"key": f"t{uuid4().hex}"})
    return f"/admin/content/topics/{made['id']}"


def _template(client: Client) -> str:
    made = _made(client, "/admin/templates", {"name": "Low end", "prompt_text": "What does the bass do?"})
    return f"/admin/templates/{made['id']}"


def _preset(client: Client) -> str:
    return f"/admin/templates/presets/{_made(client, _template(client) + '/presets', {'name': 'Loop'})['id']}"


def _job(client: Client) -> str:
    return f"/admin/jobs/{_made(client, '/user/exports', {'include_audio': False})['id']}"


def _backup(client: Client) -> str:
    client.post("/admin/backup")
    return f"/admin/backup/{_first(client, '/admin/backup', 'backups')['id']}"


def _report(client: Client) -> str:
    return f"/admin/feedback/{factories.report(client)['id']}"


def _feed(client: Client) -> str:
    url: str = client.post("/calendar/feed").data["url"]
    return url[url.index("/calendar/feed/") :]


def _own_reward(client: Client) -> str:
    return f"/market/items/{_made(client, '/market/items', {'name': 'A walk', 'price_coins': 1})['key']}"


def _purchase(client: Client) -> dict[str, str]:
    return {"purchase_id": _first(client, "/market/inventory", "data", "purchases")["id"]}


def _two_tracks(client: Client) -> dict[str, str]:
    first, second, *_ = client.get("/reference/tracks").data
    return {"track_a_id": first["id"], "track_b_id": second["id"]}


def _kept_limit(client: Client) -> str:
    """A limit with a day that is over, which only an import brings."""
    slip = {"id": uuid4().hex, "text": "Coffee", "down": True, "history": [{"date": 1730287600000, "scoredDown": 1}]}
    client.post("/habits/import", {"tasks": {"dailys": [], "habits": [slip], "todos": []}})
    found: str = next(habit["id"] for habit in client.get("/habits").data["habits"] if habit["name"] == "Coffee")
    return found


def _milestones_in_order(client: Client) -> Request:
    goal = factories.goal(client, "One", "Two")
    ids = [milestone["id"] for milestone in reversed(goal["milestones"])]
    return Request(f"/goals/{goal['id']}/milestones/order", {"ids": ids})


def _begin_exercise(client: Client) -> Request:
    client.post(f"/exercise/sessions/{client.get('/exercise/sessions/active').data['id']}/abandon")
    return Request("/exercise/sessions/start", {})


def _card(client: Client) -> str:
    deck = _made(client, "/learn/decks", {"name": "Words"})["id"]
    card: str = _made(client, f"/learn/decks/{deck}/cards", {"front": "cat", "back": "Katze"})["id"]
    return card


def _completed(client: Client) -> str:
    """A quest of the user's that is done."""
    quest: str = factories.quest(client, accepted=True)["id"]
    client.post(f"/quests/{quest}/progress")
    client.post(f"/quests/{quest}/complete")
    return quest


TOPIC = {"name": "Cooking", "category": "practice"}
LESSON = "/learn/lessons/plan_the_day"
DRILL = "/learn/drills/hear_intervals"

PREPARED: Mapping[str, Callable[[Client], Request]] = {
    "GET /admin/feedback/{report_id}": lambda client: Request(_report(client)),
    "PUT /admin/feedback/{report_id}": lambda client: Request(_report(client), {"status": "resolved"}),
    "GET /admin/quests/{quest_id}": lambda client: Request(_universal_quest(client)),
    "PUT /admin/quests/{quest_id}": lambda client: Request(_universal_quest(client), {"title": "Tidy"}),
    "DELETE /admin/quests/{quest_id}": lambda client: Request(_universal_quest(client)),
    "GET /admin/skills/{skill_id}": lambda client: Request(_skill(client)),
    "PUT /admin/skills/{skill_id}": lambda client: Request(_skill(client), {"name": "Calm"}),
    "DELETE /admin/skills/{skill_id}": lambda client: Request(_skill(client)),
    "POST /admin/content/{content_type}": lambda _client: Request(
        "/admin/content/topics", TOPIC | {"key": f"t{uuid4().hex}"}
    ),
    "GET /admin/content/{content_type}/{content_id}": lambda client: Request(_topic(client)),
    "PUT /admin/content/{content_type}/{content_id}": lambda client: Request(_topic(client), {"name": "Baking"}),
    "DELETE /admin/content/{content_type}/{content_id}": lambda client: Request(_topic(client)),
    "GET /admin/templates/{template_id}": lambda client: Request(_template(client)),
    "PUT /admin/templates/{template_id}": lambda client: Request(_template(client), {"name": "Bass"}),
    "DELETE /admin/templates/{template_id}": lambda client: Request(_template(client)),
    "GET /admin/templates/{template_id}/presets": lambda client: Request(_template(client) + "/presets"),
    "POST /admin/templates/{template_id}/presets": lambda client: Request(
        _template(client) + "/presets", {"name": "Loop"}
    ),
    "GET /admin/templates/presets/{preset_id}": lambda client: Request(_preset(client)),
    "PUT /admin/templates/presets/{preset_id}": lambda client: Request(_preset(client), {"name": "Verse"}),
    "DELETE /admin/templates/presets/{preset_id}": lambda client: Request(_preset(client)),
    "POST /admin/db/query": lambda _client: Request("/admin/db/query", {"sql": "SELECT 1"}),
    "GET /admin/db/tables/{table}": lambda _client: Request("/admin/db/tables/habits"),
    "GET /admin/jobs/{job_id}": lambda client: Request(_job(client)),
    "POST /admin/jobs/run": lambda _client: Request("/admin/jobs/run", {"name": "cleanup"}),
    "GET /admin/backup/{backup_id}": lambda client: Request(_backup(client)),
    "DELETE /admin/backup/{backup_id}": lambda client: Request(_backup(client)),
    "GET /calendar/feed/{token}.ics": lambda client: Request(_feed(client)),
    "POST /daily-plan/reorder": lambda client: Request(
        "/daily-plan/reorder", {"item_ids": [item["id"] for item in client.get("/daily-plan").json["plan"]["items"]]}
    ),
    "POST /exercise/sessions/start": _begin_exercise,
    "PUT /goals/{goal_id}/milestones/order": _milestones_in_order,
    "PUT /habits/order": lambda client: Request(
        "/habits/order", {"ids": [habit["id"] for habit in client.get("/habits").data["habits"]]}
    ),
    "POST /habits/{habit_id}/kept": lambda client: Request(f"/habits/{_kept_limit(client)}/kept"),
    "GET /docs/{asset}": lambda _client: Request("/docs/swagger-ui.css"),
    "GET /learn/topics/{topic}": lambda _client: Request("/learn/topics/habits"),
    "GET /learn/topics/{topic}/lessons": lambda _client: Request("/learn/topics/habits/lessons"),
    "GET /learn/topics/{topic}/drills": lambda _client: Request("/learn/topics/habits/drills"),
    "GET /learn/lessons/{lesson}": lambda _client: Request(LESSON),
    "POST /learn/lessons/{lesson}/start": lambda _client: Request(f"{LESSON}/start"),
    "POST /learn/lessons/{lesson}/complete": lambda _client: Request(f"{LESSON}/complete", {"quiz_score": 80}),
    "GET /learn/drills/{drill}": lambda _client: Request(DRILL),
    "POST /learn/drills/{drill}/submit": lambda _client: Request(
        f"{DRILL}/submit", {"score": 90, "correct_count": 9, "total_count": 10, "time_seconds": 60}
    ),
    "GET /learn/decks/public/{key}": lambda client: Request(
        f"/learn/decks/public/{_first(client, '/learn/decks/public', 'data', 'decks')['key']}"
    ),
    "POST /learn/decks/public/{key}/copy": lambda client: Request(
        f"/learn/decks/public/{_first(client, '/learn/decks/public', 'data', 'decks')['key']}/copy"
    ),
    "POST /learn/lessons/{lesson}/cards": lambda client: Request(
        "/learn/lessons/one_thing_at_a_time/cards", {"deck_id": _first(client, "/learn/decks", "data", "decks")["id"]}
    ),
    "POST /learn/cards/bulk": lambda client: Request(
        "/learn/cards/bulk", {"ids": [_card(client)], "action": "suspend"}
    ),
    "POST /reference/comparisons": lambda client: Request("/reference/comparisons", _two_tracks(client)),
    "GET /reference/listening/templates/{template_id}": lambda client: Request(
        f"/reference/listening/templates/{_first(client, '/reference/listening/templates', 'templates')['id']}"
    ),
    "POST /reference/listening/sessions": lambda client: Request(
        "/reference/listening/sessions", {"track_id": _two_tracks(client)["track_a_id"]}
    ),
    "GET /market/items/{item}": lambda client: Request(_own_reward(client)),
    "PATCH /market/items/{item}": lambda client: Request(_own_reward(client), {"name": "A long walk"}),
    "DELETE /market/items/{item}": lambda client: Request(_own_reward(client)),
    "POST /market/redeem": lambda client: Request("/market/redeem", _purchase(client)),
    "POST /market/refund": lambda client: Request("/market/refund", _purchase(client)),
    "PUT /market/goal": lambda client: Request("/market/goal", {"item_key": _own_reward(client).rpartition("/")[2]}),
    "POST /onboarding/step": lambda _client: Request("/onboarding/step", {"step_id": "step_welcome"}),
    "POST /pauses": lambda client: Request("/pauses", {"habit_id": factories.habit(client)["id"]}),
    "POST /exercise/programs/from-template": lambda _client: Request(
        "/exercise/programs/from-template", {"template_key": "full_body_start"}
    ),
    "POST /quests/{quest_id}/reopen": lambda client: Request(f"/quests/{_completed(client)}/reopen"),
    "GET /reference/browse": lambda client: Request(
        "/reference/browse", query={"email": client.get("/user/profile").data["email"]}
    ),
    "GET /settings/{key}": lambda _client: Request("/settings/theme"),
}

# The same for routes that do something to another user.
TO_ANOTHER_USER: Mapping[str, Callable[[UUID], Request]] = {
    "GET /admin/users/{user_id}": lambda user_id: Request(f"/admin/users/{user_id}"),
    "PATCH /admin/users/{user_id}": lambda user_id: Request(f"/admin/users/{user_id}", {"name": "Ada"}),
    "POST /admin/users/{user_id}/adjustments": lambda user_id: Request(
        f"/admin/users/{user_id}/adjustments", {"coins": 1, "reason": "Thanks", "idempotency_key": uuid4().hex}
    ),
    "DELETE /admin/users/{user_id}": lambda user_id: Request(f"/admin/users/{user_id}"),
}


def ids_of(route: Route, user: User, database: Database) -> Iterator[tuple[str, ...]]:
    """The ids that the route's path may take, of what the user has."""
    count = len(route.identified_by)
    paths = paths_of(rows_of(user.id, database), count) if count else iter([()])
    return (tuple(row.id for row in path) for path in paths)


def ask_prepared(route: Route, user: Client, new_user: Callable[[], User]) -> Callable[[], Answer]:
    """What asks the route, once all is made that it needs to grant it."""
    if make := PREPARED.get(str(route)):
        request = make(user)
    elif name := TO_ANOTHER_USER.get(str(route)):
        request = name(new_user().id)
    else:
        return partial(route.ask, user)
    return partial(user.request, route.endpoint.method, request.path, body=request.body, query=request.query)
