"""The clients of database servers: their histories, held against what their servers were given."""

import re
from pathlib import Path

_CLIENT_COMMAND = re.compile(
    r"\\|(?:help|use|status|source|delimiter|pager|nopager|prompt|quit|exit|tee|rehash)\b", re.IGNORECASE
)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_ESCAPED = re.compile(r"\\(\d{3})")


def psql_history(home: Path) -> list[str]:
    """Statements are one entry however many lines they had; what was given up is not in it."""
    path = home / "truth" / "psql"
    lines = path.read_text().split("\n") if path.exists() else []
    return [line.replace("\x01", "\n") for line in lines if line.strip()]


def mariadb_history(home: Path) -> list[str]:
    """Each line of a statement is an entry, and then the statement once more if it had several."""
    path = home / "truth" / "mariadb"
    lines = path.read_text().split("\n")[1:] if path.exists() else []
    entries = [_ESCAPED.sub(lambda found: chr(int(found[1], 8)), line) for line in lines if line]
    commands: list[str] = []
    place = 0
    while place < len(entries):
        count = _lines_of_statement(entries[place:])
        commands.append("\n".join(entries[place : place + count]))
        place += count + (count > 1)
    return commands


def _lines_of_statement(entries: list[str]) -> int:
    joined = ""
    for count, entry in enumerate(entries[:-1], 1):
        joined += f"{entry}\n"
        if count > 1 and _bare(joined) == _bare(entries[count]):
            return count
    return 1


def _bare(text: str) -> str:
    return "".join(_COMMENT.sub("", text).split())


def check_against_log(truth: list[str], log: Path) -> None:
    """The server was given every statement of the truth.

    Raises ValueError for one that it was not: then the history tells something else than what was run.
    """
    given = _bare(log.read_text(errors="replace"))
    for text in truth:
        statement = _bare(re.split(r";|//|\\", text)[0])
        if not _CLIENT_COMMAND.match(text) and statement not in given:
            raise ValueError(f"the server was not given {text!r} of {truth}")
