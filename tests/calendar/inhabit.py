from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    event = user.post("/calendar", {"title": "Dentist", "start_time": "2031-05-09T08:00:00Z"}).data["id"]
    user.post(f"/calendar/{event}/complete")
    series = {"title": "Stand-up", "start_time": "2031-05-05T09:00:00Z", "recurrence_rule": "FREQ=DAILY;COUNT=9"}
    daily = user.post("/calendar", {**series, "timezone": "Europe/Berlin"}).data["id"]
    user.put(f"/calendar/{daily}_20310506T090000Z", {"title": "Stand-down"})
    user.delete(f"/calendar/{daily}_20310507T090000Z")
    user.post("/calendar/feed")
