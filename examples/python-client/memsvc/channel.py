"""A channel: one connected SOCK_SEQPACKET socket, and calls over it in both directions."""

import itertools
import select
import socket
from array import array
from collections import deque

from .errors import DeadObject, Failure, RemoteException, ServiceFailure, Violation
from .owner import Descriptor
from .packets import (
    FAILURE,
    HELLO,
    MAX_DESCRIPTORS,
    MAX_PACKET_BYTES,
    ONEWAY,
    REPLY,
    TRANSACTION,
    VERSION,
    Assembler,
    Message,
    encode,
)
from .parcel import Reader, Writer
from .patience import ENDLESS

PING, INTERFACE = 0x5F504E47, 0x5F4E5446  # _PNG and _NTF: what every object answers
GONE = 'the process that served this object is gone, or has closed the channel'
CONTROL_BYTES = socket.CMSG_SPACE(MAX_DESCRIPTORS * array('i').itemsize)


class Callback:
    """An object of this side: functions by transaction code, which take a Reader of the request, and answer nothing."""

    def __init__(self, interface, methods, accepts_descriptors=False):
        self.interface = interface
        self.methods = methods
        self.accepts_descriptors = accepts_descriptors


class Channel:
    """The client's side, one call at a time. Owns the socket. Object 0 is what the channel leads to."""

    def __init__(self, end, callee='the service', patience=ENDLESS):
        """`callee`: for people; `patience`: of all its waits."""
        self._socket = end
        self._socket.setblocking(True)  # the ends that the registry hands out are not
        self._callee = callee
        self.patience = patience
        self._assembler = Assembler()
        self._received = deque()
        self._call_ids = itertools.count(1)
        self._callbacks = {}
        self._send(Message(HELLO, code=VERSION))

    def close(self):
        self._socket.close()

    def export(self, callback):
        """The number of a callback on this channel. It lives as long as the channel, whatever RELEASE gives back."""
        number = len(self._callbacks) + 1
        self._callbacks[number] = callback
        return number

    def call(self, code, request):
        """Calls object 0 and waits for the answer: a Reader, past the exception header."""
        call_id = next(self._call_ids)
        self._send(_message(TRANSACTION, request, code=code, id=call_id))
        while (message := self._receive()).kind not in (REPLY, FAILURE):
            self._serve(message)
        if message.id != call_id:
            raise Violation('a reply to no call')
        return _result(message)

    def call_oneway(self, code, request):
        """Calls object 0. There is no answer of any kind."""
        self._send(_message(TRANSACTION, request, code=code, flags=ONEWAY))

    def serve_one(self):
        """Waits for one message, and answers it if it is a call."""
        self._serve(self._receive())

    def serve_pending(self):
        """Answers what has come already, and waits for nothing."""
        while self._received or select.select([self._socket], [], [], 0)[0]:
            self.serve_one()

    def _serve(self, message):
        if message.kind in (REPLY, FAILURE):
            raise Violation('a reply to no call')
        if message.kind == TRANSACTION:
            answer = self._carry_out(message)
            answer.id = message.id
            if not message.flags & ONEWAY:
                self._send(answer)

    def _carry_out(self, call):
        callback = self._callbacks.get(call.object)
        if callback is None:
            return _failure(Failure.UNKNOWN_OBJECT, f'no object {call.object}')
        if call.code == PING:
            return Message(REPLY)
        if call.code == INTERFACE:
            return _message(REPLY, Writer().string(callback.interface))
        if call.code not in callback.methods:
            return _failure(Failure.UNKNOWN_TRANSACTION, f'no method {call.code}')
        if call.descriptors and not callback.accepts_descriptors:
            return _failure(Failure.DESCRIPTORS_REFUSED, f'object {call.object} accepts no descriptors')
        request = Reader(call)
        request.enforce_interface(callback.interface)
        callback.methods[call.code](request)
        return _message(REPLY, Writer().int(0))

    def _send(self, message):
        try:
            self.patience.send(self._socket, encode(message), self._callee)
        except ConnectionError as error:
            raise DeadObject(GONE) from error

    def _receive(self):
        while not self._received:
            self.patience.until_ready(self._socket, self._callee)
            self._received.extend(self._assembler.add(*_receive_packet(self._socket)))
        message = self._received.popleft()
        if message.kind == FAILURE and message.id == 0:
            _result(message)  # the other side turns us away, and says why
        return message


def _receive_packet(end):
    try:
        packet, control, flags, _ = _recvmsg(end)
    except ConnectionError as error:
        raise DeadObject(GONE) from error
    descriptors = [Descriptor(number) for number in _rights(control)]  # owned before anything else can fail
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        raise Violation('a packet that was cut off')
    if not packet:
        raise DeadObject(GONE)
    return packet, descriptors


def _recvmsg(end):
    try:
        return end.recvmsg(MAX_PACKET_BYTES, CONTROL_BYTES, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        # Told once, when the other side has gone with packets of ours unread. What it sent before is still there.
        return end.recvmsg(MAX_PACKET_BYTES, CONTROL_BYTES, socket.MSG_CMSG_CLOEXEC)


def _rights(control):
    numbers = array('i')
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers.frombytes(data)
    return numbers


def _message(kind, writer, **fields):
    return Message(kind, data=bytes(writer.data), objects=tuple(writer.objects), **fields)


def _failure(status, text):
    return _message(FAILURE, Writer().string(text), code=status)


def _result(answer):
    reader = Reader(answer)
    if answer.kind == FAILURE:
        message = reader.string()
        if answer.code == Failure.UNKNOWN_TRANSACTION and reader.left() > 0:
            raise ServiceFailure(reader.string())
        raise Failure(answer.code, message)
    code = reader.int()
    if code != 0:
        raise RemoteException(code, reader.string())
    return reader
