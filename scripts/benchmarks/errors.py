"""What a benchmark says when it cannot measure."""


class BenchError(Exception):
    """A measurement that would not be true: too slow, incomplete, or a program that failed."""
