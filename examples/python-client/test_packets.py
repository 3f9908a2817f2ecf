"""What a real daemon sends seldom or never: many messages in a packet, one message in many, and broken ones."""

import os
import struct
import unittest

from memsvc import Violation
from memsvc.owner import Descriptor
from memsvc.packets import CONTINUATION, FAILURE, RELEASE, REPLY, TRANSACTION, Assembler
from memsvc.parcel import Reader, Writer


def packet(kind, body=b'', *, version=1, flags=0, id=1, data_size=None, objects=0, body_bytes_in_packet=None, descriptors=0, reserved=0):
    """Bytes that need not be right."""
    size = len(body) - 4 * objects if data_size is None else data_size
    part = len(body) if body_bytes_in_packet is None else body_bytes_in_packet
    fields = (version, kind, flags, id, 0, 0, size, objects, part, descriptors, reserved)
    return struct.pack('<BBHIIIIIIHH', *fields) + body


def table(*offsets):
    return struct.pack(f'<{len(offsets)}I', *offsets)


def descriptor_object(number):
    return struct.pack('<II16x', 1, number)


def open_descriptor():
    return Descriptor(os.open('/dev/null', os.O_RDONLY | os.O_CLOEXEC))


class Assembling(unittest.TestCase):
    def test_several_messages_of_one_packet(self):
        odd, even = packet(REPLY, bytes(4), id=1), packet(REPLY, bytes(8), id=2)
        messages = Assembler().add(odd + bytes(4) + even + even, [])
        self.assertEqual([(message.id, len(message.data)) for message in messages], [(1, 4), (2, 8), (2, 8)])

    def test_one_message_of_several_packets(self):
        body = bytes(range(256)) * 1024
        assembler = Assembler()
        self.assertEqual(assembler.add(packet(REPLY, body[:1000], id=7, data_size=len(body)), []), [])
        self.assertEqual(assembler.add(packet(CONTINUATION, body[1000:2000], id=7, data_size=0), []), [])
        [message] = assembler.add(packet(CONTINUATION, body[2000:], id=7, data_size=0), [])
        self.assertEqual((message.id, message.data), (7, body))

    def test_a_split_message_that_ends_a_packet_of_others(self):
        assembler = Assembler()
        [whole] = assembler.add(packet(REPLY, bytes(8)) + packet(REPLY, bytes(8), id=2, data_size=16), [])
        [rest] = assembler.add(packet(CONTINUATION, bytes(8), id=2, data_size=0), [])
        self.assertEqual((whole.id, rest.id, len(rest.data)), (1, 2, 16))

    def test_descriptors_belong_to_their_message(self):
        descriptors = [open_descriptor(), open_descriptor()]
        body = descriptor_object(0) + descriptor_object(1) + table(0, 24)
        [message] = Assembler().add(packet(REPLY, body, objects=2, descriptors=2), descriptors)
        reader = Reader(message)
        self.assertEqual([reader.descriptor(), reader.descriptor()], descriptors)

    def test_what_nobody_takes_is_closed(self):
        descriptor = open_descriptor()
        number = descriptor.fileno()
        body = descriptor_object(0) + table(0)
        Assembler().add(packet(REPLY, body, objects=1, descriptors=1), [descriptor])
        del descriptor
        with self.assertRaises(OSError):
            os.fstat(number)

    def test_violations(self):
        half = packet(REPLY, bytes(8), data_size=16)
        fd = descriptor_object(0)
        cases = {
            'half a header': [bytes(31)],
            'a version': [packet(REPLY, version=2)],
            'a kind': [packet(7)],
            'HELLO of a server': [packet(1)],
            'a flag': [packet(TRANSACTION, flags=2)],
            'a oneway reply': [packet(REPLY, flags=1)],
            'a reserved field': [packet(REPLY, reserved=1)],
            'a body beyond the packet': [packet(REPLY, bytes(4), body_bytes_in_packet=8)],
            'more than announced': [packet(REPLY, bytes(8), data_size=4)],
            'a size that is no multiple of 4': [packet(REPLY, bytes(3))],
            'a parcel that is too large': [packet(REPLY, data_size=2**20)],
            'too many objects': [packet(REPLY, bytes(4), data_size=0, objects=4097)],
            'descriptors that did not come': [packet(REPLY, fd + table(0), objects=1, descriptors=1)],
            'a continuation of nothing': [packet(CONTINUATION, bytes(4), data_size=0)],
            'a continuation of another': [half, packet(CONTINUATION, bytes(8), id=2, data_size=0)],
            'a message in between': [half, packet(RELEASE, id=0)],
            'a continuation beyond the end': [half, packet(CONTINUATION, bytes(12), data_size=0)],
            'an object beyond the end': [packet(REPLY, fd + table(4), objects=1)],
            'objects that overlap': [packet(REPLY, bytes(40) + table(0, 20), objects=2)],
            'an object that is not aligned': [packet(REPLY, bytes(40) + table(2), objects=1)],
            'an object of a descriptor that did not come': [packet(REPLY, fd + table(0), objects=1)],
        }
        for name, packets in cases.items():
            with self.subTest(name), self.assertRaises(Violation):
                assembler = Assembler()
                for each in packets:
                    assembler.add(each, [])

    def test_descriptors_and_other_messages(self):
        one = packet(FAILURE, descriptors=1)
        with self.assertRaises(Violation):
            Assembler().add(one + one, [open_descriptor()])


class Strings(unittest.TestCase):
    def test_round_trip(self):
        for text in ['', 'a', 'ab', 'äöü', '🦆', 'a\0b']:
            with self.subTest(text):
                data = bytes(Writer().string(text).int(7).data)
                [message] = Assembler().add(packet(REPLY, data), [])
                reader = Reader(message)
                self.assertEqual((reader.string(), reader.int()), (text, 7))


if __name__ == '__main__':
    unittest.main()
