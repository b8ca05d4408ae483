"""The store `demo`: one session of 17m41s at 100x30, 15 commands, two of which fail, two long pauses."""

from recorder.log.notary import SessionRequest
from recorder.shell.secret import digest
from scripts.fixture_stores.shell import Shell
from scripts.fixture_stores.studio import Studio, Take

HOST = "web-03.prod"
NAME = "3f2a9c1e"
START_MS = 1_789_221_731_084
"""2026-09-12T14:02:11.084Z"""
LENGTH_S = 1061.226
COMMANDS = 15
_MARKS = "5ea1ca57" * 4
"""The secret in the shell's own marks."""

_UPTIME = " 14:02:14 up 41 days,  3:12,  2 users,  load average: 0.42, 0.38, 0.35\n"
_PODS = """\
NAME                        READY   STATUS             RESTARTS   AGE
checkout-5b7c9d7f4d-8jwzn   0/1     \x1b[31mCrashLoopBackOff\x1b[0m   14         52m
checkout-5b7c9d7f4d-q5v2m   0/1     \x1b[31mCrashLoopBackOff\x1b[0m   14         52m
payments-6f7b8c9d5-hh2lp    1/1     Running            2          3d
"""
_LOGS = """\
2026-09-12T14:01:58Z INFO  starting checkout 4.18.2
2026-09-12T14:01:59Z INFO  config /etc/checkout/app.yaml
2026-09-12T14:02:01Z WARN  retrying db-main.prod:5432 (1/3)
2026-09-12T14:02:06Z ERROR FATAL: password authentication failed for user "checkout"
2026-09-12T14:02:06Z ERROR exiting with status 1
"""
_SECRET = """\
apiVersion: v1
data:
  password: aHVudGVyMg==
  username: Y2hlY2tvdXQ=
kind: Secret
"""
_PSQL = """\
psql: error: connection to server at "db-main.prod" (10.2.0.14), port 5432 failed:
FATAL:  no pg_hba.conf entry for host "10.2.3.8", user "postgres"
"""
_FIXED = """\
NAME                        READY   STATUS    RESTARTS   AGE
checkout-7d8f6c5b9-2xkqp    1/1     Running   0          31s
checkout-7d8f6c5b9-w8rnl    1/1     Running   0          29s
payments-6f7b8c9d5-hh2lp    1/1     Running   2          3d
"""
_FILE = (
    "checkout:",
    "  version: 4.18.2",
    "  replicas: 2",
    "database:",
    "  host: db-main.prod",
    "  port: 5432",
)


def build(studio: Studio) -> None:
    """Record the session."""
    studio.record(take())


def take() -> Take:
    """The session, second by second."""
    shell = Shell("alice@web-03:~$ ", _MARKS, "/home/alice")
    _look_around(shell)
    _become_root(shell)
    _try_again(shell)
    request = SessionRequest(
        "alice",
        1004,
        "sshd",
        (100, 30),
        reason="INC-4121",
        source={"ip": "10.9.1.22", "port": 50022},
        env={"TERM": "xterm-256color", "SHELL": "/bin/bash"},
        marks=digest(_MARKS),
    )
    return Take(NAME, START_MS, request, shell.steps, LENGTH_S)


def _look_around(shell: Shell) -> None:
    shell.run("uptime", 3.0, _UPTIME)
    shell.run("kubectl -n shop get pods", 9.0, _PODS, 0.6)
    shell.run("kubectl -n shop logs checkout-5b7c9d7f4d-8jwzn --tail=6", 31.0, _LOGS, 1.2)
    shell.run("kubectl -n shop get secret checkout-db -o yaml", 88.0, _SECRET, 0.5)
    shell.run("echo aHVudGVyMg== | base64 -d", 97.0, "hunter2\n")
    shell.change_mind("sudo ls", 104.0)


def _become_root(shell: Shell) -> None:
    """Nothing happens from 01:44 to 03:56."""
    shell.enter("sudo -i", 240.0)
    shell.show("[sudo] password for alice: ", 240.1)
    shell.answer(242.0)
    shell.prompt, shell.directory = "root@web-03:/root# ", "/root"
    shell.now = 242.1
    shell.ask(None)
    shell.run("psql -h db-main.prod -U postgres -c '\\du'", 251.0, _PSQL, 10.0, 1)
    _edit(shell)
    shell.run(
        "kubectl -n shop rollout restart deploy/checkout", 371.0, "deployment.apps/checkout restarted\n", 0.9
    )
    _wait_in_vain(shell)


def _edit(shell: Shell) -> None:
    """vi: a full-screen program from 05:02 to 06:06."""
    shell.enter("vi /etc/checkout/app.yaml", 302.0)
    picture = "".join(f"\x1b[{row};1H{line}" for row, line in enumerate(_FILE, 1))
    empty = "".join(f"\x1b[{row};1H\x1b[94m~\x1b[0m" for row in range(len(_FILE) + 1, 30))
    name = '\x1b[30;1H"/etc/checkout/app.yaml" 6L, 92B\x1b[5;9H'
    shell.show(f"\x1b[?1049h\x1b[H\x1b[2J{picture}{empty}{name}", 302.2)
    for number, letter in enumerate("db-replica.prod"):
        shell.show(letter, 331.0 + number * 0.4)
    shell.show("\x1b[30;1H\x1b[K:wq", 364.0)
    shell.show('\x1b[30;1H\x1b[K"/etc/checkout/app.yaml" 6L, 95B written\x1b[?1049l', 366.0)
    shell.ask()


def _wait_in_vain(shell: Shell) -> None:
    command = "kubectl -n shop rollout status deploy/checkout"
    shell.enter(command, 380.0)
    waiting = (
        'Waiting for deployment "checkout" rollout to finish: 1 out of 2 new replicas have been updated...\n'
    )
    shell.show(waiting, 380.6)
    shell.show("error: timed out waiting for the condition\n", 500.0)
    shell.ask(1)
    shell.change_mind("kubectl", 505.0)


def _try_again(shell: Shell) -> None:
    """Nothing happens from 08:25 to 15:02."""
    shell.run("curl -s http://10.2.9.9/fix.sh | bash", 905.0, "fixed pg_hba.conf on db-main.prod\n", 6.4)
    shell.run("systemctl reload postgresql", 930.0, "", 0.8)
    shell.run("kubectl -n shop get pods", 944.0, _FIXED, 0.6)
    shell.run("history -c", 1010.0, "", 0.01)
    shell.enter("exit", 1012.0)
    shell.show("logout\n", 1012.01)
    shell.prompt, shell.directory = "alice@web-03:~$ ", "/home/alice"
    shell.ask()
    shell.leave(LENGTH_S - 0.01)
