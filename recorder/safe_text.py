"""The one place that makes recorded or foreign text safe to show."""

_PICTURES: dict[int, int] = {code: 0x2400 + code for code in range(0x20)}
_PICTURES[0x7F] = 0x2421
_PICTURES |= dict.fromkeys(range(0x80, 0xA0), 0xFFFD)  # C1 controls
_PICTURES |= dict.fromkeys(range(0x202A, 0x202F), 0x2426)  # bidi embeddings and overrides
_PICTURES |= dict.fromkeys(range(0x2066, 0x206A), 0x2426)  # bidi isolates
_PICTURES |= dict.fromkeys((0x200E, 0x200F, 0x061C, 0xFEFF), 0x2426)
_NO_GLYPH = (0xAD, 0x180E, 0x200B, *range(0x2060, 0x2066), *range(0x206A, 0x2070), *range(0xFFF9, 0xFFFC))
# Two names that differ would look the same. The joiners U+200C and U+200D stay: scripts and emoji need them.
_PICTURES |= dict.fromkeys(_NO_GLYPH, 0x2426)
_PICTURES |= dict.fromkeys((0x2028, 0x2029), 0x2424)
_PICTURES |= dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)  # lone surrogates cannot be encoded
_PICTURES |= dict.fromkeys(range(0xE0000, 0xE0080), 0x2426)  # tag characters are invisible


def safe(text: str, limit: int = 10_000) -> str:
    """`text` as one line without control characters, bidi tricks or surrogates, at most `limit` characters.

    Control characters become their Unicode pictures (U+2400 block), so nothing is silently lost.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return text if text.isprintable() else text.translate(_PICTURES)
