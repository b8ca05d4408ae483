"""Whatever happens to a recording's bytes, the outcome is a verdict, and never a better one than is true."""

import io
import random
from collections.abc import Callable

import pytest

from recorder.cast.reader import iter_lines
from recorder.seal.verify import Integrity, check_recording
from tests.seal.recordings import TRUSTED, build

CASES = 10_000
WHOLE = build(spans=3, per_span=4).bytes
LINES = WHOLE.splitlines(keepends=True)
SPECIMENS = [
    b"\n",
    b"\0",
    b"\xff",
    b'"',
    b"\\",
    b"[",
    b"{",
    b"1e999",
    b"NaN",
    b"9" * 400,
    b"[" * 2000,
    "—".encode(),
]
Mutation = Callable[[random.Random], bytes]


def flip_bit(rng: random.Random) -> bytes:
    data = bytearray(WHOLE)
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def cut(rng: random.Random) -> bytes:
    return WHOLE[: rng.randrange(len(WHOLE))]


def remove(rng: random.Random) -> bytes:
    start = rng.randrange(len(WHOLE))
    return WHOLE[:start] + WHOLE[start + rng.randint(1, 300) :]


def insert(rng: random.Random) -> bytes:
    at = rng.randrange(len(WHOLE) + 1)
    return WHOLE[:at] + rng.choice([*SPECIMENS, rng.randbytes(rng.randint(1, 20))]) + WHOLE[at:]


def copy(rng: random.Random) -> bytes:
    start, at = rng.randrange(len(WHOLE)), rng.randrange(len(WHOLE))
    return WHOLE[:at] + WHOLE[start : start + rng.randint(1, 500)] + WHOLE[at:]


def shuffle_lines(rng: random.Random) -> bytes:
    lines = LINES.copy()
    for _ in range(rng.randint(1, 3)):
        one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def pick_lines(rng: random.Random) -> bytes:
    return b"".join(rng.choices(LINES, k=rng.randint(1, 30)))


MUTATIONS: list[Mutation] = [flip_bit, cut, remove, insert, copy, shuffle_lines, pick_lines]


def verdict(data: bytes) -> Integrity:
    return check_recording(iter_lines(io.BytesIO(data)), TRUSTED)


def last_line_differs_only(data: bytes) -> bool:
    """No seal stands behind the final seal's own line: the file's signature is what covers its time."""
    return data.splitlines(keepends=True)[:-1] == LINES[:-1]


def test_the_whole_is_good() -> None:
    result = verdict(WHOLE)
    assert result.final
    assert result.findings == ()


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_ten_thousand_mutations_end_in_a_verdict(mutation: Mutation) -> None:
    rng = random.Random(mutation.__name__)
    for _ in range(CASES // len(MUTATIONS) + 1):
        data = mutation(rng)
        result = verdict(data)
        for finding in result.findings:
            assert finding.sentence.isprintable()
            assert finding.first_line <= finding.last_line
        if data != WHOLE and not last_line_differs_only(data):
            assert result.findings, data
            assert result.bad or not result.final, data
        assert data.startswith(b"".join(LINES[: result.sealed_lines]))
