"""Hashes of types as graph queries give them."""

from __future__ import annotations

SIZE = 32  # bytes


class TypeHash:
    """A hash and the version of its algorithm; -1 = none."""

    __slots__ = ("_value", "_version")

    def __init__(self, version: int = -1, value: bytes = bytes(SIZE)) -> None:
        self.version = version
        self.value = value

    @classmethod
    def parse(cls, text: str) -> TypeHash:
        """Read `RIHS01_<64 hex digits>`; anything else gives the hash that is none."""
        version, _, digits = text.removeprefix("RIHS").partition("_")
        try:
            return cls(int(version), bytes.fromhex(digits))
        except ValueError:
            return cls()

    @property
    def version(self) -> int:
        return self._version

    @version.setter
    def version(self, value: int) -> None:
        assert isinstance(value, int)
        self._version = value

    @property
    def value(self) -> bytes:
        return self._value

    @value.setter
    def value(self, value: bytes) -> None:
        assert isinstance(value, bytes)
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypeHash) and (self.version, self.value) == (other.version, other.value)

    def __hash__(self) -> int:
        return hash((self._version, self._value))

    def __str__(self) -> str:
        if self._version <= 0 or len(self._value) != SIZE:
            return "INVALID"
        return f"RIHS{self._version:02}_{self._value.hex()}"

    def __repr__(self) -> str:
        return f"TypeHash(version={self._version}, value={self._value!r})"
