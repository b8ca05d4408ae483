"""Prompts of many shapes, for each program in its own notation."""

PROMPTS: dict[str, dict[str, str]] = {
    "bash": {
        "plain": r"\$ ",
        "user": r"\u@\h:\w\$ ",
        "colour": r"\[\e[01;32m\]\u@\h\[\e[00m\]:\[\e[01;34m\]\w\[\e[00m\]\$ ",
        "two-line": r"\n\[\e[36m\]\w\[\e[0m\] (main)\n❯ ",
        "brackets": r"[\u@\h \W]\$ ",
        "clock": r"[\t] \! \W> ",
        "angle": "> ",
        "title": r"\[\e]0;\u@\h: \w\a\]\W » ",
        "long": r"\u@\h:\w very long prompt of many words \$ ",
        "powerline": r"\[\e[48;5;31;97m\] \u \[\e[0;38;5;31m\]\[\e[0m\] ",
        "colon": r"\u@\h:\W: ",
    },
    "zsh": {
        "plain": "%# ",
        "user": "%n@%m %~ %# ",
        "colour": "%F{green}%n%f@%m:%F{blue}%~%f%# ",
        "two-line": "\n%F{cyan}%~%f\n❯ ",
        "right": "%~ %# |%F{yellow}%T%f",
        "right-long": "➜  %c |[%D{%H:%M:%S}] %n@%m",
        "clock": "[%*] %1~ $ ",
    },
    "fish": {
        "default": "",
        "plain": "echo -n '> '",
        "arrow": "set_color cyan; echo -n (prompt_pwd); set_color normal; echo -n ' ❯ '",
        "two-line": "echo (prompt_pwd); echo -n '❯ '",
        "right": "echo -n '$ '|echo -n (prompt_hostname)' right'",
    },
    "dash": {"plain": "$ ", "user": "me@host:~$ ", "hash": "# "},
    "ksh": {"plain": "$ ", "user": "me@host:~$ ", "hash": "# "},
    "python": {"plain": ">>> ", "in": "In: > "},
    "sqlite": {"plain": ""},
    "node": {"plain": ""},
    "psql": {
        "plain": "",
        "user": "%n@%m:%/%R%x%# ",
        "colour": "%[%033[1;33m%]%/%[%033[0m%]%R%# ",
        "two-line": "[%M]\\n%n@%/%R%# ",
        "clock": "%`date +%H:%M:%S` %/%R%x> ",
    },
    "mariadb": {"plain": "", "mysql": "mysql> ", "user": "\\u@\\h [\\d]> ", "clock": "\\R:\\m:\\s \\d> "},
}
"""What stands behind a `|` is the right prompt."""

DEFAULT_PROMPTS: dict[str, tuple[str, ...]] = {
    "bash": ("user", "colour", "two-line", "plain"),
    "zsh": ("user", "right", "two-line"),
    "fish": ("default", "arrow", "right"),
    "dash": ("plain", "user"),
    "ksh": ("plain", "user"),
    "python": ("plain",),
    "sqlite": ("plain",),
    "node": ("plain",),
    "psql": ("plain", "user", "colour"),
    "mariadb": ("plain", "mysql", "user"),
}
