"""The steps of an installation: each says what should be so. `recorder.host.carry_out` makes it so."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A system account without a password, with a group of the same name."""

    name: str
    home: str

    def __str__(self) -> str:
        return f"system user {self.name}"


@dataclass(frozen=True, slots=True)
class SystemGroup:
    name: str

    def __str__(self) -> str:
        return f"system group {self.name}"


@dataclass(frozen=True, slots=True)
class Directory:
    path: str
    mode: int = 0o755
    owner: str = "root"

    def __str__(self) -> str:
        return f"directory {self.path}, mode {self.mode:04o}, of {self.owner}"


@dataclass(frozen=True, slots=True)
class File:
    """A file of root's with exactly these bytes."""

    path: str
    data: bytes
    mode: int = 0o644

    def __str__(self) -> str:
        return f"file {self.path}, mode {self.mode:04o}"


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file of root's with exactly these bytes, compiled for `interpreter`; anyone may import it."""

    path: str
    data: bytes
    interpreter: str

    def __str__(self) -> str:
        return f"module {self.path}, compiled by {self.interpreter}"


@dataclass(frozen=True, slots=True)
class SshdDropIn:
    """Like a file; but it stays only if sshd accepts the configuration `main` with it, or without it."""

    path: str
    data: bytes | None
    main: str

    def __str__(self) -> str:
        what = "no " if self.data is None else ""
        return f"{what}sshd settings in {self.path}, accepted by sshd -t"


@dataclass(frozen=True, slots=True)
class SshdInclude:
    """The first line of sshd's configuration `path`; it stays only if sshd accepts that."""

    path: str
    line: str

    def __str__(self) -> str:
        return f"first line in {self.path}, accepted by sshd -t: {self.line}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line in a file; `first` before all others, else after them.

    What a file that is not there means stands in `otherwise`, so that the line takes nothing away.
    """

    path: str
    line: str
    first: bool = False
    otherwise: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"line in {self.path}: {self.line}"


@dataclass(frozen=True, slots=True)
class NoLine:
    path: str
    line: str

    def __str__(self) -> str:
        return f"no line in {self.path}: {self.line}"


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link; what is no link is never replaced."""

    path: str
    target: str

    def __str__(self) -> str:
        return f"link {self.path} to {self.target}"


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing with this name: a file, a link, or a directory with what is in it."""

    path: str

    def __str__(self) -> str:
        return f"no {self.path}"


@dataclass(frozen=True, slots=True)
class Program:
    """This program with what it imports, for the system's Python `interpreter`."""

    path: str
    interpreter: str
    digest: str

    def __str__(self) -> str:
        return f"program in {self.path}, run by {self.interpreter}"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A copy of `source` that nobody can read, trace or load code into."""

    path: str
    source: str

    def __str__(self) -> str:
        return f"interpreter {self.path}, a copy of {self.source}, mode 0711"


@dataclass(frozen=True, slots=True)
class LoginShell:
    user: str
    shell: str

    def __str__(self) -> str:
        return f"login shell of {self.user}: {self.shell}"


@dataclass(frozen=True, slots=True)
class Command:
    """A command that follows a change of any of `after`; of none where `after` is empty: always.

    Without a change, too, where the command `unless` fails: what was begun may have been interrupted.
    """

    arguments: tuple[str, ...]
    after: tuple[str, ...]
    unless: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"run {' '.join(self.arguments)}"


@dataclass(frozen=True, slots=True)
class ReloadSshd:
    """sshd reads its configuration again, if it runs; sessions stay. `unit` is its name for systemd."""

    unit: str | None
    after: tuple[str, ...]

    def __str__(self) -> str:
        return "sshd reads its configuration again"


Step = (
    SystemUser
    | SystemGroup
    | Directory
    | File
    | Module
    | SshdDropIn
    | SshdInclude
    | Line
    | NoLine
    | Link
    | Absent
    | Program
    | Interpreter
    | LoginShell
    | Command
    | ReloadSshd
)
