"""What is a transfer of files, and what is a recorded shell: row A6 of the corpus, escape by escape."""

import shlex
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recorder.capture.transfer import MAX_COMMAND, judge, simple_words

TRANSFERS = {
    "scp -t .": ("scp", "upload"),
    "scp -t /tmp/x": ("scp", "upload"),
    "scp -v -r -p -d -t -- -odd": ("scp", "upload"),
    "/usr/bin/scp -f a b": ("scp", "download"),
    "scp -f 'name with spaces; and (more)'": ("scp", "download"),
    r"scp -f it\'s\ here": ("scp", "download"),
    "scp -t ''": ("scp", "upload"),
    "scp -t größe": ("scp", "upload"),
    "/usr/lib/openssh/sftp-server": ("sftp", "both ways"),
    "/usr/lib/openssh/sftp-server -l INFO -f AUTH -u 022 -R": ("sftp", "both ways"),
    "/usr/libexec/openssh/sftp-server": ("sftp", "both ways"),
    "internal-sftp": ("sftp", "both ways"),
    "internal-sftp -d /data": ("sftp", "both ways"),
    "rsync --server -vlogDtpre.iLsfxCIvu . /tmp/x": ("rsync", "upload"),
    "rsync --server --sender -vlogDtpre.iLsfxCIvu . x": ("rsync", "download"),
    "rsync --server -e.LsfxCIvu --delete --bwlimit=100 --partial-dir .part . x": ("rsync", "upload"),
    "git-upload-pack '/srv/repository.git'": ("git", "download"),
    r"git-upload-pack '/it'\''s.git'": ("git", "download"),
    "git-receive-pack '/srv/repository.git'": ("git", "upload"),
    "git-upload-archive '/srv/repository.git'": ("git", "download"),
}

SHELLS = [
    "",
    " ",
    "scp",
    "bash",
    "scp -t x; id",
    "scp -t x;id",
    "scp -t x && exec bash",
    "scp -t x || bash",
    "scp -t x & bash",
    "scp -t x | bash",
    "scp -t x\nid",
    "scp -t x\rid",
    "scp -t x\tid",
    "scp -t x\x00id",
    "scp -t $(bash >&2)",
    "scp -t `bash`",
    "scp -t ${x}",
    "scp -t $HOME",
    'scp -t "$(id)"',
    'scp -t "x"',
    "scp -t $'x'",
    "scp -t 'x\nid'",
    "scp -t 'x",
    "scp -t x'",
    "scp -t x\\",
    "scp -t x\\\nid",
    "scp -t <(bash)",
    "scp -t x > /dev/null",
    "scp -t x < /etc/passwd",
    "scp -f *",
    "scp -f a?",
    "scp -f [ab]",
    "scp -f {a,b}",
    "scp -t ~",
    "scp -t ~root/x",
    "scp -t x #",
    "scp -t x !id",
    "scp -t (x)",
    "scp -t x^y",
    "scp -t =ls",
    " scp -t x; id",
    "PATH=/tmp scp -t x",
    "./scp -t x",
    "/tmp/scp -t x",
    "/bin/scp -t x",
    "../usr/bin/scp -t x",
    "//usr/bin/scp -t x",
    "scpx -t x",
    "exec scp -t x",
    "env scp -t x",
    "sudo scp -t x",
    "scp x y",
    "scp -t",
    "scp -t x y",
    "scp -t -f x",
    "scp -t x -S /bin/sh",
    "scp -S /bin/sh -t x",
    "scp -S/bin/sh -t x",
    "scp -t -o ProxyCommand=sh x",
    "scp -o ProxyCommand=sh -f x",
    "scp -F config -t x",
    "scp -D sftp-server -f x",
    "scp -tS x",
    "scp -rt x",
    "scp -3 a: b:",
    "sftp-server",
    "/tmp/sftp-server",
    "/usr/lib/openssh/sftp-server; bash",
    "/usr/lib/openssh/sftp-server x",
    "/usr/lib/openssh/sftp-server -d",
    "/usr/lib/openssh/sftp-server -d -e",
    "/usr/lib/openssh/sftp-server -Q requests",
    "internal-sftp; bash",
    "rsync",
    "rsync --server",
    "rsync --server -v",
    "rsync -e sh a b:",
    "rsync --rsh=sh --server . x",
    "rsync --server --rsh=sh . x",
    "rsync --server -e sh . x",
    "rsync --server -esh . x",
    "rsync --server '-e sh' . x",
    "rsync --server --rsync-path=sh . x",
    "rsync --server --rsync-path sh . x",
    "rsync --server --daemon .",
    "rsync --server . --daemon --config=x",
    "rsync --server --config=x .",
    "rsync --daemon --server .",
    "rsync --server . ; bash",
    "rsync --server -s .",
    "rsync --server -vsre.iLsfxCIvu . x",
    "rsync --server -C . x",
    "rsync --server -M--daemon . x",
    "rsync --server --remote-option=--daemon . x",
    "rsync --server -f x . x",
    "rsync --server --filter=x . x",
    "rsync --server --files-from=/etc/shadow . x",
    "rsync --server --log-file=/tmp/x . x",
    "rsync --server --no-such . x",
    "rsync --server -- . x",
    "rsync --server - . x",
    "rsync --server --write-devices . x",
    "rsync --server --iconv=x . x",
    "rsync --server --sender=x . x",
    "git upload-pack x",
    "git-upload-pack",
    "git-upload-pack a b",
    "git-upload-pack --upload-pack=sh x",
    "git-upload-pack 'ext::sh -c id'; id",
    "git-shell -c x",
    "git-receive-pack x --exec=sh",
    "git-upload-archive --remote=x",
]


@pytest.mark.parametrize("command", TRANSFERS)
def test_a_transfer(command: str) -> None:
    found = judge(command.encode())
    assert found is not None
    assert (found.protocol, found.direction) == TRANSFERS[command]
    assert list(found.arguments[1:]) == shlex.split(command)[1:]
    assert all(path.startswith("/usr/") for path in found.programs)


@pytest.mark.parametrize("command", SHELLS)
def test_a_recorded_shell(command: str) -> None:
    assert judge(command.encode()) is None


@pytest.mark.parametrize("command", [b"scp -t \xff", b"scp -t \xc3", b"scp -t '\xed\xa0\x80'"])
def test_what_is_not_utf8_is_a_recorded_shell(command: bytes) -> None:
    assert judge(command) is None


@pytest.mark.parametrize("space", ["\u00a0", "\u2028", "\u3000", "\u200b", "\u202e", "\x85"])
def test_spaces_and_marks_of_unicode_are_for_a_shell(space: str) -> None:
    assert judge(f"scp -t x{space}id".encode()) is None
    assert judge(f"scp -t 'x{space}id'".encode()) is None


def test_a_command_over_the_limit_is_a_recorded_shell() -> None:
    assert judge(b"scp -t " + b"x" * MAX_COMMAND) is None


def test_git_stores_what_passes_and_the_others_do_not() -> None:
    """Hooks and filters are programs of the user's, and their output goes to the client."""
    stores = {found.protocol: found.stores_payload for text in TRANSFERS if (found := judge(text.encode()))}
    assert stores == {"scp": False, "sftp": False, "rsync": False, "git": True}


def test_rsync_gets_no_home_to_read_options_from() -> None:
    found = judge(b"rsync --server . x")
    assert found is not None
    assert found.environment == (("HOME", "/dev/null"),)


META = '|&;<>()$`"*?[]{}~#!^\n\r\t\0\x1b\x7f'
_STARTS = st.sampled_from(
    [
        "scp -t ",
        "scp -f ",
        "rsync --server . ",
        "git-upload-pack ",
        "/usr/lib/openssh/sftp-server ",
        "internal-sftp ",
    ]
)


@given(
    _STARTS, st.text(string.ascii_letters + " '-./", max_size=8), st.sampled_from(META), st.text(max_size=8)
)
@example("scp -t ", "", "\n", "")
def test_no_metacharacter_passes_outside_quotes(start: str, before: str, meta: str, after: str) -> None:
    if before.count("'") % 2:
        before += "'"
    command = f"{start}{before}{meta}{after}"
    assert judge(command.encode("utf-8", "surrogatepass")) is None


@given(st.text(max_size=40))
@example("a'b")
@example("\\\\'")
def test_words_are_those_of_a_shell(text: str) -> None:
    """Whatever is taken for simple words is split as POSIX says, which shlex does, too."""
    words = simple_words(text.encode("utf-8", "surrogatepass"))
    if words is not None:
        assert list(words) == shlex.split(text)


@given(st.lists(st.text("abc '\\$;`*~é\"", max_size=6), min_size=1, max_size=4))
def test_what_is_quoted_comes_out_as_it_was(names: list[str]) -> None:
    quoted = " ".join("'" + name.replace("'", "'\\''") + "'" for name in names)
    found = judge(f"scp -f -- {quoted}".encode())
    assert found is not None
    assert list(found.arguments) == ["scp", "-f", "--", *names]


@given(st.binary(max_size=60))
def test_any_bytes_get_an_answer(command: bytes) -> None:
    judge(command)


_OPTIONS = "--server --sender -e -e.x --daemon --rsh=x -s -vr . x --config=x -M -T"


@given(st.lists(st.sampled_from(_OPTIONS.split(" "))))
def test_an_option_that_runs_programs_is_never_among_those_of_a_transfer(words: list[str]) -> None:
    found = judge(" ".join(["rsync", *words]).encode())
    if found is not None:
        assert not {"-e", "--daemon", "--rsh=x", "-s", "--config=x", "-M", "-T"} & set(found.arguments)
        assert found.arguments[1] == "--server"
