"""An area: values under keys in memory that another process writes meanwhile (protocol.md, section 9).

The order of loads is the machine's: on x86-64 they happen as they are written here. Python has no fence for others, where an area is refused.
"""

import mmap
import os
import platform
import struct
from typing import NamedTuple

from .errors import Busy, Damaged, UnsafeRegion
from .memory import check_mappable
from .owner import Owner

MAGIC, LAYOUT, HEADER_BYTES = b'MSVCAREA', 1, 4096
CONSTANTS = struct.Struct('<8sIIQQIIQQQQ')
LEAST_BYTES = 8192
MAX_CAPACITY, MAX_ENTRIES, LOG_SIZES = 2**40, 2**24, range(512, 2**20 + 1)
# Words of the header, entries, blocks: their offsets.
COMMITTED, RESHAPED, INDEX, RETIRED, COUNT, STATE = 128, 136, 144, 160, 168, 172
ENTRY_BYTES, REF, UID, KEY_SHAPE, KEY = 64, 0, 16, 32, 40
BLOCK_BYTES, TX, PREV, OWNER, SHAPE = 32, 0, 8, 16, 24
INLINE_KEY_BYTES, MAX_KEY_BYTES, MAX_PROBES, MAX_EDITS = 24, 512, 1024, 256
DELETED_SLOT = 0xFFFFFFFF
DELETED, BYTES, JSON = 0, 1, 2
LIVE, MOVED = 0, 1
LATEST = 2**64
# What bounds a call: of one key, and what each further key adds.
TRIES, TRIES_OF_KEY = 256, 4
SLOTS, SLOTS_OF_KEY = 16 * MAX_PROBES, MAX_PROBES // 2
COPIES, MORE_BYTES = 16, 8 * 2**20
ROUNDS = 16
MAX_VALUE_BYTES = 256 * 2**20  # of ours: an owner may claim any length


class Value(NamedTuple):
    """What a key has. Deleted: no content, and a version only where it is known."""

    type: int
    version: int
    content: bytes

    @property
    def is_there(self):
        return self.type != DELETED


NOTHING = Value(DELETED, 0, b'')


class Geometry(NamedTuple):
    """The constant fields. They are copied once, and never looked at again."""

    magic: bytes
    layout: int
    header_bytes: int
    capacity: int
    entries_at: int
    max_entries: int
    log_size: int
    heap_at: int
    log_at: int
    epoch: int
    base: int

    def is_sound(self, size):
        return (
            (self.magic, self.layout, self.header_bytes) == (MAGIC, LAYOUT, HEADER_BYTES)
            and self.capacity <= min(size, MAX_CAPACITY)
            and 1 <= self.max_entries <= MAX_ENTRIES
            and self.log_size in LOG_SIZES
            and self.log_size & (self.log_size - 1) == 0
            and (self.entries_at | self.heap_at | self.log_at) % 64 == 0
            and HEADER_BYTES <= self.log_at <= self.heap_at - 8 * self.log_size
            and HEADER_BYTES <= self.entries_at <= self.heap_at - ENTRY_BYTES * self.max_entries
            and self.heap_at <= self.capacity - 64
        )

    def entry_at(self, entry):
        return self.entries_at + ENTRY_BYTES * entry

    def record_at(self, number):
        return self.log_at + 8 * (number % self.log_size)

    def is_block(self, at):
        return at % 16 == 0 and self.heap_at <= at <= self.capacity - BLOCK_BYTES

    def fits(self, block, length):
        return length <= self.capacity - BLOCK_BYTES - block


class _Found(NamedTuple):
    entry: int
    uid: int


class _Gone(Exception):
    """The entry has another life: the key is to be found again."""


class _Budget:
    """What bounds one call, however its owner behaves."""

    def __init__(self, keys=0, more_bytes=MORE_BYTES):
        """Of a call that reads so many keys, if they are several, and so many bytes."""
        self._more_bytes = more_bytes
        self._tries = TRIES + TRIES_OF_KEY * keys
        self._slots = SLOTS + SLOTS_OF_KEY * keys
        self._copied = 0

    def try_again(self):
        if self._tries == 0:
            raise Busy('the owner changed the area during every attempt')
        self._tries -= 1

    def look(self):
        if self._slots == 0:
            raise Busy('the owner changed the area during every search')
        self._slots -= 1

    def copy(self, length):
        self._copied += length
        if self._copied > COPIES * length + self._more_bytes:
            raise Busy('the owner changed the area during every copy')


class Area(Owner):
    """Owns a mapping. Each read is a copy that was looked at again after it was made."""

    def __init__(self, descriptor):
        """Checks what the descriptor leads to, and maps it. The descriptor stays the caller's."""
        self.geometry = _check(descriptor.fileno())
        capacity = self.geometry.capacity
        self._mapping = mmap.mmap(descriptor.fileno(), capacity, mmap.MAP_SHARED, mmap.PROT_READ)
        self._bytes = memoryview(self._mapping)
        # An item of these is one aligned load.
        self._words = self._bytes[: capacity & ~7].cast('Q')
        self._halves = self._bytes[: capacity & ~3].cast('I')

    def close(self):
        for view in (self._words, self._halves, self._bytes):
            view.release()
        self._mapping.close()

    @property
    def is_moved(self):
        """Whether another area has the values now."""
        return self._halves[STATE // 4] == MOVED

    @property
    def committed(self):
        return self._word(COMMITTED)

    def get(self, key, at=LATEST, budget=None):
        """The Value of a key: now, or when `at` was the last transaction."""
        return self.look(key, at, budget)[1]

    def look(self, key, at=LATEST, budget=None):
        """The same, and which entry it was read of, or None. `budget`: of a call that reads several keys."""
        budget = budget or _Budget()
        while True:
            found = self._find(key, budget)
            if found is None:
                return None, NOTHING
            try:
                return found.entry, self._value(found, at, budget)
            except _Gone:
                budget.try_again()

    def keys(self, prefix=b''):
        """All that have a value, sorted."""
        found = []
        budget = self.budget()
        for entry in self.entries():
            key, life = self.key_of(entry)
            if key is not None and key.startswith(prefix) and self._has_value(life, key, budget):
                found.append(key)
        return sorted(found)

    def snapshot(self, prefix=b''):
        """The values of one moment, by their keys."""
        budget = self.budget(ROUNDS)
        for _ in range(ROUNDS):
            retired, committed = self._word(RETIRED), self._word(COMMITTED)
            try:
                values = {key: self.get(key, committed, budget) for key in self._all_keys(prefix)}
            except Busy:
                continue
            if self._word(RETIRED) == retired:
                return {key: value for key, value in values.items() if value.is_there}
        raise Busy('the owner changed the area during every snapshot')

    def budget(self, rounds=1, keys=0):
        """Of a call that reads all there is so often, and so many keys more."""
        return _Budget(rounds * (len(self.entries()) + keys), 2 * self.geometry.capacity + MORE_BYTES)

    def entries(self):
        """The numbers of all that there may be."""
        return range(min(self._halves[COUNT // 4], self.geometry.max_entries))

    def record(self, number):
        """A record of the change log: the low half of its transaction, and the number of an entry."""
        word = self._word(self.geometry.record_at(number))
        return word >> 32, word & 0xFFFFFFFF

    def key_of(self, entry):
        """The key that an entry has now, and this life of the entry. (None, None): it has none, or changes just now."""
        at = self.geometry.entry_at(entry)
        uid = self._word(at + UID)
        key = self._key_at(at) if uid != 0 else None
        if key is None or self._word(at + UID) != uid:
            return None, None
        return key, _Found(entry, uid)

    def _all_keys(self, prefix):
        keys = (self.key_of(entry)[0] for entry in self.entries())
        return {key for key in keys if key is not None and key.startswith(prefix)}

    def _has_value(self, life, key, budget):
        try:
            return self._value(life, LATEST, budget, copies=False).is_there
        except _Gone:
            return self.get(key, LATEST, budget).is_there

    def _find(self, key, budget):
        """9.4. None: there is no such key."""
        wanted = _hash(key, self.geometry.epoch)
        while True:
            budget.try_again()
            index = self._word(INDEX)
            slots_at, slots = self._slots(index)
            outcome = self._probe(slots_at, slots, (wanted, key), budget)
            if isinstance(outcome, _Found):
                return outcome
            # Of an index that was replaced nothing that was seen counts.
            if self._word(INDEX) == index:
                if outcome is not None:
                    raise outcome
                return None

    def _slots(self, index):
        log2, at = index & 63, (index >> 28) * 16
        geometry = self.geometry
        if not 2 <= log2 <= 25 or at < geometry.heap_at or at + (8 << log2) > geometry.capacity:
            raise Damaged('the index lies outside of the area')
        return at, 1 << log2

    def _probe(self, at, slots, sought, budget):
        """A _Found, None, or what is wrong unless the index was replaced meanwhile."""
        wanted, key = sought
        wrong = None
        for probe in range(min(slots, MAX_PROBES)):
            budget.look()
            slot = self._word(at + 8 * ((wanted + probe) % slots))
            if slot == 0:
                return wrong
            number = slot & 0xFFFFFFFF
            if number == DELETED_SLOT or slot >> 32 != wanted >> 32:
                continue
            if not 1 <= number <= self.geometry.max_entries:
                wrong = Damaged(f'there is no entry {number - 1}')
                continue
            name, life = self.key_of(number - 1)
            if name == key:
                return life
        return wrong if slots < MAX_PROBES else Damaged('the index has no end')

    def _key_at(self, at):
        """What an entry has for a key. None: it is none."""
        length = self._word(at + KEY_SHAPE) & 0xFFFF
        start = at + KEY
        if not 1 <= length <= MAX_KEY_BYTES:
            return None
        if length > INLINE_KEY_BYTES:
            block = self._word(start)
            if not self.geometry.is_block(block) or not self.geometry.fits(block, length):
                return None
            start = block + BLOCK_BYTES
        return bytes(self._bytes[start : start + length])

    def _value(self, life, at, budget, copies=True):
        """9.5: tries until one is accepted."""
        while True:
            budget.try_again()
            value = self._try_value(life, at, budget, copies)
            if value is not None:
                return value

    def _try_value(self, life, at, budget, copies):
        """None: again."""
        entry = self.geometry.entry_at(life.entry)
        reshaped = self._word(RESHAPED)
        committed = self._word(COMMITTED) if at == LATEST else at
        block = self._word(entry + REF)
        if self._word(entry + UID) != life.uid:
            raise _Gone
        if block == 0:
            return NOTHING
        tx = self._tx(block)
        if tx == 0:
            return None
        if tx > committed and at == LATEST:
            committed = self._word(COMMITTED)
        if tx > committed:
            previous, owner = self._word(block + PREV), self._word(block + OWNER)
            if self._word(block + TX) != tx or owner != life.uid or self._word(RESHAPED) != reshaped:
                return None
            if previous == 0:
                return NOTHING
            tx = self._tx(previous)
            value = self._accept(life, previous, tx, reshaped, budget, copies) if 0 < tx <= committed else None
            if value is None and at != LATEST and self._word(RESHAPED) == reshaped:
                raise Busy('a value of that moment is gone')
            return value
        return self._accept(life, block, tx, reshaped, budget, copies)

    def _accept(self, life, block, tx, reshaped, budget, copies):
        """The copy first, then whether it was one value all the time."""
        shape = self._word(block + SHAPE)
        length, kind = shape & 0xFFFFFFFF, shape >> 32 & 0xFF
        is_sound = self.geometry.fits(block, length) and kind <= JSON
        content = b''
        if is_sound and copies and length <= MAX_VALUE_BYTES:
            budget.copy(length)
            start = block + BLOCK_BYTES
            content = bytes(self._bytes[start : start + length])
        if (self._word(block + TX), self._word(block + OWNER), self._word(RESHAPED)) != (tx, life.uid, reshaped):
            return None
        if not is_sound or length > MAX_VALUE_BYTES:
            raise Damaged(f'a value of {length} bytes, of type {kind}')
        return Value(kind, tx, content)

    def _tx(self, block):
        if not self.geometry.is_block(block):
            raise Damaged(f'there is no block at {block}')
        return self._word(block + TX)

    def _word(self, at):
        return self._words[at >> 3]


class Feed:
    """What changes in an area among the keys that begin so: 9.6. The last change of each key is never missed."""

    def __init__(self, area, prefix=b''):
        """From here on. What is there already is no change."""
        self._prefix = prefix
        self._known = {}  # by key: the entry of its last look, its version, whether it has a value
        self._by_entry = {}
        self._changes = {}
        self.move_to(area)
        self.poll()

    def move_to(self, area):
        """The values are in this area now. What is the same there is no change."""
        self._area = area
        self._cursor = None
        self._by_entry = {}

    def poll(self):
        """The keys that have changed, each once, with the Value that it has now. On Busy, poll again: nothing is lost."""
        committed = self._area.committed
        since = LATEST if self._cursor is None else self._cursor
        keys = self._changed_keys(committed)
        budget = self._area.budget(keys=len(self._known))
        for key in self._every_key() if keys is None else keys:
            entry, value = self._area.look(key, budget=budget)
            if self._learn(key, entry, value, since):
                self._changes[key] = value
        self._cursor = committed
        changes, self._changes = self._changes, {}
        return changes

    def _changed_keys(self, committed):
        """By the log. None: some of it is gone."""
        cursor, geometry = self._cursor, self._area.geometry
        if cursor is None or not 0 <= committed - cursor <= geometry.log_size or cursor < geometry.base:
            return None
        keys = set()
        for number in range(cursor + 1, committed + 1):
            low, entry = self._area.record(number)
            if (low - number) % 2**32 >= MAX_EDITS:
                return None
            if entry < geometry.max_entries:
                keys |= self._by_entry.get(entry, set())
                keys |= self._wanted(self._area.key_of(entry)[0])
        return keys

    def _every_key(self):
        keys = set(self._known)
        for entry in self._area.entries():
            keys |= self._wanted(self._area.key_of(entry)[0])
        return keys

    def _wanted(self, key):
        return {key} if key is not None and key.startswith(self._prefix) else set()

    def _learn(self, key, entry, value, since):
        """Whether that is a change. A deletion after `since` is one also of a key that was not known."""
        old_entry, old_version, had_value = self._known.pop(key, (None, 0, False))
        if old_entry != entry:
            self._by_entry.get(old_entry, set()).discard(key)
        if entry is not None:
            self._known[key] = (entry, value.version, value.is_there)
            self._by_entry.setdefault(entry, set()).add(key)
        if value.is_there:
            return not had_value or value.version != old_version
        return had_value or (value.version > since and value.version != old_version)


def _check(number):
    """9.3. Whether it may be mapped: if its owner could cut pages off, a read of them would be SIGBUS."""
    if platform.machine() != 'x86_64':
        raise UnsafeRegion(f'on {platform.machine()} Python cannot order its loads')
    size = check_mappable(number)
    header = os.pread(number, CONSTANTS.size, 0)
    if size < LEAST_BYTES or len(header) < CONSTANTS.size:
        raise UnsafeRegion(f'{size} bytes are not an area')
    geometry = Geometry(*CONSTANTS.unpack(header))
    if not geometry.is_sound(size):
        raise UnsafeRegion('this is not an area')
    return geometry


def _hash(key, epoch):
    """FNV-1a of 64 bits."""
    value = 0xCBF29CE484222325 ^ epoch
    for byte in key:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value
