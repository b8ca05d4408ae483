"""Marks for tests, typed."""

import pytest


def needs(*commands: str) -> pytest.MarkDecorator:
    """The programs of scripts/debian-packages that the test runs; see tests/conftest.py."""
    return pytest.mark.needs(*commands)
