"""Messages, and the packets they travel in (protocol.md, sections 2 and 3). Nothing here knows a socket."""

import struct
from dataclasses import dataclass
from typing import NamedTuple

from .errors import Violation
from .parcel import check_objects

VERSION = 1
HELLO, TRANSACTION, REPLY, FAILURE, RELEASE, CONTINUATION = range(1, 7)
ONEWAY = 1

MAX_PACKET_BYTES = 65536
MAX_DATA_BYTES = 1024 * 1024 - 8 * 1024
MAX_OBJECTS = 4096
MAX_DESCRIPTORS = 253


@dataclass
class Message:
    kind: int
    flags: int = 0
    id: int = 0
    object: int = 0
    code: int = 0
    data: bytes = b''
    objects: tuple = ()
    descriptors: list = ()


class _Header(NamedTuple):
    version: int
    kind: int
    flags: int
    id: int
    object: int
    code: int
    data_size: int
    object_count: int
    body_bytes_in_packet: int
    descriptor_count: int = 0
    reserved: int = 0

    @property
    def body_size(self):
        return self.data_size + 4 * self.object_count


_LAYOUT = struct.Struct('<BBHIIIIIIHH')


def encode(message):
    """The packet of a message. This client has no descriptors to send, nor more than fits in one packet."""
    body = message.data + struct.pack(f'<{len(message.objects)}I', *message.objects)
    if _LAYOUT.size + len(body) > MAX_PACKET_BYTES:
        raise ValueError(f'{len(body)} bytes do not fit in a packet')
    call = (message.kind, message.flags, message.id, message.object, message.code)
    return _LAYOUT.pack(*_Header(VERSION, *call, len(message.data), len(message.objects), len(body))) + body


class Assembler:
    """Makes messages of packets: several of one, or one of several."""

    def __init__(self):
        self._first = None  # the header of the message that is coming in
        self._body = b''
        self._descriptors = []

    def add(self, packet, descriptors):
        """The messages that a packet completes. Raises Violation."""
        messages = []
        for header, part in _split(packet, len(descriptors)):
            if self._first is None:
                _check_first(header)
                self._first, self._body, self._descriptors = header, b'', descriptors
            elif header.kind != CONTINUATION or header.id != self._first.id:
                raise Violation('another message came before the end of this one')
            self._body += part
            if len(self._body) > self._first.body_size:
                raise Violation('more bytes than were announced')
            if len(self._body) == self._first.body_size:
                messages.append(self._finish())
        return messages

    def _finish(self):
        header, self._first = self._first, None
        data, table = self._body[: header.data_size], self._body[header.data_size :]
        objects = struct.unpack(f'<{header.object_count}I', table)
        check_objects(data, objects, header.descriptor_count)
        call = (header.kind, header.flags, header.id, header.object, header.code)
        return Message(*call, data, objects, self._descriptors)


def _split(packet, descriptor_count):
    """Each header of a packet, and the bytes that belong to it."""
    position = 0
    while position < len(packet):
        start = position + _LAYOUT.size
        if start > len(packet):
            raise Violation('an incomplete header')
        header = _Header._make(_LAYOUT.unpack_from(packet, position))
        end = start + header.body_bytes_in_packet
        if end > len(packet):
            raise Violation('an incomplete message')
        _check(header, descriptor_count, is_alone=end - position == len(packet))
        yield header, packet[start:end]
        position = end + -end % 8


def _check(header, descriptor_count, is_alone):
    if header.version != VERSION or not TRANSACTION <= header.kind <= CONTINUATION:
        raise Violation(f'version {header.version}, kind {header.kind}')
    if header.flags & ~(ONEWAY if header.kind == TRANSACTION else 0) or header.reserved:
        raise Violation('a reserved bit is set')
    if header.descriptor_count != descriptor_count:
        raise Violation(f'{header.descriptor_count} descriptors were announced, {descriptor_count} came')
    if descriptor_count > 0 and not is_alone:
        raise Violation('a message with descriptors is not alone in its packet')


def _check_first(header):
    if header.kind == CONTINUATION:
        raise Violation('a continuation without a message')
    if header.data_size % 4 or header.data_size > MAX_DATA_BYTES or header.object_count > MAX_OBJECTS:
        raise Violation('a parcel beyond the limits')
