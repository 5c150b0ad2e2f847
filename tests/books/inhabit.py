from tests.conftest import User


def inhabit(user: User) -> None:
    """Leave one of everything this group keeps in the user's account."""
    book = user.post("/books", {"title": "Dune", "total_pages": 100, "tags": ["desert"]}).data["id"]
    user.post(f"/books/{book}/sessions", {"pages_read": 100})
    user.put("/books/goal", {"target": 12})
    user.post("/books/import", {"csv": "Title,Author,Exclusive Shelf\nThe Glass Tide,Ilse Verran,read\n"})
    imported = user.get("/books", query={"search": "glass"}).data["books"][0]["id"]
    user.delete(f"/books/{imported}")
