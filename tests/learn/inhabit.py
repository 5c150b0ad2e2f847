from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    user.post("/learn/lessons/plan_the_day/start")
    user.post("/learn/lessons/one_thing_at_a_time/complete", {"quiz_score": 80})
    attempt = {"score": 90, "correct_count": 9, "total_count": 10, "time_seconds": 60}
    user.post("/learn/drills/hear_intervals/submit", attempt)
    deck = user.post("/learn/decks", {"name": "Words"}).data["id"]
    card = user.post(f"/learn/decks/{deck}/cards", {"front": "dog", "back": "Hund"}).data["id"]
    user.post(f"/learn/cards/{card}/review", {"rating": 3})
    user.put("/learn/settings", {"new_per_day": 20})
    text = "#separator:tab\n#guid column:1\n#tags column:4\nnote-1\tcat\tKatze\tanimal\n"
    user.post(f"/learn/decks/{deck}/import", {"format": "anki", "text": text})
