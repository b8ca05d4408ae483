"""Character sets of the terminal: US-ASCII and DEC Special Graphics (VT100 user guide, table 3-9)."""

_SPECIAL_GRAPHICS = "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"

SPECIAL_GRAPHICS = {0x60 + offset: sign for offset, sign in enumerate(_SPECIAL_GRAPHICS)}
"""For `str.translate`: what the codes 0x60..0x7e show while the set is shifted in."""
