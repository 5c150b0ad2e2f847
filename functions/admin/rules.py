"""What the administration decides without the database."""


def containing(text: str | None) -> str | None:
    r"""The pattern of LIKE for what contains a text, where `%`, `_` and `\` stand for themselves; None for no text."""
    if not text:
        return None
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
