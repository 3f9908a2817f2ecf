"""How long is waited for an answer: a process that is stopped answers nothing, and is not dead."""

import select
import socket
import time

from .errors import TimedOut

FOR_EVER = None


class Patience:
    """Of one command, or of one step of it: all its waits together."""

    def __init__(self, seconds=FOR_EVER, output=None):
        """`output`: the number of a descriptor; when nobody reads it any more a wait ends with BrokenPipeError."""
        self.seconds = seconds
        self.output = output
        self._end = None if seconds is None else time.monotonic() + seconds

    def for_ever(self):
        """What lives on has no deadline once it has begun."""
        self._end = FOR_EVER

    def restart(self):
        self._end = None if self.seconds is None else time.monotonic() + self.seconds

    @property
    def left(self):
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def check(self, callee, action='answered'):
        if self.left == 0:
            raise TimedOut(f'{callee} has not {action} for {self.seconds:g} s, try again later')

    def until_ready(self, end, callee, events=select.POLLIN):
        """Waits until the socket can be read or written."""
        poll = select.poll()
        poll.register(end, events)
        if self.output is not None:
            poll.register(self.output, 0)  # an error or the end is told without being asked for
        while True:
            left = self.left
            ready = dict(poll.poll(None if left is None else left * 1000 + 1))
            if self.output in ready and end.fileno() not in ready:
                raise BrokenPipeError
            if end.fileno() in ready:
                return
            self.check(callee)

    def pause(self):
        """As long as it takes, for nothing but the reader of the output."""
        poll = select.poll()
        if self.output is not None:
            poll.register(self.output, 0)
        if poll.poll((self.left or 0) * 1000):
            raise BrokenPipeError

    def send(self, end, data, callee):
        """Sends one packet."""
        while True:
            try:
                return end.send(data, socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT)
            except BlockingIOError:
                self.until_ready(end, callee, select.POLLOUT)


ENDLESS = Patience()
