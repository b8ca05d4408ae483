"""A scenario: what is typed into which program, in terminals of which sizes, at which prompts."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.accuracy.prompts import DEFAULT_PROMPTS

FOLDER = Path(__file__).parent / "scenarios"
_SIZES = ("80x24", "40x12")


@dataclass(frozen=True)
class Scenario:
    """One file. Every prompt is tried in the first size, every size with the first prompt."""

    name: str
    program: str
    about: str
    keys: tuple[str, ...]
    sizes: tuple[str, ...]
    prompts: tuple[str, ...]
    setup: str
    """Lines for the shell's own startup file."""
    sshd: bool
    """A host to log in to is there."""
    server: str
    """The database server that is there: `postgres`, `mariadb`, or none."""
    given_up: tuple[str, ...]
    """What the program's own history keeps though it was not run as a command."""
    unlisted: tuple[str, ...]
    """What the program runs and keeps out of its own history."""
    files: dict[str, str]
    """Files in the home directory."""

    @property
    def remote_program(self) -> str:
        """The program, and whether most of the commands are those of a shell behind ssh."""
        return f"{self.program} through ssh" if self.sshd else self.program

    def variants(self) -> Iterator[tuple[str, str]]:
        """Pairs of a size and a prompt's name."""
        for prompt in self.prompts:
            yield self.sizes[0], prompt
        for size in self.sizes[1:]:
            yield size, self.prompts[0]


def load(path: Path) -> Scenario:
    """A scenario from its TOML file; a key it does not know is an error."""
    content: dict[str, Any] = tomllib.loads(path.read_text())
    program = content.pop("program")
    scenario = Scenario(
        name=path.stem,
        program=program,
        about=content.pop("about"),
        keys=tuple(content.pop("keys")),
        sizes=tuple(content.pop("sizes", _SIZES)),
        prompts=tuple(content.pop("prompts", DEFAULT_PROMPTS[program])),
        setup=content.pop("setup", ""),
        sshd=content.pop("sshd", False),
        server=content.pop("server", {"psql": "postgres", "mariadb": "mariadb"}.get(program, "")),
        given_up=tuple(content.pop("given_up", ())),
        unlisted=tuple(content.pop("unlisted", ())),
        files=content.pop("files", {}),
    )
    if content:
        raise ValueError(f"{path.name}: unknown keys {', '.join(content)}")
    return scenario


def load_all() -> list[Scenario]:
    """All scenarios, by name."""
    return [load(path) for path in sorted(FOLDER.glob("*.toml"))]
