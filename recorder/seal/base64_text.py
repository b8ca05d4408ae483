"""Base64 in its one canonical spelling."""

from base64 import b64decode, b64encode
from binascii import Error

from recorder.errors import FormatError


def encode(data: bytes) -> str:
    return b64encode(data).decode()


def decode(text: str, where: str) -> bytes:
    """The bytes; FormatError unless `encode` gives the same text again."""
    try:
        data = b64decode(text, validate=True)
    except (Error, ValueError):
        raise FormatError("not base64", where) from None
    if encode(data) != text:
        raise FormatError("base64 with stray bits at its end", where)
    return data
