"""Documentation that the program writes about itself: docs/commands.md, blocks in README.md and policy.md.

Without arguments it compares and fails on a difference; with --write it puts the files right. A block starts
with `<!-- help: COMMAND -->` (nothing after the colon is the overview) and ends with `<!-- end -->`.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from recorder.cli.main import VERBS, sealcast
from recorder.cli.topics import TOPICS
from recorder.policy.schema import table_lines

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 100
_BLOCK = re.compile(r"(<!-- help:(?P<command>[a-z ]*)-->\n).*?(<!-- end -->)", re.DOTALL)
_SETTINGS = re.compile(r"(<!-- settings -->\n).*?(<!-- end -->)", re.DOTALL)
_INTRODUCTION = """\
# Commands

Generated from the program by `scripts/check --write`; the same text as `sealcast COMMAND --help` and
`sealcast help TOPIC`.
"""


def help_page(*names: str) -> str:
    """The help of a command, named from the program down, as it looks 100 columns wide."""
    context = _context(sealcast, "sealcast", None)
    command: click.Command = sealcast
    for name in names:
        found = command.get_command(context, name) if isinstance(command, click.Group) else None
        if found is None:
            raise SystemExit(f"no command {' '.join(names)}")
        command, context = found, _context(found, name, context)
    return command.get_help(context).rstrip()


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    names = ["-h", "--help"]
    return click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=names,
    )


def pages() -> Iterator[tuple[str, ...]]:
    """Every command that is not hidden, those below a command after it."""
    context = _context(sealcast, "sealcast", None)
    for name, entry in VERBS.items():
        if entry.hidden:
            continue
        yield (name,)
        command = sealcast.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((name, below) for below in command.commands)


def commands_page() -> str:
    parts = [_INTRODUCTION, _section("sealcast", help_page())]
    parts += [_section(f"sealcast {' '.join(names)}", help_page(*names)) for names in pages()]
    for name, (about, lines) in TOPICS.items():
        parts.append(_section(f"sealcast help {name}: {about}", "\n".join(lines())))
    return "\n".join(parts)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n```text\n{text}\n```\n"


def with_blocks(text: str) -> str:
    """The text with every help block as the program says it now."""

    def block(found: re.Match[str]) -> str:
        page = help_page(*found["command"].split())
        return f"{found[1]}```text\n{page}\n```\n{found[3]}"

    return _BLOCK.sub(block, text)


def wanted() -> dict[Path, str]:
    """Every generated file with the text it should have."""
    files = {ROOT / "docs" / "commands.md": commands_page()}
    readme = ROOT / "README.md"
    if readme.exists():
        files[readme] = with_blocks(readme.read_text())
    policy = ROOT / "docs" / "policy.md"
    table = "\n".join(table_lines())
    files[policy] = _SETTINGS.sub(lambda found: f"{found[1]}{table}\n{found[2]}", policy.read_text())
    return files


def main(arguments: list[str]) -> int:
    stale = [path for path, text in wanted().items() if not path.exists() or path.read_text() != text]
    if arguments == ["--write"]:
        for path in stale:
            path.write_text(wanted()[path])
        return 0
    for path in stale:
        click.echo(f"{path.relative_to(ROOT)} is not what the program says: scripts/check --write", err=True)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
