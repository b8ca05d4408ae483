"""`sealcast-shell`: the login shell and ForceCommand of covered accounts.

It hands its terminal (or its three streams) to the recorder and becomes the real shell. Where somebody looks
at the output without waiting for its end, it starts the shell as a child instead, and ends when the recorder
has shown the last bytes. Built-in and C modules only, so that it starts in milliseconds under
`python3 -I -S`, and so that `sealcast install` has only this file to copy. Every failure refuses the login.

The conversation, one packet each (SOCK_SEQPACKET): a request with descriptors, then `admitted`, `nested` or
`refused`; with a terminal then `released` from here and `go` from the recorder. A login that waits for its
shell says `resized` and `exited`, and ends when the recorder says `done`.
"""

import _signal  # type: ignore[import-not-found]  # the C half of signal, which imports enum
import _socket
import _stat  # the C half of stat
import fcntl
import posix
import pwd
import select
import sys
import termios

SOCKET = "/run/sealcast/socket"
SHELLS = "/etc/sealcast/shells"
SPOOL = "/var/spool/sealcast"
"""Where break-glass logins leave a note while the recorder is down; nobody but the recorder can list it."""
MAX_NOTE = 64 * 1024
BREAK_GLASS = b"break-glass"
"""The third field of such an account in the file of real shells."""
MAGIC = b"sealcast/1"
MAX_PACKET = 192 * 1024
PATIENCE_SECONDS = 30.0
REFUSED = 9
CANNOT_EXECUTE = 126
MAX_TYPED = 4096
"""What a terminal's line discipline holds (N_TTY_BUF_SIZE)."""
LAST_WORDS_SECONDS = 2.0
"""How long a shell may take to end after its recorder was lost, before it is killed."""
_MAX_SHELLS_FILE = 1024 * 1024
MAX_AUTH_FILE = 128 * 1024
_OWN_NAME = b"sealcast-shell"
"""What sshd's ForceCommand says, with any path; the user's own command is in SSH_ORIGINAL_COMMAND then."""
_PASSED_ON = (_signal.SIGHUP, _signal.SIGTERM, _signal.SIGUSR1, _signal.SIGUSR2, _signal.SIGALRM)
_SECRET = b"SEALCAST_MARKS"
_CLAIMS = (b"TERM", b"SSH_CONNECTION", b"SSH_TTY", b"LANG")
_KEPT = (
    b"HOME USER LOGNAME PATH SHELL TERM COLORTERM LANG LANGUAGE TZ MAIL HUSHLOGIN DISPLAY PWD "
    b"SSH_CLIENT SSH_CONNECTION SSH_TTY SSH_ORIGINAL_COMMAND SSH_USER_AUTH SSH_AUTH_SOCK SSH_AUTH_INFO_0 "
    b"XDG_SESSION_ID XDG_RUNTIME_DIR XDG_SESSION_TYPE XDG_SESSION_CLASS DBUS_SESSION_BUS_ADDRESS "
    b"KRB5CCNAME SUDO_USER SUDO_UID SUDO_GID SUDO_COMMAND"
).split()


class LoginError(Exception):
    """Why this login is refused, in words for the person who logs in."""


class RecorderDownError(LoginError):
    """Nobody listens where the recorder should: it does not run."""


def main() -> int:
    """Be recorded, or refuse. Returns only when refused."""
    try:
        _become_recorded(sys.argv)
    except LoginError as error:
        _tell(f"{error}; this login is refused")
    except Exception as error:  # an account that is gone, a packet cut short: one line, and nobody gets in
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        _tell(f"the session cannot be recorded ({reason}); this login is refused")
    return REFUSED


def _become_recorded(argv: list[str]) -> None:
    environment = scrubbed(posix.environ)
    command = wanted_command(argv, posix.environ)
    account = pwd.getpwuid(posix.getuid())
    shells = _read_owned_by_root(SHELLS)
    shell = real_shell(shells, account.pw_name.encode())
    environment[b"SHELL"] = shell
    arguments = shell_arguments(shell, command)
    with_terminal = posix.isatty(0) and posix.isatty(1) and posix.isatty(2)
    handover = _hand_over_terminal if with_terminal else _hand_over_streams
    waits = waits_for_shell(with_terminal)
    packet = request(with_terminal, waits, arguments, command, posix.environ)
    try:
        session, orders = handover(packet)
    except RecorderDownError:
        if not is_break_glass(shells, account.pw_name.encode()):
            raise
        _break_glass(packet, account.pw_name)
        session, orders = b"", []
    if session:
        environment[b"SEALCAST_SESSION"] = session
    if with_terminal and session:
        environment[b"SSH_TTY"] = posix.ttyname(0).encode()
    program, arguments, variables = ordered(orders) if orders else (shell, arguments, {})
    _execute(program or shell, arguments, environment | variables)


def ordered(orders: "list[bytes]") -> "tuple[bytes, list[bytes], dict[bytes, bytes]]":
    """Program, arguments and variables of a transfer, as the recorder judged them: no shell reads them.

    Without a program they are those of the shell itself, so that it marks what it runs.
    """
    program, count, *rest = orders
    variables = [variable.partition(b"=") for variable in rest[: int(count)]]
    return program, rest[int(count) :], {name: value for name, _, value in variables}


def scrubbed(environment: "dict[bytes, bytes]") -> "dict[bytes, bytes]":
    """What the real shell gets: names that are known to be harmless, and locales."""
    return {name: value for name, value in environment.items() if name in _KEPT or name.startswith(b"LC_")}


def wanted_command(argv: list[str], environment: "dict[bytes, bytes]") -> "bytes | None":
    """The command to run; None for an interactive shell. `LoginError` for any other use of this shell."""
    arguments = [_bytes(argument) for argument in argv[1:]]
    if not arguments:
        return None
    if arguments[0] != b"-c" or len(arguments) != 2:
        raise LoginError("sealcast-shell takes -c COMMAND, or nothing")
    if arguments[1].rpartition(b"/")[2] == _OWN_NAME:
        return environment.get(b"SSH_ORIGINAL_COMMAND")
    return arguments[1]


def real_shell(text: bytes, user: bytes) -> bytes:
    """The user's line in the file of real shells (`user TAB path`, and more), else that of `*`."""
    default = None
    for line in text.split(b"\n"):
        name, path = [*line.split(b"\t"), b""][:2]
        if name == user and path.startswith(b"/"):
            return path
        if name == b"*" and path.startswith(b"/"):
            default = path
    if default is None:
        raise LoginError(f"{SHELLS} names no shell for this account")
    return default


def is_break_glass(text: bytes, user: bytes) -> bool:
    """Whether the user's own line in the file of real shells says that no recorder is needed."""
    lines = (line.split(b"\t") for line in text.split(b"\n"))
    return any(fields[0] == user and fields[2:] == [BREAK_GLASS] for fields in lines)


def _break_glass(packet: bytes, user: str) -> None:
    """Go on unrecorded, loudly. Without a note for the log nobody gets in."""
    try:
        _leave_note(packet)
    except OSError as error:
        raise LoginError(f"the recorder is down, and {SPOOL} takes no note ({error.strerror})") from None
    _tell_syslog(f"break-glass: {user} logs in unrecorded, because the recorder is down")
    _tell("the recorder is down: this break-glass session is NOT RECORDED; that you logged in is logged")


def _leave_note(packet: bytes) -> None:
    """A file that its owner, the user, cannot find again: its name is random, and the spool not readable."""
    spool = posix.stat(SPOOL)
    if spool.st_uid == posix.getuid() or spool.st_mode & 0o1044 != 0o1000:
        raise LoginError(f"the recorder is down, and {SPOOL} is not the recorder's alone")
    flags = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW | posix.O_CLOEXEC
    note = posix.open(f"{SPOOL}/{posix.urandom(16).hex()}", flags, 0o440)
    posix.fchmod(note, 0o440)  # the umask may say otherwise; the recorder reads it by its group
    posix.write(note, packet[:MAX_NOTE])
    posix.fsync(note)
    posix.close(note)


def _tell_syslog(text: str) -> None:
    """To authpriv, as an alert; a host without syslog has the note."""
    syslog = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        syslog.settimeout(1.0)
        syslog.connect("/dev/log")
        syslog.send(f"<81>sealcast-shell[{posix.getpid()}]: {text}".encode())
    except OSError:
        pass
    syslog.close()


def shell_arguments(shell: bytes, command: "bytes | None") -> "list[bytes]":
    """As sshd would start it: a login shell has a dash before its name."""
    name = shell.rpartition(b"/")[2]
    return [b"-" + name] if command is None else [name, b"-c", command]


def request(
    with_terminal: bool,
    waits: bool,
    arguments: "list[bytes]",
    command: "bytes | None",
    environment: "dict[bytes, bytes]",
) -> bytes:
    """The first packet: fields `name=value`, each ended by NUL, which no value can hold."""
    fields = [b"kind=terminal" if with_terminal else b"kind=streams"]
    if waits:
        fields.append(b"waits=yes")
    if command is not None:
        fields.append(b"command=" + command)
    fields.append(b"shell=" + arguments[0].lstrip(b"-"))
    fields += [b"env." + name + b"=" + environment[name] for name in _CLAIMS if name in environment]
    authentication = _authentication(environment)
    if authentication:
        fields.append(b"auth=" + authentication)
    packet = MAGIC + b"\0" + b"".join(field + b"\0" for field in fields)
    if len(packet) > MAX_PACKET:
        raise LoginError(f"the command and what authenticated it are over {MAX_PACKET} bytes")
    return packet


def _authentication(environment: "dict[bytes, bytes]") -> bytes:
    """What sshd says about the keys that were used (ExposeAuthInfo), from the file it left."""
    path = environment.get(b"SSH_USER_AUTH")
    if not path:
        return b""
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_CLOEXEC)
    except OSError:
        return b""
    text = posix.read(fd, MAX_AUTH_FILE)
    posix.close(fd)
    return text.replace(b"\0", b"")


def _hand_over_terminal(packet: bytes) -> "tuple[bytes, list[bytes]]":
    """Swap the terminal for a recorded one; returns the session id, empty inside a recorded session."""
    master, slave = _new_pty()
    recorder = _connect()
    session, orders = _admission(recorder, packet, [0, master])
    posix.close(master)
    if session:
        leads = posix.getsid(0) == posix.getpid()
        _release_terminal(recorder, leads)
        _leave_to_child(recorder, own_session=True, tells_size=not leads)
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for target in (0, 1, 2):
            posix.dup2(slave, target)
    posix.close(slave)
    return session, orders


def _release_terminal(recorder: "_socket.socket", leads: bool) -> None:
    """Let the recorder have the terminal, raw, with what was typed so far; as it was if that fails."""
    modes = termios.tcgetattr(0)
    try:
        termios.tcsetattr(0, termios.TCSANOW, _raw(modes))
        waiter = select.poll()
        waiter.register(0, select.POLLIN)
        typed = posix.read(0, MAX_TYPED) if waiter.poll(0) else b""
        if leads:
            _give_up_terminal()
        recorder.send(b"released\0" + typed)
        if recorder.recv(64) != b"go":
            raise LoginError("the recorder went away")
    except BaseException:
        termios.tcsetattr(0, termios.TCSANOW, modes)
        raise


def _raw(modes: "list[int | list[bytes | int]]") -> "list[int | list[bytes | int]]":
    """The modes with nothing cooked, echoed or taken for a signal."""
    raw = list(modes)
    raw[0] = raw[3] = 0
    control = list(modes[6])  # type: ignore[arg-type]  # the seventh is a list: tcgetattr
    control[termios.VMIN], control[termios.VTIME] = 1, 0
    raw[6] = control
    return raw


def _give_up_terminal() -> None:
    """The recorder's worker takes it as its own, and with it the signals of the kernel."""
    # sent to the whole foreground job when a session leader gives its terminal up: tty_ioctl(2)
    for number in (_signal.SIGHUP, _signal.SIGCONT):
        _signal.signal(number, _signal.SIG_IGN)
    try:  # noqa: SIM105  contextlib is slow to import
        fcntl.ioctl(0, termios.TIOCNOTTY)
    except OSError:  # after `su -c`, whose session has none: it stays that of the session outside
        pass
    for number in (_signal.SIGHUP, _signal.SIGCONT):
        _signal.signal(number, _signal.SIG_DFL)


def _leave_to_child(recorder: "_socket.socket", *, own_session: bool, tells_size: bool) -> None:
    """Go on in a child, which this process outlives until the recorder has passed on the last bytes.

    sshd reads its terminal once more when its child has ended, and closes it as soon as that read finds
    nothing (channels.c, the forced read of channel_handle_rfd). With the shell itself as that child, what the
    recorder had not written by then was lost: the end of one `ssh -t host command` in three.
    """
    shell = posix.fork()
    if shell == 0:
        if own_session:
            posix.setsid()
        return
    status = REFUSED
    try:
        _hold_only(recorder.fileno())
        _pass_signals_on(-shell if own_session else shell)
        if tells_size:
            _signal.signal(_signal.SIGWINCH, lambda _number, _frame: _say(recorder, b"resized"))
        status = _outlive(recorder, shell)
    finally:
        posix._exit(status)  # noqa: SLF001  its name


def _outlive(recorder: "_socket.socket", shell: int) -> int:
    """Tell the recorder how the shell ended, and wait until it hangs up; returns the exit status."""
    pidfd = posix.pidfd_open(shell)
    waiter = select.poll()
    waiter.register(recorder.fileno(), select.POLLIN)
    waiter.register(pidfd, select.POLLIN)
    if pidfd not in [descriptor for descriptor, _ in waiter.poll()]:
        if _hear(recorder) != b"done":
            _end_unrecorded(shell, pidfd)
        return REFUSED
    code = posix.waitstatus_to_exitcode(posix.waitpid(shell, 0)[1])
    status = code if code >= 0 else 128 - code
    _say(recorder, b"exited\0%d" % status)
    waiter.unregister(pidfd)
    waiter.poll()
    if code < 0:
        _die_by(-code)
    return status


def _die_by(number: int) -> None:
    """As the shell did, so that its parent is told the same."""
    if number != _signal.SIGKILL:
        _signal.signal(number, _signal.SIG_DFL)
    posix.kill(posix.getpid(), number)


def _hear(recorder: "_socket.socket") -> bytes:
    """The next packet; nothing when the recorder is gone."""
    try:
        return recorder.recv(64)
    except OSError:
        return b""


def _say(recorder: "_socket.socket", packet: bytes) -> None:
    try:
        recorder.send(packet)
    except OSError:  # the recorder is gone, which is noticed by the poll
        return


def _hold_only(kept: int) -> None:
    """Nothing of the session stays open here: neither its own ends nor the user's."""
    posix.closerange(3, kept)
    posix.closerange(kept + 1, 1024 * 1024)
    null = posix.open("/dev/null", posix.O_RDWR)
    for target in (0, 1, 2):
        posix.dup2(null, target)
    posix.close(null)


def _pass_signals_on(target: int) -> None:
    """What is sent to the login (by su, by sshd for its client) is for the shell.

    The keys' own signals reach a shell of the same process group by themselves.
    """

    def pass_on(number: int, _: object) -> None:
        try:
            posix.kill(target, number)
        except OSError:  # it has ended
            return

    for number in _PASSED_ON:
        _signal.signal(number, pass_on)
    for number in (_signal.SIGINT, _signal.SIGQUIT):
        _signal.signal(number, pass_on if target < 0 else _signal.SIG_IGN)


def _end_unrecorded(shell: int, pidfd: int) -> None:
    """The recorder is lost, and with it the terminal: nothing may go on unrecorded."""
    for number in (_signal.SIGHUP, _signal.SIGCONT):
        posix.kill(shell, number)
    waiter = select.poll()
    waiter.register(pidfd, select.POLLIN)
    if not waiter.poll(LAST_WORDS_SECONDS * 1000):
        posix.kill(shell, _signal.SIGKILL)
    posix.waitpid(shell, 0)


def _new_pty() -> "tuple[int, int]":
    master, slave = posix.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))
    termios.tcsetattr(slave, termios.TCSANOW, termios.tcgetattr(0))
    return master, slave


def _hand_over_streams(packet: bytes) -> "tuple[bytes, list[bytes]]":
    """Put three recorded pipes in the place of the three streams; the session id, and what to execute."""
    in_read, in_write = posix.pipe()
    out_read, out_write = posix.pipe()
    err_read, err_write = posix.pipe()
    recorder = _connect()
    session, orders = _admission(recorder, packet, [0, 1, 2, in_write, out_read, err_read])
    if not session:
        return b"", []
    if recorder.recv(64) != b"go":
        raise LoginError("the recorder went away")
    for fd in (in_write, out_read, err_read):
        posix.close(fd)
    if waits_for_shell(False):
        _leave_to_child(recorder, own_session=False, tells_size=False)
    for target, fd in enumerate((in_read, out_write, err_write)):
        posix.dup2(fd, target)
    return session, orders


def waits_for_shell(with_terminal: bool) -> bool:
    """Whether this process outlives the shell: where an output is no pipe, whose reader waits for its end."""
    return with_terminal or not all(_is_pipe(posix.fstat(fd).st_mode) for fd in (1, 2))


def _is_pipe(mode: int) -> bool:
    return bool(_stat.S_ISFIFO(mode) or _stat.S_ISSOCK(mode))


def _connect() -> "_socket.socket":
    recorder = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
    recorder.settimeout(PATIENCE_SECONDS)
    try:
        recorder.connect(SOCKET)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise RecorderDownError(f"the recorder does not answer ({error.strerror})") from None
    except OSError as error:  # it runs, and is slow: no reason to let anybody in without it
        raise LoginError(f"the recorder does not answer ({error.strerror})") from None
    return recorder


def _admission(recorder: "_socket.socket", packet: bytes, fds: "list[int]") -> "tuple[bytes, list[bytes]]":
    """Send the request; the session id when admitted, nothing when already recorded.

    Behind the id stands what to execute in the place of the shell, or how it is to be started.
    """
    numbers = b"".join(fd.to_bytes(4, sys.byteorder) for fd in fds)  # array would import collections: 2 ms
    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, numbers)
    recorder.sendmsg([packet], [rights])
    verb, _, rest = recorder.recv(MAX_PACKET).partition(b"\0")
    if verb == b"admitted":
        session, *orders = rest.split(b"\0")
        return session, orders
    if verb == b"nested":
        return b"", []
    if verb == b"unrecorded":
        if rest:
            _tell(rest.decode("utf-8", "replace"))
        return b"", []
    raise LoginError(rest.decode("utf-8", "replace") or "the recorder went away")


def _execute(shell: bytes, arguments: "list[bytes]", environment: "dict[bytes, bytes]") -> None:
    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)  # Python ignores both, and exec would pass that on
    _signal.signal(_signal.SIGXFSZ, _signal.SIG_DFL)
    posix.closerange(3, 1024 * 1024)
    if _SECRET in environment:
        environment = environment | {_SECRET: b"%d" % _pipe_with(environment[_SECRET])}
    try:
        posix.execve(shell, arguments, environment)
    except OSError as error:
        _tell(f"cannot run {shell.decode('utf-8', 'replace')}: {error.strerror}")
        posix._exit(CANNOT_EXECUTE)  # noqa: SLF001  its name


def _pipe_with(secret: bytes) -> int:
    """The reading end of a pipe, which the shell's script empties before programs could look into it."""
    reading, writing = posix.pipe()
    posix.write(writing, secret + b"\n")
    posix.close(writing)
    posix.set_inheritable(reading, True)
    return reading


def _read_owned_by_root(path: str) -> bytes:
    fd = posix.open(path, posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_CLOEXEC)
    status = posix.fstat(fd)
    if status.st_uid != 0 or status.st_mode & 0o022:
        raise LoginError(f"{path} must belong to root, and nobody else may write it")
    text = posix.read(fd, _MAX_SHELLS_FILE)
    posix.close(fd)
    return text


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _tell(text: str) -> None:
    posix.write(2, f"sealcast-shell: {text}\n".encode("utf-8", "replace"))


if __name__ == "__main__":
    posix._exit(main())  # noqa: SLF001  its name
