"""Administration (platform contract, section 7).

Each subject has a module of its own, with its routes and its statements. It is imported by the first request to its
paths. Every request checks that the caller's role has the entitlement that the route declares.
"""

from questlog.api import Api
from questlog.db import Db
from questlog.release import VERSION

from functions.admin.models import ROLE, Administration
from functions.admin.settings import console_url

# The parts by the names that GET /admin shows: the module of each, and the paths that it serves.
PARTS = {
    "users": ("functions.admin.users", ["/admin/users", "/admin/cleanup-users"]),
    "stats": ("functions.admin.statistics", ["/admin/stats"]),
    "feedback": ("functions.admin.feedback", ["/admin/feedback"]),
    "quests": ("functions.admin.quests", ["/admin/quests"]),
    "skills": ("functions.admin.skills", ["/admin/skills"]),
    "content": ("functions.admin.content", ["/admin/content"]),
    "templates": ("functions.admin.templates", ["/admin/templates"]),
    "database": ("functions.admin.database", ["/admin/db-health", "/admin/db"]),
    "jobs": ("functions.admin.jobs", ["/admin/jobs"]),
    "sessions": ("functions.admin.sessions", ["/admin/sessions"]),
    "audit": ("functions.admin.audit", ["/admin/audit"]),
    "backup": ("functions.admin.backups", ["/admin/backup", "/admin/restore"]),
}

# Read here so that a missing variable stops the function at start.
console_url()

api = Api(__file__, role=ROLE)
for module, paths in PARTS.values():
    for path in paths:
        api.include_on_demand(path, module)


@api.get("/admin", requires="admin:access", envelope=False)
def administration(db: Db) -> Administration:
    """Return the version and the names of what can be administrated."""
    db.authenticate_only()
    return Administration(version=VERSION, modules=list(PARTS), role_required="admin")


handler = api.handler
