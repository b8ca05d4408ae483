"""Reading typed, bounded values out of a JSON object from outside."""

from typing import Any

from recorder.cast.strict_json import describe
from recorder.errors import FormatError

MAX_TEXT = 64 * 1024
MAX_ENTRIES = 1000


class Fields:
    """One JSON object; each reader gives the value or None, and raises FormatError naming the field."""

    def __init__(self, values: object, where: str, path: str = "") -> None:
        self._where = where
        self._path = path
        if not isinstance(values, dict):
            raise self.refuse("", f"is {describe(values)}, not an object")
        if len(values) > MAX_ENTRIES:
            raise self.refuse("", f"has more than {MAX_ENTRIES} keys")
        self.values: dict[str, Any] = values

    def refuse(self, key: str, problem: str) -> FormatError:
        """The error that `key` of this object `problem`."""
        name = ".".join(part for part in (self._path, key) if part) or "the header"
        return FormatError(f"{name} {problem}", self._where)

    def present(self, key: str) -> bool:
        return self.values.get(key) is not None

    def text(self, key: str, limit: int = MAX_TEXT) -> str | None:
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.refuse(key, f"is {describe(value)}, not a string")
        if len(value) > limit:
            raise self.refuse(key, f"is longer than {limit} characters")
        return value

    def integer(self, key: str, low: int, high: int) -> int | None:
        value = self.values.get(key)
        if value is None:
            return None
        if type(value) is not int or not low <= value <= high:
            raise self.refuse(key, f"is not a whole number from {low} to {high}")
        return value

    def number(self, key: str, low: float, high: float) -> float | None:
        value = self.values.get(key)
        if value is None:
            return None
        if type(value) not in {int, float} or not low <= value <= high:
            raise self.refuse(key, f"is not a number from {low:g} to {high:g}")
        return float(value)

    def inner(self, key: str) -> "Fields | None":
        if not self.present(key):
            return None
        return Fields(self.values[key], self._where, f"{self._path}.{key}" if self._path else key)

    def mapping(self, key: str) -> dict[str, Any] | None:
        inner = self.inner(key)
        return None if inner is None else inner.values

    def needed_text(self, key: str, limit: int = MAX_TEXT) -> str:
        value = self.text(key, limit)
        if not value:
            raise self.refuse(key, "is missing or empty")
        return value

    def needed_integer(self, key: str, low: int, high: int) -> int:
        value = self.integer(key, low, high)
        if value is None:
            raise self.refuse(key, "is missing")
        return value

    def needed_number(self, key: str, low: float, high: float) -> float:
        value = self.number(key, low, high)
        if value is None:
            raise self.refuse(key, "is missing")
        return value
