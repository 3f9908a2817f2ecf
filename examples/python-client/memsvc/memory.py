"""Whether somebody else's memory may be mapped (protocol.md, section 5)."""

import fcntl
import os

from .errors import UnsafeRegion


def check_mappable(number):
    """How many bytes it has. If its owner could take pages away, a read of them would be SIGBUS: the end of this process."""
    try:
        seals = fcntl.fcntl(number, fcntl.F_GET_SEALS)
    except OSError as error:
        raise UnsafeRegion('the descriptor is not a memfd') from error
    if not seals & fcntl.F_SEAL_SHRINK:
        raise UnsafeRegion('the region can shrink under its reader')
    status = os.fstat(number)
    if status.st_dev != _memfd_device():
        raise UnsafeRegion('the region has huge pages, which its owner can take away')
    return status.st_size


def _memfd_device():
    """All memfds but those of huge pages lie on one mount of the kernel's."""
    probe = os.memfd_create('probe')
    try:
        return os.fstat(probe).st_dev
    finally:
        os.close(probe)
