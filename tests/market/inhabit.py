from tests.conftest import User
from tests.support.factories import habit


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    habit_id = habit(user)["id"]
    user.post(f"/habits/{habit_id}/complete", {})  # Earns the coin that the reward costs.
    reward = user.post("/market/items", {"name": "An hour off", "price_coins": 1}).data
    purchase = user.post("/market/purchase", {"item_key": reward["key"], "quantity": 1})
    assert purchase.status == 200, purchase.text
