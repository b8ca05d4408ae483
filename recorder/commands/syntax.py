"""As much of the syntax of command lines as tells whether one is finished, and what it starts."""

import re
from collections import deque

_EXAMINED = 4096
"""Characters of a command that tell what it starts; recorded text must not be able to make this slow."""
_SHELLS = frozenset({"bash", "sh", "zsh", "fish", "dash", "ksh", "mksh", "rbash", "ash"})
_NEVER_FAIL = re.compile(r"(?:-[a-zA-Z]+|--(?:norc|noprofile|posix|login|private|no-config))\Z")
_INTERPRETERS = re.compile(
    r"(?:python|ipython|node|psql|mysql|mariadb|sqlite|irb|ghci|lua|perl|php|gdb|lldb|bc|ftp|sftp|redis-cli"
    r"|mongo|R|julia|scala|jshell|telnet|nc|tclsh|pdb|bpython|ocaml|erl|iex|octave|maxima|smbclient|lftp"
    r"|ssh|mosh|su|sudo|doas|docker|podman|kubectl|oc|nsenter|chroot|lxc|machinectl|vagrant|tmux|screen"
    r"|script|unshare|nix-shell|poetry|pipenv|newgrp|sg|crictl|virsh|zellij|toolbox|distrobox|env|exec)"
    r"[\w.-]*\Z"
)
_CHANGES_PROMPT = frozenset(
    (
        "cd",
        "pushd",
        "popd",
        "source",
        ".",
        "export",
        "set",
        "unset",
        "eval",
        "direnv",
        "conda",
        "workon",
        "deactivate",
        "activate",
        "git",
        "setopt",
        "unsetopt",
        "prompt",
        "declare",
        "typeset",
        "alias",
        "function",
        "autoload",
        "bind",
        "bindkey",
        "shopt",
        "hash",
        "exec",
        "nvm",
        "z",
        "j",
    )
)
_REFERENCE = re.compile(
    r"!(?:[!$^*]|-?\d+|\?[^?\n]*\??|[A-Za-z./_~][^\s:!;|&()]*|#)(?::[0-9$^*]+(?:-[0-9$]*)?)?(?::[hterpqx&]|:g?s/[^/]*/[^/]*/?)*"
)
_ASSIGNMENT = re.compile(r"\w+=\S*")
_QUICK = re.compile(r"\^[^^\n]+\^[^^\n]*\^?")
_STATEMENT = re.compile(
    r"\s*(?:select\s(?!\s*\w+(?:\s+in\b.*|\s*;\s*)\bdo\b)|(?:insert|merge)\s+into\s|delete\s+from\s|do\s+\$"
    r"|update\s+\S+\s+set\s|with\s+\w+\s+as\s|(?:create|alter|drop|grant|revoke|truncate|explain)\s+\w)",
    re.IGNORECASE,
)
_READS_LINE = re.compile(r"\binput\(|\bread +(?:-\w+ +){0,9}-\w*e")
_READS_ROWS = re.compile(r"\s*\\?copy\b[^;]*\bfrom\s+p?stdin\b", re.IGNORECASE)
_SETS_PROMPT = re.compile(r"\bPS1=|\bPROMPT1?\b|\bps1 *=")
_QUOTED = re.compile(r"'[^']*'|\\.")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([\w.-]+)\1")
_WORD = re.compile(r"[\w]+|[{}]")
_OPENING = {"if": 1, "for": 1, "while": 1, "until": 1, "case": 1, "{": 1}
_CLOSING = {"fi": -1, "done": -1, "esac": -1, "}": -1}


def incomplete(text: str) -> bool:
    """A shell would ask for more: an open quote, a bracket, a trailing backslash, a here-document, a loop."""
    if _open_heredoc(text):
        return True
    rest = re.sub(r"\\[^\n]", "", text)
    if rest.endswith("\\"):
        return True
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", rest)
    if "'" in bare or '"' in bare:
        return True
    bare = re.sub(r"(?:^|\s)#.*", "", bare)
    if bare.rstrip().endswith(("|", "&&")) or bare.count("(") > bare.count(")") + bare.count("esac") * 9:
        return True
    words = re.findall(r"(?:^|[;\n&|()]|\bdo\b|\bthen\b|\belse\b)[^\S\n]*+([\w{}]+)", bare)
    return sum(_OPENING.get(word, 0) + _CLOSING.get(word, 0) for word in words) > 0


def is_statement(text: str) -> bool:
    """One or more whole statements for a database, which are no shell's command line."""
    return bool(_STATEMENT.match(text[:4096])) and text.rstrip().endswith((";", "\\g", "\\G", "\\gx"))


def reads_line(text: str) -> bool:
    """python and bash ask with their own line editor in it."""
    return bool(_READS_LINE.search(text[:4096]))


def reads_rows(text: str) -> bool:
    """psql reads rows of a table after it, up to a line `\\.`."""
    return bool(_READS_ROWS.match(text[:4096]))


def _open_heredoc(text: str) -> bool:
    """Here-documents end one after the other, in the order in which they begin."""
    ends = [found[2] for found in _HEREDOC.finditer(text) if text[found.start() - 1 : found.start()] != "<"]
    for line in text.split("\n")[1:]:
        if ends and line.strip() == ends[0]:
            del ends[0]
    return bool(ends)


def sets_prompt(text: str) -> bool:
    """The next prompt is whatever this says."""
    return bool(_SETS_PROMPT.search(text[:4096]))


def program(text: str) -> str:
    """The name of the program of a simple command, without its path and what stands before it."""
    for word in text[:_EXAMINED].split():
        if _ASSIGNMENT.fullmatch(word) or word in ("command", "builtin", "time", "nohup", "env"):
            continue
        return word.rpartition("/")[2]
    return ""


def simple_commands(text: str) -> list[str]:
    """The commands in a line, roughly: what stands between its operators."""
    return [part for part in re.split(r"[\n;&|(){}`]+", text[:_EXAMINED]) if part.strip()]


def starts_shell(text: str) -> bool:
    """Surely starts an interactive shell, whose prompt may be the same as the one it was typed at."""
    words = text[:_EXAMINED].split()
    if _SHELLS.isdisjoint(word.rpartition("/")[2] for word in words):
        return False
    words = [word for word in words if not _ASSIGNMENT.fullmatch(word)]
    if words[:1] in (["exec"], ["env"], ["command"]):
        words = words[1:]
    if not words or words[0].rpartition("/")[2] not in _SHELLS:
        return False
    return _only_options(words[1:])


def _only_options(words: list[str]) -> bool:
    """Nothing to run instead of reading commands: no file, no `-c`."""
    values = {place + 1 for place, word in enumerate(words) if word in ("--rcfile", "--init-file")}
    left = [word for place, word in enumerate(words) if place not in values and place + 1 not in values]
    return all(_NEVER_FAIL.match(word) and (word.startswith("--") or "c" not in word) for word in left)


def may_start_shell(text: str) -> bool:
    """A program known to read commands of its own."""
    name = program(text)
    return name in _SHELLS or bool(_INTERPRETERS.match(name))


def changes_prompt(text: str) -> bool:
    """A command of the shell itself, after which another prompt is no other shell."""
    first = text.split(maxsplit=1)[0] if text.split() else ""
    return first in _CHANGES_PROMPT or "PS1=" in text or "PROMPT" in text or "cd " in text


def leaves_shell(text: str) -> bool:
    """`exit`, `logout`, and what interpreters take for them."""
    return program(text).rstrip(";()") in {"exit", "logout", "quit", "\\q", ".quit", ".exit", "bye"}


def fixed_parts(text: str) -> list[str] | None:
    """What stands between the history references of a line; None if there are none, or it is very long."""
    if len(text) > _EXAMINED or not ("!" in text or text.startswith("^")):
        return None
    if _QUICK.fullmatch(text):
        return ["", ""]
    kept = deque(found.span() for found in _QUOTED.finditer(text))
    parts, last = [], 0
    for found in _REFERENCE.finditer(text):
        while kept and kept[0][1] <= found.start():
            kept.popleft()
        if (kept and kept[0][0] <= found.start()) or _not_reference(text, found):
            continue
        parts.append(text[last : found.start()])
        last = found.end()
    return [*parts, text[last:]] if parts else None


def expands(parts: list[str], line: str) -> bool:
    """`line` can be what the shell made of a line with these parts between references."""
    place = 0
    for part in parts:
        place = line.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return line.startswith(parts[0]) and line.endswith(parts[-1])


def _not_reference(text: str, found: re.Match[str]) -> bool:
    """`$!`, `[!a]` and `{!a` are no references."""
    before = found.start() - 1
    return before >= 0 and text[before] in "$[{"
