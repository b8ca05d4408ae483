"""Which commands are transfers of files, whose payload is not stored: a pure judgement over bytes.

A command is a transfer only if it is one simple command that means the same to every shell, without anything
a shell would expand, and if its program takes none of the options that make it run another one. The words
that were judged are the words that are executed, without a shell. Everything else is a recorded shell.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

MAX_COMMAND = 32 * 1024


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UPLOAD, _DOWNLOAD, _BOTH = "upload", "download", "both ways"
_PLAIN = r"[A-Za-z0-9_@%+:,./-]|[^\x00-\x7f]"
_WORD = re.compile(rf"(?!=)(?:{_PLAIN}|=|'[^']*'|\\[ -~])+")
_PART = re.compile(r"'(?P<quoted>[^']*)'|\\(?P<escaped>.)|(?P<plain>[^'\\]+)")

_SFTP_PATHS = (
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
)
_SFTP_FLAGS = frozenset({"-e", "-R"})
_SFTP_VALUES = frozenset({"-d", "-f", "-l", "-P", "-p", "-u"})
_SCP_FLAGS = frozenset({"-r", "-p", "-v", "-d", "-q"})

_RSYNC_SHORT = re.compile(r"-[ADEHIJKLNORSUWXbcdgiklmnopqrtuvxyz]*(?:e[0-9]*\.[A-Za-z0-9]*)?")
"""Not s, which sends the real options later, and not C, which reads a file of the user's home."""
_RSYNC_FLAGS = _words(
    """
    --append --backup --backup-dir --compare-dest --copy-dest --copy-unsafe-links --delay-updates
    --delete --delete-after --delete-before --delete-delay --delete-during --delete-excluded
    --delete-missing-args --dirs --existing --force --from0 --fsync --group --hard-links
    --ignore-errors --ignore-existing --ignore-missing-args --inplace --link-dest --links
    --list-only --mkpath --munge-links --new-compress --no-W --no-implied-dirs --no-r --no-relative
    --no-specials --numeric-ids --old-compress --omit-dir-times --open-noatime --owner --partial
    --partial-dir --perms --preallocate --prune-empty-dirs --recursive --remove-sent-files
    --remove-source-files --safe-links --sender --size-only --sparse --specials --stats --temp-dir
    --times --use-qsort --whole-file
    """
)
"""Those that take a value take the next word, whatever it is: it is judged like any other."""
_RSYNC_VALUES = _words(
    """
    --append --backup-dir --block-size --bwlimit --checksum-choice --checksum-seed --compare-dest
    --compress-choice --compress-level --copy-dest --debug --delete --groupmap --info --link-dest
    --log-format --max-alloc --max-delete --max-size --min-size --modify-window --out-format
    --partial-dir --skip-compress --suffix --temp-dir --timeout --usermap
    """
)
_GIT = {
    "git-upload-pack": _DOWNLOAD,
    "git-upload-archive": _DOWNLOAD,
    "git-receive-pack": _UPLOAD,
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """A command that moves files and does nothing else."""

    protocol: str
    """`scp`, `sftp`, `rsync` or `git`."""
    direction: str
    programs: tuple[str, ...]
    """Where the program may be: the first of these that can be trusted is executed."""
    arguments: tuple[str, ...]
    """Its name and its arguments."""
    environment: tuple[tuple[str, str], ...] = ()
    """Variables that are set for it."""
    stores_payload: bool = False
    """git runs hooks and filters that belong to the user: what passes is stored like a shell's."""


def judge(command: bytes) -> Transfer | None:
    """The transfer that this command is; None for a command that is for a shell."""
    words = simple_words(command)
    if not words:
        return None
    name, arguments = words[0], words[1:]
    if name == "internal-sftp" or name in _SFTP_PATHS:
        return _sftp(name, arguments)
    for program, judged in _PROGRAMS.items():
        if name in {program, f"/usr/bin/{program}"}:
            return judged(program, arguments)
    return None


def simple_words(command: bytes) -> tuple[str, ...] | None:
    """The words of a command in which a shell would find nothing to expand, join or divide; else None.

    Letters, digits and `_@%+=:,./-` stand for themselves, as do other printable characters of UTF-8, anything
    printable between single quotes, and one printable ASCII character behind a backslash.
    """
    if len(command) > MAX_COMMAND:
        return None
    try:
        text = command.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not text.isprintable():
        return None
    words = []
    at = 0
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            return None
        words.append("".join(_meaning(part) for part in _PART.finditer(found[0])))
        at = found.end()
        if at < len(text) and text[at] != " ":
            return None
        while at < len(text) and text[at] == " ":
            at += 1
    return tuple(words)


def _meaning(part: re.Match[str]) -> str:
    return next(text for text in part.groups() if text is not None)


def _sftp(name: str, arguments: tuple[str, ...]) -> Transfer | None:
    """The subsystem as sshd's configuration gives it; `internal-sftp` would be sshd itself."""
    rest = list(arguments)
    while rest:
        option = rest.pop(0)
        if option in _SFTP_VALUES and rest and not rest[0].startswith("-"):
            rest.pop(0)
        elif option not in _SFTP_FLAGS:
            return None
    programs = _SFTP_PATHS if name == "internal-sftp" else (name,)
    return Transfer("sftp", _BOTH, programs, ("sftp-server", *arguments))


def _scp(name: str, arguments: tuple[str, ...]) -> Transfer | None:
    """`-t` to here or `-f` from here, and paths; never the options that name another program."""
    rest = list(arguments)
    modes = []
    while rest and rest[0] != "--" and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in {"-t", "-f"}:
            modes.append(option)
        elif option not in _SCP_FLAGS:
            return None
    if rest and rest[0] == "--":
        rest.pop(0)
    elif any(word.startswith("-") for word in rest):
        return None
    if len(modes) != 1 or not rest or (modes == ["-t"] and len(rest) != 1):
        return None
    return Transfer("scp", _UPLOAD if modes == ["-t"] else _DOWNLOAD, _at(name), (name, *arguments))


def _rsync(name: str, arguments: tuple[str, ...]) -> Transfer | None:
    """`--server` first, and options from a list: popt takes them wherever they stand."""
    if arguments[:1] != ("--server",) or not all(map(_is_harmless, arguments[1:])):
        return None
    if not any(not word.startswith("-") for word in arguments):
        return None
    direction = _DOWNLOAD if "--sender" in arguments else _UPLOAD
    # a server, too, reads ~/.popt (popt(3)), where a user gives options other meanings, or other programs
    return Transfer("rsync", direction, _at(name), (name, *arguments), (("HOME", "/dev/null"),))


def _is_harmless(word: str) -> bool:
    if not word.startswith("-"):
        return True
    option, equals, _ = word.partition("=")
    if word.startswith("--"):
        return option in (_RSYNC_VALUES if equals else _RSYNC_FLAGS)
    return word != "-" and _RSYNC_SHORT.fullmatch(word) is not None


def _git(name: str, arguments: tuple[str, ...]) -> Transfer | None:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        return None
    return Transfer("git", _GIT[name], _at(name), (name, *arguments), stores_payload=True)


def _at(name: str) -> tuple[str, ...]:
    return (f"/usr/bin/{name}",)


_PROGRAMS: dict[str, Callable[[str, tuple[str, ...]], Transfer | None]] = {
    "scp": _scp,
    "rsync": _rsync,
    **dict.fromkeys(_GIT, _git),
}
