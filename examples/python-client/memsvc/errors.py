"""What can go wrong: one class for each thing that a caller may want to tell apart."""


class MemsvcError(Exception):
    pass


class RegistryUnavailable(MemsvcError):
    """Nobody listens at the registry's path."""


class Untrusted(MemsvcError):
    """Strangers could change the way to the registry, or run it."""


class ServiceNotFound(MemsvcError):
    """No service of that name."""


class DeadObject(MemsvcError):
    """The channel has ended, and whatever was reached over it is dead. Ask the registry again."""


class Violation(MemsvcError):
    """The other side broke the protocol. The channel is of no more use: close it."""


class BadParcel(MemsvcError):
    """The bytes of a parcel do not hold what was asked of them."""


class Busy(MemsvcError):
    """The owner of an area was faster than every try. Try again later."""


class Damaged(MemsvcError):
    """No owner writes what was found in an area."""


class Conflict(MemsvcError):
    """A value has another version than the one that was asked for. `version`: 0, there is none."""

    def __init__(self, key, version):
        super().__init__(f'{key} has the version {version}' if version else f'{key} has no value')
        self.version = version


class UnsafeRegion(MemsvcError):
    """There is no region, or one that may shrink under its reader, or is shorter than claimed."""


class Failure(MemsvcError):
    """The call was not carried out. `status`: protocol.md, section 3."""

    UNKNOWN_TRANSACTION, UNKNOWN_OBJECT, DESCRIPTORS_REFUSED, LIMIT, TOO_LARGE, VERSION = range(1, 7)

    def __init__(self, status, message):
        super().__init__(message or f'failure {status}')
        self.status = status


class RemoteException(MemsvcError):
    """The object answered with an exception. `code`: protocol.md, section 4."""

    SECURITY = -1
    ILLEGAL_ARGUMENT = -3

    def __init__(self, code, message):
        super().__init__(message or f'exception {code}')
        self.code = code
