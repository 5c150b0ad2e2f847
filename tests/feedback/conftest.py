# What the factory of reports sends when nothing else is asked for.
BELL = {"type": "bug", "title": "The bell rings twice", "description": "After a pause."}
