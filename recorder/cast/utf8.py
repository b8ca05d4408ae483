"""Terminal bytes as text, at once and without losing a byte."""

import codecs

Piece = tuple[str, bytes | None]
"""Text for an `o` event, and the exact bytes where the text alone would not give them back."""

_new_decoder = codecs.getincrementaldecoder("utf-8")


class Utf8Stream:
    """Decodes a byte stream read by read, holding nothing back.

    Over all pieces, `raw or text.encode()` joined is the input, and the texts joined are what one decoding of
    the whole input with replacement characters would give. A character split over two reads stands in the
    piece that completes it.
    """

    def __init__(self) -> None:
        self._decoder = _new_decoder("replace")
        self._split = False

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces of one read, in order."""
        pieces: list[Piece] = []
        if self._split and data:
            head = self._finish_split(data)
            pieces.append(head)
            data = data[len(head[1] or b"") :]
        if data:
            try:
                pieces.append((data.decode(), None))
            except UnicodeDecodeError as error:
                pieces += self._irregular(data, error.start)
        return pieces

    def _finish_split(self, data: bytes) -> Piece:
        """The bytes that complete or break the character begun by an earlier read: at most three."""
        text = ""
        for used in range(1, len(data) + 1):
            text += self._decoder.decode(data[used - 1 : used])
            if not self._decoder.getstate()[0]:
                self._split = False
                return text, data[:used]
        return text, data

    def _irregular(self, data: bytes, valid: int) -> list[Piece]:
        """Pieces of a read that is not valid UTF-8 from byte `valid` on."""
        pieces: list[Piece] = [(data[:valid].decode(), None)] if valid else []
        text = self._decoder.decode(data[valid:])
        self._split = bool(self._decoder.getstate()[0])
        pieces.append((text, data[valid:]))
        return pieces
