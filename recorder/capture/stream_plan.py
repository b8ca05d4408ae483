"""How a login without a terminal is recorded: as a shell, or as a transfer of files."""

from dataclasses import dataclass, replace

import orjson

from recorder.capture.elision import Caps
from recorder.capture.sftp_observer import Observer, start_observer
from recorder.capture.transfer import Transfer, judge
from recorder.capture.trusted import trusted_program


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What is stored, and for a transfer what the login must execute instead of its shell."""

    caps: Caps
    fallback: Caps
    """What is stored once a transfer is not what it was taken for."""
    transfer: Transfer | None = None
    program: str = ""
    observer: Observer | None = None

    def orders(self) -> bytes:
        """What follows the session id in the answer to the login: nothing for its own shell.

        NUL between fields: the program, the number of variables, `NAME=value` for each, then the arguments.
        """
        if self.transfer is None:
            return b""
        variables = [f"{name}={value}" for name, value in self.transfer.environment]
        fields = [self.program, str(len(variables)), *variables, *self.transfer.arguments]
        return b"".join(b"\0" + field.encode() for field in fields)

    def facts(self) -> str | None:
        """The data of the `T` event; None for a shell."""
        if self.transfer is None:
            return None
        facts = {
            "protocol": self.transfer.protocol,
            "direction": self.transfer.direction,
            "program": self.program,
            "arguments": self.transfer.arguments,
        }
        return orjson.dumps(facts).decode()


def plan_streams(command: bytes | None, *, from_sshd: bool, input_cap: int, output_cap: int) -> StreamPlan:
    """The plan for one login. To be called where no key is in memory yet: it may start an observer.

    Only a login that sshd started can be a transfer: any other program may say what it likes of itself.
    """
    caps = Caps(input_cap, output_cap, output_cap, with_input=True)
    transfer = judge(command) if command is not None and from_sshd else None
    program = trusted_program(transfer.programs) if transfer is not None else None
    if transfer is None or program is None:
        return StreamPlan(caps, caps)
    observer = start_observer() if transfer.protocol == "sftp" else None
    stored = caps if transfer.stores_payload else replace(caps, input=0, output=0)
    return StreamPlan(stored, caps, transfer, program, observer)
