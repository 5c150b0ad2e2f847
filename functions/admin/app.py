"""Administration (platform contract, section 7).

Each subject has a module of its own, with its routes and its statements. The role of the caller is asked with every
request: what a route needs of it is the entitlement it declares.
"""

from questlog.api import Api
from questlog.db import Db
from questlog.release import VERSION

from functions.admin import audit, content, feedback, quests, sessions, skills, users
from functions.admin.models import ROLE, Administration

# The parts there are, by the name that GET /admin gives them.
MODULES = {
    "content": content,
    "users": users,
    "feedback": feedback,
    "quests": quests,
    "skills": skills,
    "sessions": sessions,
    "audit": audit,
}

api = Api(__file__, role=ROLE)
for module in MODULES.values():
    api.include(module.api)


@api.get("/admin", requires="admin:access", envelope=False)
def administration(db: Db) -> Administration:
    """Return the version and the names of what can be administrated."""
    db.authenticate_only()
    return Administration(version=VERSION, modules=list(MODULES), role_required="admin")


handler = api.handler
