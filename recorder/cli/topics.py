"""`sealcast help`: pages on what several commands share."""

import importlib
from collections.abc import Callable, Iterator

import click

from recorder.cli.output import write_json, write_lines
from recorder.cli.pages import CODES, Verb
from recorder.cli.settings import settings_of
from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe

_TIME = """\
A moment in a recording, after @ or in --at:
  12m34s  1h05m  754.2  12:34  1:05:00  45%  end  2026-09-12T14:08:31Z
A range: TARGET@1m..2m30s, TARGET@..30s, TARGET@5m..

Wall-clock times, in queries:
  2026-09-08  2026-09-08T14:00  2026-09-08T14:00:05Z  14:00 (today)
  -2h  -7d (that long ago)  now  today  yesterday  monday (the last one)

Zone: UTC, unless --local or --tz ZONE is given or the time carries its own. JSON is always UTC."""

_JSON = """\
--json writes one document, --jsonl one object per line as found.
  {"schema": "sealcast.sessions/1", "total": 214, "returned": 20, "complete": false, "reason": "limit",
   "items": [...]}
Times are RFC 3339 UTC with milliseconds, lengths are seconds as numbers.
What is not known is null, never left out.
"complete": false and "reason" say that a limit or an error cut the list.
New fields may be added; meanings never change within a schema number.
Recorded text is as recorded; control characters are escaped, so the output is safe to look at.
Schemas: sealcast.sessions/1 (ls), sealcast.session/1 (show), sealcast.verdicts/1 (verify),
sealcast.matches/1 (search), sealcast.commands/1 (commands), sealcast.index/1 (index status),
sealcast.live/1 (sessions), sealcast.keys/1 (keys), sealcast.doctor/1 (doctor),
sealcast.policy/1 (config show)."""

_FILES = """\
The store: --store PATH, else $SEALCAST_STORE, else $SEALCAST_HOME, else $XDG_DATA_HOME/sealcast,
else ~/.local/share/sealcast
  keys/host, host.pub       this host's signing key (OpenSSH Ed25519)
  keys/trusted              whose recordings verify (allowed_signers format)
  live/ID.cast              being recorded
  sealed/YYYY/MM/DD/ID.cast.zst  finished, and ID.cast.sig, its signature
  log/                      the signed log of everything that happened (C2SP tlog-tiles)
  index.db                  what was run and shown, to search in; proves nothing (sealcast index rebuild)

Without sealcast:
  zstd -d ID.cast.zst && asciinema play ID.cast
  ssh-keygen -Y verify -f keys/trusted -I HOST -n sealcast -s ID.cast.sig < ID.cast

Error reports: $XDG_STATE_HOME/sealcast/ (~/.local/state/sealcast/)"""


_QUERY = """\
Terms side by side belong to one command: cmd:kubectl exit:!=0 is a kubectl that failed. What is said of the
session (user:, host:, times, ...) goes for the session around it. A AND B: somewhere in the session both.
A THEN B: in this order. A OR B: either. THEN binds first, then AND, then OR; parentheses group.
-x or !x says not x: beside others of that command; alone that the session has no such command.

Bare text is text of a command or of its output, and in ls also a word of the session itself.
"Quotes" keep spaces and signs; * is any text, ? any character; /pattern/ is a regular expression (RE2).
In output, text is found from the beginning of a word on: out:hunter finds hunter2, out:unter does not;
out:*unter and out:/unter/ do, and take longer.
user:alice,bob means either. 1..125, 30s.. and ..5 are ranges; = != > >= < <= compare.
Small letters match any case, a capital makes the term exact. A value that starts with - needs quotes.
after:, before: and on: mean the start of the session in ls, and of the command in search."""


def _query() -> Iterator[str]:
    from recorder.index.terms import FIELDS  # noqa: PLC0415  only this page needs it

    yield from _QUERY.splitlines()
    yield ""
    width = max(len(name) for name in FIELDS) + 2
    shown = {name: field for name, field in FIELDS.items() if name != "state"}
    for name, field in shown.items():
        yield f"  {name + ':':{width}}{field.about:36}  {'  '.join(field.examples)}"
    yield ""
    yield "  sealcast ls user:alice host:web-* after:-7d"
    yield "  sealcast ls 'check:bad OR len:>8h' -title:test"
    yield "  sealcast search 'cmd:kubectl exit:!=0 after:monday'"
    yield "  sealcast search 'cmd:\"sudo -i\" THEN cmd:/curl.*sh/'"


def key_map() -> dict[str, dict[str, list[tuple[str, str]]]]:
    """Screen -> group -> (keys, what they do), from the TUI's own tables; loaded by name, as the TUI is."""
    key_table = importlib.import_module("tui.screens.help").key_table
    split = importlib.import_module("textual.binding").Binding.make_bindings
    maps = {
        "Library": ("tui.screens.library_keys", "LIBRARY_KEYS"),
        "Search": ("tui.screens.search", "SEARCH_KEYS"),
        "Player": ("tui.screens.player_keys", "PLAYER_KEYS"),
    }
    return {
        screen: key_table(split(getattr(importlib.import_module(module), name)))
        for screen, (module, name) in maps.items()
    }


def _keys() -> Iterator[str]:
    for screen, groups in key_map().items():
        yield screen
        for heading, entries in groups.items():
            yield f"  {heading}"
            for keys, action in entries:
                yield f"    {keys:16}{action}"
        yield ""
    yield "? shows the keys of the screen you are on."


def _exit_codes() -> Iterator[str]:
    for code, meaning in CODES.items():
        yield f"  {int(code):3}  {meaning}"
    yield ""
    yield "  sealcast rec ends with the exit status of the session: 128+n where signal n ended it."
    yield "  verify over many: 4 wins over 3 over 6 over 5."


TOPICS: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "query": ("how to filter sessions", _query),
    "time": ("moments, ranges, zones", lambda: iter(_TIME.splitlines())),
    "keys": ("keys of the library and the player", _keys),
    "exit": ("exit codes", _exit_codes),
    "json": ("output for programs", lambda: iter(_JSON.splitlines())),
    "files": ("where things lie", lambda: iter(_FILES.splitlines())),
}


@click.command(
    "help",
    cls=Verb,
    examples=[
        ("sealcast help query", "the query language"),
        ("sealcast help keys", "keys of the player"),
        ("sealcast help ls", "the page of a command"),
    ],
    codes=[ExitCode.OK, ExitCode.USAGE],
)
@click.argument("topic", required=False, metavar="[TOPIC | COMMAND]")
@click.option("--json", "as_json", is_flag=True, help="With keys: the key map as JSON.")
@click.pass_context
def topics(context: click.Context, *, topic: str | None, as_json: bool) -> None:
    """Explain a topic or a command.

    Topics: query, time, keys, exit, json, files.
    """
    settings = settings_of(context)
    if as_json:
        _write_key_map(topic)
        return
    if topic in TOPICS:
        write_lines(TOPICS[topic][1](), settings)
        return
    write_lines(_command_page(context, topic).splitlines(), settings)


def _write_key_map(topic: str | None) -> None:
    if topic != "keys":
        raise SealcastError("--json is for the key map", "sealcast help keys --json")
    screens = {
        screen: {
            group: [{"keys": keys, "action": action} for keys, action in entries]
            for group, entries in groups.items()
        }
        for screen, groups in key_map().items()
    }
    write_json({"schema": "sealcast.key-map/1", "screens": screens})


def _command_page(context: click.Context, name: str | None) -> str:
    root = context.find_root()
    if name is None:
        return root.get_help()
    program = root.command
    command = program.get_command(root, name) if isinstance(program, click.Group) else None
    if command is None:
        raise SealcastError(f'no topic or command "{safe(name, 60)}"', f"topics: {', '.join(TOPICS)}")
    with click.Context(command, info_name=name, parent=root) as below:
        return command.get_help(below)
