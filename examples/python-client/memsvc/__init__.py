"""A client of memsvc in Python's standard library alone, after docs/protocol.md."""

from .area import BYTES, DELETED, JSON, Area, Feed, Value
from .errors import (
    BadParcel,
    Busy,
    Conflict,
    Damaged,
    DeadObject,
    Failure,
    MemsvcError,
    RegistryUnavailable,
    RemoteException,
    ServiceFailure,
    ServiceNotFound,
    TimedOut,
    UnsafeRegion,
    Violation,
)
from .patience import Patience
from .region import Region
from .services import Holder, MemoryService, Registry, registry_path
from .store import Store

__all__ = [
    'BYTES',
    'DELETED',
    'JSON',
    'Area',
    'BadParcel',
    'Busy',
    'Conflict',
    'Damaged',
    'DeadObject',
    'Failure',
    'Feed',
    'Holder',
    'MemoryService',
    'MemsvcError',
    'Patience',
    'Region',
    'Registry',
    'RegistryUnavailable',
    'RemoteException',
    'ServiceFailure',
    'ServiceNotFound',
    'Store',
    'TimedOut',
    'UnsafeRegion',
    'Value',
    'Violation',
    'registry_path',
]
