"""Commands: what was run in a recording, read off what its terminal showed."""

from recorder.commands.command import Command, Flag, Span
from recorder.commands.extract import VERSION, Extractor, extract

__all__ = ["VERSION", "Command", "Extractor", "Flag", "Span", "extract"]
