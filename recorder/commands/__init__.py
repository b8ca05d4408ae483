"""Commands: what was run in a recording, read off what its terminal showed and what its shell reported."""

from recorder.commands.command import Command, Flag, Span
from recorder.commands.extract import VERSION, Extractor, extract
from recorder.commands.reports import ForgedMark

__all__ = ["VERSION", "Command", "Extractor", "Flag", "ForgedMark", "Span", "extract"]
