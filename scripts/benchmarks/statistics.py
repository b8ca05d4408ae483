"""Figures over samples. Pure."""

from collections.abc import Sequence


def percentile(samples: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the samples lie, between neighbours by proportion.

    ValueError for no samples, and for a percentage outside 0 to 100.
    """
    if not samples or not 0 <= percent <= 100:
        raise ValueError(f"no percentile {percent} of {len(samples)} samples")
    ordered = sorted(samples)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def median(samples: Sequence[float]) -> float:
    """The middle value; ValueError for no samples."""
    return percentile(samples, 50)


def ratio(ours: float, theirs: float) -> float | None:
    """How many times theirs ours is; None where theirs is nothing."""
    return ours / theirs if theirs else None
