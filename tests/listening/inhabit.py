from tests.conftest import User
from tests.reference.uploads import register


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    a, b = (register(user, name=name)["id"] for name in ("Mix", "Reference"))
    region = {"start_time_ms": 0, "end_time_ms": 400, "name": "Loop"}
    region_id = user.post(f"/reference/tracks/{a}/regions", region).json["id"]
    user.post(f"/reference/tracks/{a}/annotations", {"start_time_ms": 0, "title": "Begins"})
    compared = {"track_a_id": a, "track_b_id": b, "region_a_id": region_id, "blind": True}
    comparison = user.post("/reference/comparisons", compared).json["id"]
    user.post(f"/reference/comparisons/{comparison}/votes", {"preferred": "x"})
    listened = {"track_id": a, "comparison_id": comparison, "checklist": [{"prompt": "What changed?"}]}
    user.post("/reference/listening/sessions", listened)
