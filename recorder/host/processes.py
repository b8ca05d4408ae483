"""The processes of this host, and which of them are sshds that listen."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from recorder.host import places
from recorder.host.evidence import Process


@dataclass(frozen=True, slots=True, order=True)
class Listener:
    """How an sshd was started; an option on its command line wins over its configuration."""

    config: str = places.SSHD_CONFIG
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.config, *(f"-o {option}" for option in self.options)))


def processes() -> Iterable[Process]:
    """Of this host: in a container the same paths and accounts are others."""
    ours = os.readlink("/proc/self/ns/pid")
    for directory in Path("/proc").iterdir():
        if not directory.name.isdecimal():
            continue
        try:
            if os.readlink(directory / "ns" / "pid") != ours:
                continue
            name = (directory / "comm").read_text(errors="replace").strip()
            arguments = (directory / "cmdline").read_text(errors="replace").split("\0")
        except OSError:
            continue  # it ended
        yield Process(int(directory.name), name, tuple(arguments))


def listener(process: Process) -> Listener | None:
    """How an sshd that listens was started; None for other processes, sshd's children among them.

    A listener rewrites its title to `sshd: /usr/sbin/sshd -D -f FILE [listener] 0 of 10-100 startups`.
    """
    words = " ".join(process.arguments).split()
    is_listener = "[listener]" in words or (bool(words) and not words[0].endswith(":"))
    if process.name != "sshd" or not is_listener:
        return None
    configs = _values(words, "-f")
    return Listener(configs[-1] if configs else places.SSHD_CONFIG, tuple(_values(words, "-o")))


def _values(words: list[str], option: str) -> list[str]:
    """Of an option as getopt(3) takes it: the word after it, or what is written right behind it."""
    found = [words[place + 1] for place, word in enumerate(words[:-1]) if word == option]
    return found + [word.removeprefix(option) for word in words if word.startswith(option) and word != option]


def listening_with(config: str) -> Iterator[int]:
    """The sshds that can read this configuration again: one that was not started by its path would end."""
    for process in processes():
        found = listener(process)
        words = " ".join(process.arguments).removeprefix("sshd: ")
        if found is not None and found.config == config and words.startswith("/"):
            yield process.pid
