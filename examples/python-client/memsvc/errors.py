"""What can go wrong: one class for each thing that a caller may want to tell apart."""


class MemsvcError(Exception):
    """`memsvc_code`: what memclient calls it with --json."""

    memsvc_code = None


class RegistryUnavailable(MemsvcError):
    """Nobody listens at the registry's path."""

    memsvc_code = 'ERR_REGISTRY_UNAVAILABLE'


class Untrusted(MemsvcError):
    """Strangers could change the way to the registry, or run it; or its socket is closed to this user."""

    memsvc_code = 'ERR_SECURITY'


class ServiceNotFound(MemsvcError):
    """No service of that name."""

    memsvc_code = 'ERR_SERVICE_NOT_FOUND'


class DeadObject(MemsvcError):
    """The channel has ended, and whatever was reached over it is dead. Ask the registry again."""

    memsvc_code = 'ERR_DEAD_OBJECT'


class Violation(MemsvcError):
    """The other side broke the protocol. The channel is of no more use: close it."""

    memsvc_code = 'ERR_DEAD_OBJECT'


class BadParcel(MemsvcError):
    """The bytes of a parcel do not hold what was asked of them."""

    memsvc_code = 'ERR_BAD_PARCEL'


class Busy(MemsvcError):
    """The owner of an area was faster than every try. Try again later."""

    memsvc_code = 'ERR_LIMIT'


class TimedOut(MemsvcError):
    """Nobody answered in time. Of a call that was sent already the outcome is unknown."""

    memsvc_code = 'ERR_TIMEOUT'


class Damaged(MemsvcError):
    """No owner writes what was found in an area."""


class Conflict(MemsvcError):
    """A value has another version than the one that was asked for. `version`: 0, there is none."""

    memsvc_code = 'ERR_CONFLICT'

    def __init__(self, key, version):
        super().__init__(f'{key} has the version {version}' if version else f'{key} has no value')
        self.key = key
        self.version = version


class UnsafeRegion(MemsvcError):
    """There is no region, or one that may shrink under its reader, or is shorter than claimed."""

    memsvc_code = 'ERR_UNSAFE_REGION'


class Failure(MemsvcError):
    """The call was not carried out. `status`: protocol.md, section 3."""

    UNKNOWN_TRANSACTION, UNKNOWN_OBJECT, DESCRIPTORS_REFUSED, LIMIT, TOO_LARGE, VERSION = range(1, 7)
    CODES = {
        UNKNOWN_TRANSACTION: 'ERR_UNKNOWN_TRANSACTION',
        UNKNOWN_OBJECT: 'ERR_DEAD_OBJECT',
        DESCRIPTORS_REFUSED: 'ERR_UNSUPPORTED_OPERATION',
        LIMIT: 'ERR_LIMIT',
        TOO_LARGE: 'ERR_TRANSACTION_TOO_LARGE',
        VERSION: 'ERR_REGISTRY_UNAVAILABLE',
    }

    def __init__(self, status, message):
        super().__init__(message or f'failure {status}')
        self.status = status
        self.memsvc_code = self.CODES.get(status, 'ERR_REMOTE_ERROR')


class RemoteException(MemsvcError):
    """The object answered with an exception. `code`: protocol.md, section 4."""

    SECURITY = -1
    ILLEGAL_ARGUMENT = -3
    CODES = {
        SECURITY: 'ERR_SECURITY',
        -2: 'ERR_BAD_PARCEL',
        ILLEGAL_ARGUMENT: 'ERR_INVALID_ARG_VALUE',
        -4: 'ERR_NULL_POINTER',
        -5: 'ERR_ILLEGAL_STATE',
        -7: 'ERR_UNSUPPORTED_OPERATION',
        -8: 'ERR_SERVICE_SPECIFIC',
    }

    def __init__(self, code, message):
        super().__init__(message or self.CODES.get(code, f'exception {code}'))
        self.code = code
        self.memsvc_code = self.CODES.get(code, 'ERR_REMOTE_ERROR')


class ServiceFailure(Failure):
    """The service failed at the call by a fault of its own, and says this."""

    def __init__(self, fault):
        super().__init__(self.UNKNOWN_TRANSACTION, f'the service failed at the call: {fault}')
        self.memsvc_code = 'ERR_SERVICE_FAILURE'
