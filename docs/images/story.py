"""The session in the pictures: a release that fails, its cause, and the release that works."""

from scripts.fixture_stores.shell import Shell
from tests.tui.studio import Event

SIZE = (104, 30)
MOMENT = 94.9
"""The second release is on its way."""
_PROMPT = "\x1b[1;36malice@web-03\x1b[0m:\x1b[1;34m~/shop\x1b[0m$ "
SECRET = "0123abcd" * 4
"""In the marks of its shell."""
_LISTING = (
    "\x1b[1;34mcharts\x1b[0m  \x1b[1;34mconfig\x1b[0m  CHANGES  release.conf  \x1b[1;32mrelease.sh\x1b[0m  "
    "\x1b[1;36mcurrent\x1b[0m -> \x1b[1;34m4.18.2\x1b[0m\n"
)
_DIFF = (
    "\x1b[1mdiff --git a/release.conf b/release.conf\x1b[0m\n"
    "\x1b[1m--- a/release.conf\x1b[0m\n\x1b[1m+++ b/release.conf\x1b[0m\n"
    "\x1b[36m@@ -1,3 +1,3 @@\x1b[0m\n VERSION=4.18.3\n\x1b[31m-REPLICAS=1\x1b[0m\n"
    "\x1b[32m+REPLICAS=3\x1b[0m\n REGION=eu-central\n"
)
_PODS = (
    "\x1b[4mNAME\x1b[0m                  \x1b[4mREADY\x1b[0m   \x1b[4mSTATUS\x1b[0m    \x1b[4mAGE\x1b[0m\n"
    "checkout-5b7c9d7f4d   \x1b[32m3/3\x1b[0m     Running   52m\n"
    "payments-6f7b8c9d5-   \x1b[33m1/2\x1b[0m     \x1b[33mWaiting\x1b[0m   3d\n"
)


def story() -> list[Event]:
    """All events in order."""
    shell = Shell(_PROMPT, SECRET, "~/shop")
    shell.run("ls", 2.2, _LISTING)
    _command(shell, 7.0, "./release.sh", [*_steps(), (5.2, _failure())], status=1)
    _command(shell, 49.0, "vi release.conf", [(0.2, _editor()), (9.0, "\x1b[?1049l")])
    shell.steps.append((62.0, "m", "the cause"))
    shell.run("git diff", 64.6, _DIFF)
    shell.run("kubectl -n shop get pods", 73.7, _PODS, 0.4)
    _command(shell, 90.9, "./release.sh", [*_steps(), (5.6, "\x1b[32mreleased\x1b[0m to 3 replicas\n")])
    shell.show("exit\n", 128.0)
    return shell.steps


def _command(
    shell: Shell, at: float, text: str, answers: list[tuple[float, str]], *, status: int = 0
) -> None:
    """Entered at that time, answered bit by bit, and the prompt again."""
    shell.enter(text, at)
    for delay, answer in answers:
        shell.show(answer, at + delay)
    shell.ask(status)


def _steps() -> list[tuple[float, str]]:
    found = [(0.1, "\x1b[1mReleasing shop 4.18.3\x1b[0m\n")]
    for number, step in enumerate(("build", "test", "upload")):
        begun = 0.2 + number * 1.6
        found.append((begun, f"  {step:<8}"))
        found += [(begun + dot * 0.06, "\x1b[32m■\x1b[0m") for dot in range(1, 25)]
        found.append((begun + 1.55, " ok\n"))
    return found


def _failure() -> str:
    return "\x1b[1;31merror:\x1b[0m REPLICAS=1, at least 2 are needed\n"


def _editor() -> str:
    rows = "".join(f"\x1b[{y};1H\x1b[1;34m~\x1b[0m" for y in range(4, SIZE[1]))
    text = "VERSION=4.18.3\nREPLICAS=3\nREGION=eu-central"
    return f'\x1b[?1049h\x1b[H\x1b[2J{text}{rows}\x1b[{SIZE[1]};1H"release.conf" 3L, 43B'
