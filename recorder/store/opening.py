"""The header line of a session that the notary admitted."""

from recorder import VERSION
from recorder.cast.v2 import Header, SessionHeader
from recorder.log.notary import Admission, SessionRequest

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_UNKNOWN_SIZE = (80, 24)
"""What players get where the terminal says 0 for a dimension."""


def recording_header(
    admission: Admission,
    request: SessionRequest,
    started: float,
    idle_limit: float | None = None,
    policy: str | None = None,
) -> Header:
    """`started` is the monotonic clock at event time 0; `policy` the digest of the policy in force."""
    width, height = request.terminal if all(request.terminal) else _UNKNOWN_SIZE
    session = SessionHeader(
        format=1,
        session=admission.session_id,
        number=admission.number,
        host=admission.host,
        user=request.user,
        uid=request.uid,
        origin=request.origin,
        source=request.source,
        authentication=request.authentication,
        command=request.command,
        reason=request.reason,
        terminal=request.terminal,
        boot_id=_boot_id(),
        monotonic=started,
        recorder=f"sealcast {VERSION}",
        policy=policy,
        certificate=admission.certificate,
        marks=request.marks,
        command_base64=request.command_base64,
    )
    return Header(
        2,
        width,
        height,
        timestamp=admission.start_ms // 1000,
        title=request.title,
        env=request.env,
        idle_time_limit=idle_limit,
        session=session,
    )


def _boot_id() -> str:
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read(64).strip()
    except OSError:
        return "unknown"
