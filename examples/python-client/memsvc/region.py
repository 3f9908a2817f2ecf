"""The region of the memory service: 4 bytes of another process' memory (protocol.md, section 5)."""

import fcntl
import mmap
import sys

from .errors import UnsafeRegion
from .memory import check_mappable
from .owner import Owner

SIZE = 4
SEAL_NAMES = {1: 'SEAL', 2: 'SHRINK', 4: 'GROW', 8: 'WRITE', 16: 'FUTURE_WRITE', 32: 'EXEC'}


class Region(Owner):
    """Owns a Descriptor and its mapping."""

    def __init__(self, descriptor):
        size = check_mappable(descriptor.fileno())
        if size < SIZE:
            raise UnsafeRegion(f'the region has {size} bytes, not {SIZE}')
        self._descriptor = descriptor
        self._mapping = mmap.mmap(descriptor.fileno(), SIZE, mmap.MAP_SHARED, mmap.PROT_READ)
        self._word = memoryview(self._mapping).cast('I')

    def fileno(self):
        return self._descriptor.fileno()

    @property
    def seals(self):
        return fcntl.fcntl(self.fileno(), fcntl.F_GET_SEALS)

    @property
    def seal_names(self):
        return [name for bit, name in SEAL_NAMES.items() if self.seals & bit]

    @property
    def value(self):
        """The value now. An item of the view is one aligned 32-bit load; its four bytes, one by one, could be torn."""
        return int.from_bytes(self._word[0].to_bytes(SIZE, sys.byteorder), 'big', signed=True)

    def close(self):
        self._word.release()
        self._mapping.close()
        self._descriptor.close()
