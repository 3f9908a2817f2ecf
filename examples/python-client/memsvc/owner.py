"""Who owns something closes it."""

import os


class Owner:
    """What has a `close()`: to be called, or left to a `with` block."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Descriptor(Owner):
    """Owns a file descriptor. One that nobody refers to any more is closed too: no error path leaks what arrived."""

    def __init__(self, number):
        self._number = number

    def fileno(self):
        return self._number

    def release(self):
        """The number; its owner is the caller from here on."""
        number, self._number = self._number, -1
        return number

    def close(self):
        number = self.release()
        if number >= 0:
            os.close(number)

    __del__ = close
