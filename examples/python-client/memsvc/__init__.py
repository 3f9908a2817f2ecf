"""A client of memsvc in Python's standard library alone, after docs/protocol.md."""

from .errors import (
    BadParcel,
    DeadObject,
    Failure,
    MemsvcError,
    RegistryUnavailable,
    RemoteException,
    ServiceNotFound,
    UnsafeRegion,
    Violation,
)
from .region import Region
from .services import Holder, MemoryService, Registry, registry_path

__all__ = [
    'BadParcel',
    'DeadObject',
    'Failure',
    'Holder',
    'MemoryService',
    'MemsvcError',
    'Region',
    'Registry',
    'RegistryUnavailable',
    'RemoteException',
    'ServiceNotFound',
    'UnsafeRegion',
    'Violation',
    'registry_path',
]
