"""JSON from outside: bounded numbers, no duplicate keys, no NaN, no lone surrogates, one way to fail."""

import json
import math
from typing import Any

from recorder.errors import FormatError

_KINDS = {dict: "an object", list: "an array", str: "a string", bool: "true or false", type(None): "null"}

_MAX_DIGITS = 20


class _RefusedError(ValueError):
    """A value that JSON's grammar allows and this program does not."""


def loads(data: bytes, where: str) -> Any:  # noqa: ANN401 - a JSON value can be anything
    """The JSON value in `data`; FormatError names `where` and the column of the fault."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8 at byte {error.start + 1}", where) from None
    _refuse_transfer_damage(text, where)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON at column {error.pos + 1} ({_reason(error)})", where) from None
    except _RefusedError as error:
        raise FormatError(str(error), where) from None
    except RecursionError:
        raise FormatError("nested too deeply", where) from None
    if "\\u" in text:
        _refuse_surrogates(value, where)
    return value


def _refuse_transfer_damage(text: str, where: str) -> None:
    if text.startswith("\ufeff"):
        raise FormatError("starts with a byte order mark", where, "remove the first three bytes, EF BB BF")
    if text.endswith("\r\n"):
        raise FormatError("line ends with CR LF", where, "copy the file again, without converting line ends")
    if "\0" in text:
        raise FormatError(f"NUL byte at column {text.index(chr(0)) + 1}", where)


def _reason(error: json.JSONDecodeError) -> str:
    return error.msg[:1].lower() + error.msg[1:]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _RefusedError("the same key twice in one object")
    return value


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise _RefusedError(f"a whole number of {len(digits)} digits")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _RefusedError("a number too large")
    return value


def _constant(name: str) -> float:
    raise _RefusedError(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant
)


def _refuse_surrogates(value: object, where: str) -> None:
    """Only `\\u` escapes can bring in a surrogate without its partner; no encoder could write it again."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise FormatError("half of a surrogate pair", where) from None
    except RecursionError:
        raise FormatError("nested too deeply", where) from None


def describe(value: object) -> str:
    """What kind of JSON value this is, in words."""
    return _KINDS.get(type(value), "a number")
