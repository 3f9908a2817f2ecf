"""An area of an owner who does not play by the rules: whatever is read of it, the read ends, by an answer or an error of ours.

MEMSVC_AREA_IMAGE is a file with the bytes of a good area. Its keys are `key0`, `key1` and so on, one of them of 300 bytes.
"""

import fcntl
import os
import random
import struct
import unittest

from memsvc import Area, Feed, MemsvcError
from memsvc.area import DELETED_SLOT, INDEX
from memsvc.errors import Busy
from memsvc.owner import Descriptor

IMAGE = os.environ.get('MEMSVC_AREA_IMAGE')
ROUNDS = int(os.environ.get('MEMSVC_AREA_ROUNDS', '300'))
# What an offset, a length, a version or a number of an entry may be, at its worst.
WORDS = [0, 1, 15, 16, 2**16, 2**20, 2**31, 2**32 - 1, 2**32, 2**40, 2**63, 2**64 - 1]


class NewIndexes(Area):
    """Whose owner replaces the index before it is looked at again, by one of 1,024 slots that are all deleted."""

    looks = generation = 0

    def _word(self, at):
        start = self.geometry.heap_at
        if at == INDEX:
            self.generation += 1
            return start // 16 << 28 | self.generation << 6 | 10
        if start <= at < start + 8 * 1024:
            self.looks += 1
            return DELETED_SLOT
        return super()._word(at)


def area_of(content, seals=fcntl.F_SEAL_SHRINK, kind=Area):
    descriptor = Descriptor(os.memfd_create('area', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
    os.truncate(descriptor.fileno(), len(content))
    os.pwrite(descriptor.fileno(), content, 0)
    fcntl.fcntl(descriptor.fileno(), fcntl.F_ADD_SEALS, seals)
    with descriptor:
        return kind(descriptor)


def read_all(area):
    """Everything that can be asked of it."""
    keys = area.keys()
    for key in [*keys[:20], b'key0', b'key1', b'none', b'k' * 300]:
        area.get(key)
    area.snapshot()
    Feed(area).poll()


@unittest.skipUnless(IMAGE, 'needs an area')
class DamagedAreas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(IMAGE, 'rb') as file:
            cls.image = file.read()

    def read(self, content):
        try:
            with area_of(content) as area:
                read_all(area)
        except MemsvcError:
            pass

    def test_a_good_one_is_read(self):
        with area_of(self.image) as area:
            self.assertIn(b'key0', area.keys())
            self.assertEqual(area.get(b'key0').content, b'"value 0"')
            self.assertEqual(area.snapshot(b'key1')[b'key1'].content, b'"value 1"')
            self.assertEqual(area.get(b'k' * 300).content, b'"long"')
            self.assertFalse(area.get(b'none').is_there)

    def test_one_that_can_shrink_is_not_mapped(self):
        with self.assertRaises(MemsvcError):
            area_of(self.image, 0)

    def test_one_that_is_too_short_is_not_mapped(self):
        for size in [0, 1, 100, 4096, 8191, len(self.image) - 1]:
            with self.subTest(size), self.assertRaises(MemsvcError):
                area_of(self.image[:size])

    def test_each_word_of_the_header_at_its_worst(self):
        for at in range(0, 256, 4):
            for word in WORDS:
                content = bytearray(self.image)
                content[at : at + 8] = struct.pack('<Q', word)
                self.read(content)

    def test_a_search_in_an_index_that_is_always_another_one_ends(self):
        with area_of(self.image, kind=NewIndexes) as area:
            with self.assertRaises(Busy):
                area.get(b'key0')
            self.assertGreater(area.looks, 1024)
            self.assertLessEqual(area.looks, 16 * 1024)

    def test_words_at_random(self):
        used = [at for at in range(0, len(self.image), 8) if self.image[at : at + 8] != bytes(8)]
        for seed in range(ROUNDS):
            chance = random.Random(seed)
            content = bytearray(self.image)
            for _ in range(chance.choice([1, 2, 8, 64])):
                at = chance.choice(used)
                word = chance.choice([*WORDS, chance.getrandbits(64), chance.randrange(len(content)) & ~15])
                content[at : at + 8] = struct.pack('<Q', word)
            with self.subTest(seed):
                self.read(content)


if __name__ == '__main__':
    unittest.main()
