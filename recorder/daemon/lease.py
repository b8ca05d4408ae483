"""A worker's connection to the notary, taken up again with the next notary where that one was lost.

A worker lives longer than the daemon that forked it. How its session ended (a limit, an administrator, what
is left running) is for the log, whichever notary writes it then.
"""

import socket
import time

from recorder.capture.channel import Channel, ChannelError, Message
from recorder.daemon.notary import notary_path
from recorder.store.layout import Store

PATIENCE_SECONDS = 5.0
"""How long a daemon may take to be started again while a session ends."""
_PAUSE_SECONDS = 0.1


class Lease(Channel):
    """Like any channel; but what cannot be sent is sent to the next notary. `OSError`: there is none now."""

    def __init__(self, store: Store, user: str, uid: int) -> None:
        self._store = store
        self._who: Message = {"user": user, "uid": uid}
        super().__init__(self._connected())

    def receive(self) -> Message:
        """See `Channel.receive`; the answer that admits the session says which one it is."""
        message = super().receive()
        if "session" in message:
            self._who["resumes"] = message["session"]
        return message

    def send(self, message: Message) -> None:
        """See `Channel.send`."""
        try:
            super().send(message)
        except ChannelError:
            if "resumes" not in self._who:
                raise
            self._take_up_again(message)

    def _take_up_again(self, message: Message) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._socket.close()
                self._socket = self._connected()
                super().send(self._who)
                super().send(message)
            except (OSError, ChannelError) as error:
                if time.monotonic() > deadline:
                    raise ChannelError(f"there is no notary: {error}") from error
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def _connected(self) -> socket.socket:
        notary = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            notary.connect(str(notary_path(self._store)))
        except OSError:
            notary.close()
            raise
        return notary
