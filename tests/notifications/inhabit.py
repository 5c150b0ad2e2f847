from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    user.post("/notifications/subscriptions", subscription(f"https://fcm.googleapis.com/fcm/send/{user.id}"))


def subscription(endpoint: str, **keys: str) -> dict[str, object]:
    """A browser's subscription with an endpoint. Its public key is a point of P-256."""
    p256dh = "BEfNxNHhYgUd_zGGYLHWvmeQCVYZ15jV_hMytPJSvVdOvGvBxTn5C3oy4dK3I4kvagvisq_l0GpY1ey1Ku2sGhw"
    return {"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": "AAAAAAAAAAAAAAAAAAAAAA", **keys}}
