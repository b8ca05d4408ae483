"""How a shell is started so that it marks what it runs."""


def with_marks(
    shell: bytes, arguments: "list[bytes]", environment: "dict[bytes, bytes]", scripts: bytes, pipe: int
) -> "list[bytes]":
    """The arguments with which `shell` reads its script below `scripts`; `environment` is changed for it.

    `pipe` is the reading end of a pipe with the secret and a line feed. `arguments` are those of an
    interactive shell. Nothing changes for a shell without a script, for other arguments, and on a
    terminal that would show the marks; otherwise `environment` has SEALCAST_MARKS.
    """
    name = shell.rpartition(b"/")[2]
    if environment.get(b"TERM", b"dumb") in (b"", b"dumb") or len(arguments) != 1:
        return arguments
    if name == b"bash" and b"POSIXLY_CORRECT" not in environment:
        script = scripts + b"/marks.bash"
        if arguments[0][:1] != b"-":
            arguments = [*arguments, b"--rcfile", script]
        else:
            environment[b"ENV"] = script
            arguments = [*arguments, b"--posix"]
    elif name == b"zsh":
        if b"ZDOTDIR" in environment:
            environment[b"SEALCAST_ZDOTDIR"] = environment[b"ZDOTDIR"]
        environment[b"ZDOTDIR"] = scripts + b"/zsh"
    elif name == b"fish":
        if b"XDG_DATA_DIRS" in environment:
            environment[b"SEALCAST_XDG_DATA_DIRS"] = environment[b"XDG_DATA_DIRS"]
        others = environment.get(b"XDG_DATA_DIRS") or b"/usr/local/share:/usr/share"
        environment[b"XDG_DATA_DIRS"] = scripts + b":" + others
    else:
        return arguments
    environment[b"SEALCAST_MARKS"] = b"%d" % pipe
    return arguments
