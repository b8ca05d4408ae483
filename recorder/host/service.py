"""The systemd units: the recorder, an unprivileged service that can do nothing but record, and its indexer.

The recorder's workers are processes that go on when it is restarted (`KillMode=process`). It must see other
users' processes (who is at the socket) and their uids, so `ProtectProc` and `PrivateUsers` stay off.
"""

from recorder.capture.login import SPOOL
from recorder.host.places import COMMAND_SCRIPT
from recorder.policy.model import Policy

_HARDENING = """\
CapabilityBoundingSet={capability}
AmbientCapabilities={capability}
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateDevices=yes
PrivateMounts=yes
PrivateNetwork=yes
PrivateTmp=yes
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
KeyringMode=private
RemoveIPC=yes
IPAddressDeny=any
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
{calls}SystemCallErrorNumber=EPERM
"""
_NO_PRIVILEGE = {"capability": "", "calls": ""}
_MAY_KILL = {"capability": "CAP_KILL", "calls": "SystemCallFilter=capset\n"}
"""To end what sessions leave; all processes of the recorder but one give it up first (capset)."""
_INDEXER = """\
# Written by `sealcast install`; changes here are lost: use `systemctl edit sealcast-index`.
[Unit]
Description=Search index of the recorded sessions
After=sealcast.service
Wants=sealcast.service

[Service]
ExecStart={command} index build --output --follow --store {store}
User={user}
Group={user}
UMask=0077
ReadWritePaths={store}
Restart=always
RestartSec=5s
Nice=10
LimitCORE=0
OOMScoreAdjust=500

{hardening}
[Install]
WantedBy=multi-user.target
"""
"""It reads what sessions wrote, and may crash and start again: a process of its own, without keys in it."""
_UNIT = """\
# Written by `sealcast install`; changes here are lost: use `systemctl edit sealcast`.
[Unit]
Description=Recorder of login sessions
Documentation=man:sshd(8)
Before=ssh.service sshd.service
After=local-fs.target nss-user-lookup.target time-sync.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={command} daemon
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=60s
User={user}
Group={user}
UMask=0077
RuntimeDirectory={runtime}
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=yes
{state}ReadWritePaths={writable}
KillMode=process
Restart=always
RestartSec=200ms
TimeoutStopSec=10s
LimitNOFILE=524288
LimitCORE=0
TasksMax=infinity
OOMScoreAdjust=-900

{hardening}[Install]
WantedBy=multi-user.target
"""


def unit(policy: Policy) -> str:
    """The unit's text. Store and spool are writable wherever they are, and nothing else is."""
    runtime = str(policy.daemon.socket.parent)
    store = str(policy.store.path)
    state, writable = "", f"-{SPOOL}"
    if store.startswith("/var/lib/"):
        state = f"StateDirectory={store.removeprefix('/var/lib/')}\nStateDirectoryMode=0700\n"
    else:
        writable = f"{store} {writable}"
    return _UNIT.format(
        command=COMMAND_SCRIPT,
        user=policy.daemon.user,
        runtime=runtime.removeprefix("/run/"),
        state=state,
        writable=writable,
        hardening=_HARDENING.format(**(_MAY_KILL if policy.daemon.end_survivors else _NO_PRIVILEGE)),
    )


def may_kill(text: str) -> bool:
    """Whether a unit with this text gives the recorder the privilege."""
    return f"\nAmbientCapabilities={_MAY_KILL['capability']}\n" in text


def indexer_unit(policy: Policy) -> str:
    """The text of the indexer's unit: the store is all that it writes."""
    store, user = policy.store.path, policy.daemon.user
    hardening = _HARDENING.format(**_NO_PRIVILEGE)
    return _INDEXER.format(command=COMMAND_SCRIPT, store=store, user=user, hardening=hardening)
