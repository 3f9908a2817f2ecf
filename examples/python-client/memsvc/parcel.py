"""Parcels: 4-byte aligned little-endian values, and the objects among them (protocol.md, section 4)."""

import struct

from .errors import BadParcel, Violation

TOKEN_MARK = 0x53595354  # SYST
DESCRIPTOR, OWN_BINDER = 1, 2
INT = struct.Struct('<i')
LONG = struct.Struct('<q')
DOUBLE = struct.Struct('<d')
OBJECT = struct.Struct('<II16x')  # type, number
ACCEPTS_DESCRIPTORS = struct.Struct('<II?15x')  # of a binder


class Writer:
    """Builds a request or reply. Its methods answer the writer itself, so that they chain."""

    def __init__(self, interface=None):
        self.data = bytearray()
        self.objects = []  # offsets into data
        if interface is not None:
            self.int(0).int(-1).int(TOKEN_MARK).string(interface)

    def int(self, value):
        self.data += INT.pack(value)
        return self

    def long(self, value):
        self.data += LONG.pack(value)
        return self

    def double(self, value):
        self.data += DOUBLE.pack(value)
        return self

    def bytes(self, content):
        self.int(len(content))
        self.data += content + bytes(-len(content) % 4)
        return self

    def string(self, text):
        units = text.encode('utf-16-le')
        self.int(len(units) // 2)
        self.data += units + b'\0\0'
        self.data += bytes(-len(self.data) % 4)
        return self

    def binder(self, number, accepts_descriptors=False):
        """An object of the sender's, by its number on the channel."""
        self.objects.append(len(self.data))
        self.data += ACCEPTS_DESCRIPTORS.pack(OWN_BINDER, number, accepts_descriptors)
        return self


class Reader:
    """Reads the body of a message that was received, value by value."""

    def __init__(self, message):
        self._message = message
        self._position = 0

    def int(self):
        return self._unpack(INT)[0]

    def long(self):
        return self._unpack(LONG)[0]

    def double(self):
        return self._unpack(DOUBLE)[0]

    def left(self):
        """Bytes behind the position."""
        return len(self._message.data) - self._position

    def string(self):
        """A string, or None."""
        length = self.int()
        if length == -1:
            return None
        if length < 0:
            raise BadParcel(f'a string of {length} units')
        units = self._take(2 * length)
        self._take(4 - len(units) % 4)  # a zero unit, zeros up to a multiple of 4
        return units.decode('utf-16-le', 'replace')

    def strings(self):
        return [self.string() for _ in range(self.int())]

    def descriptor(self):
        """A Descriptor, the caller's from here on."""
        if self._position not in self._message.objects:
            raise BadParcel(f'no object at {self._position}')
        kind, number = self._unpack(OBJECT)
        if kind != DESCRIPTOR:
            raise BadParcel(f'an object of type {kind}, not a descriptor')
        return self._message.descriptors[number]

    def enforce_interface(self, name):
        if (self.int(), self.int(), self.int(), self.string()) != (0, -1, TOKEN_MARK, name):
            raise BadParcel(f'this is not a call of {name}')

    def _unpack(self, layout):
        return layout.unpack(self._take(layout.size))

    def _take(self, count):
        end = self._position + count
        if end > len(self._message.data):
            raise BadParcel(f'{count} bytes wanted at {self._position} of {len(self._message.data)}')
        start, self._position = self._position, end
        return self._message.data[start:end]


def check_objects(data, objects, descriptor_count):
    """The rules for the object table of a message that was received."""
    if any(offset % 4 for offset in objects):
        raise Violation('an object that is not aligned')
    if any(later - offset < OBJECT.size for offset, later in zip(objects, [*objects[1:], len(data)])):
        raise Violation('objects that overlap, or lie outside of the data')
    contents = [OBJECT.unpack_from(data, offset) for offset in objects]
    if [number for kind, number in contents if kind == DESCRIPTOR] != list(range(descriptor_count)):
        raise Violation('a table that does not name each descriptor once')
