"""Compile the filters of DDS (annex B of its specification) to functions of a message.

`field = 'text' AND (x.y BETWEEN 1 AND %0 OR NOT flag = TRUE) AND name LIKE 'a%'`
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from fnmatch import translate
from typing import Any

from robot.ros.exceptions import RCLError

Predicate = Callable[[Any], bool]
Value = Callable[[Any], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<text>'[^']*')|(?P<parameter>%\d+)"
    r"|(?P<relation><=|>=|<>|!=|=|<|>)|(?P<bracket>[()])|(?P<word>[A-Za-z_][\w.\[\]]*))"
)
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<>": operator.ne, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_PATH = re.compile(r"\w+|\[\d+\]")


class _Parser:
    def __init__(self, expression: str, parameters: Sequence[str]) -> None:
        self._parameters = parameters
        self._tokens: list[tuple[str, str]] = []
        rest = expression.strip()
        while rest:
            found = _TOKEN.match(rest)
            if found is None or found.lastgroup is None:
                raise RCLError(f"content filter: cannot read {rest!r}")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            rest = rest[found.end() :].strip()
        self._at = 0

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _takes(self, word: str) -> bool:
        if self._peek()[1].upper() == word:
            self._at += 1
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._takes(word):
            raise RCLError(f"content filter: expected {word}, got {self._peek()[1] or 'the end'!r}")

    def parse(self) -> Predicate:
        made = self._either()
        if self._peek()[0] != "end":
            raise RCLError(f"content filter: unexpected {self._peek()[1]!r}")
        return made

    def _either(self) -> Predicate:
        parts = [self._both()]
        while self._takes("OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda message: any(part(message) for part in parts)

    def _both(self) -> Predicate:
        parts = [self._one()]
        while self._takes("AND"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda message: all(part(message) for part in parts)

    def _one(self) -> Predicate:
        if self._takes("NOT"):
            inner = self._one()
            return lambda message: not inner(message)
        if self._takes("("):
            inner = self._either()
            self._need(")")
            return inner
        left = self._value()
        negated = self._takes("NOT")
        if self._takes("BETWEEN"):
            low = self._value()
            self._need("AND")
            high = self._value()
            return lambda message: (low(message) <= left(message) <= high(message)) is not negated
        if negated or self._peek()[1].upper() == "LIKE":
            self._need("LIKE")
            right = self._value()
            return lambda message: (_like(left(message), right(message))) is not negated
        kind, text = self._next()
        if kind != "relation":
            raise RCLError(f"content filter: expected a comparison, got {text or 'the end'!r}")
        relation, right = _RELATIONS[text], self._value()
        return lambda message: relation(left(message), right(message))

    def _value(self) -> Value:
        kind, text = self._next()
        if kind == "parameter":
            index = int(text[1:])
            if index >= len(self._parameters):
                raise RCLError(f"content filter: {text} has no value, there are {len(self._parameters)}")
            constant = _constant(self._parameters[index])
            return lambda _: constant
        if kind in ("number", "text") or text.upper() in ("TRUE", "FALSE"):
            constant = _constant(text)
            return lambda _: constant
        if kind != "word":
            raise RCLError(f"content filter: expected a field or a value, got {text or 'the end'!r}")
        path = [int(part[1:-1]) if part[0] == "[" else part for part in _PATH.findall(text)]
        return lambda message: _follow(message, path)


def _constant(text: str) -> Any:
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    if text[:1] == "'":
        return text.strip("'")
    try:
        return float(text) if any(letter in text for letter in ".eE") else int(text)
    except ValueError:
        return text


def _follow(message: Any, path: Sequence[int | str]) -> Any:
    for part in path:
        message = message[part] if isinstance(part, int) else getattr(message, part)
    return message


def _like(text: str, pattern: str) -> bool:
    return re.fullmatch(translate(pattern.replace("%", "*").replace("_", "?")), text) is not None


def compile_filter(expression: str, parameters: Sequence[str]) -> Predicate:
    """Return a function that tells whether a message passes; one that lacks a field, or cannot compare it, does not.

    Raises:
        RCLError: the expression cannot be read.
    """
    test = _Parser(expression, parameters).parse()

    def passes(message: Any) -> bool:
        try:
            return bool(test(message))
        except (AttributeError, IndexError, TypeError):
            return False

    return passes
