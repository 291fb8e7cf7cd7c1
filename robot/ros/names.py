"""What the rules for names of nodes, namespaces, topics and services have in common."""

from __future__ import annotations

Fault = tuple[str, int]  # what is wrong, and the index of the first character that is


def check_text(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"incompatible function arguments: expected a name as str, got {name!r}")


def is_word(character: str) -> bool:
    """Tell whether a character is a letter, a digit (both ASCII) or an underscore."""
    return character.isascii() and (character.isalnum() or character == "_")


def number_at_token(name: str, text: str) -> Fault | None:
    """Find a token that starts with a digit."""
    for at, character in enumerate(name):
        if character.isdigit() and at > 0 and name[at - 1] == "/":
            return text, at
    return (text, 0) if name[:1].isdigit() else None


def absolute_fault(name: str, what: str, at_end: str) -> Fault | None:
    """Find what is wrong with a name that has to be absolute and free of substitutions; '/' alone is right."""
    if not name:
        return f"{what} must not be empty string", 0
    if name[0] != "/":
        return f"{what} must be absolute, it must lead with a '/'", 0
    if name.endswith("/") and name != "/":
        return at_end, len(name) - 1
    for at, character in enumerate(name):
        if not (is_word(character) or character == "/"):
            return f"{what} must not contain characters other than alphanumerics, '_', or '/'", at
        if character == "/" and at > 0 and name[at - 1] == "/":
            return f"{what} must not contain repeated '/'", at
    return number_at_token(name, f"{what} must not have a token that starts with a number")


def full_node_name(name: str, namespace: str) -> str:
    """Join a namespace and a name: '/' and 'a' are '/a', '/ns' and 'a' are '/ns/a'."""
    return f"{namespace.rstrip('/')}/{name}"
