from tests.support.client import Client


def test_health_asks_no_database(stranger: Client) -> None:
    document = stranger.get("/health").json
    assert document["status"] == "healthy"
    assert document["timestamp"].endswith("Z")


def test_ready(stranger: Client) -> None:
    assert stranger.get("/api/ready").json["database"] == "ok"
    assert stranger.get("/nope").refused(404, "not_found") == {}
    assert stranger.post("/health").refused(405, "method_not_allowed") == {"allowed": ["GET"]}
