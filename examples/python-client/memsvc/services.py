"""The registry and the memory service, as a client sees them (protocol.md, sections 6 and 7)."""

import json
import socket
from typing import NamedTuple

from .channel import Callback, Channel
from .errors import ServiceNotFound
from .owner import Owner
from .parcel import Writer
from .patience import ENDLESS
from .region import Region
from .registry_path import connect, registry_path
from .store import DEFAULT_STORE_NAME, Store


class Holder(NamedTuple):
    """The process that serves a name, by the kernel's word."""

    pid: int
    uid: int


class Registry(Owner):
    """memsvc.IServiceManager, over a connection of its own."""

    GET_SERVICE, LIST_SERVICES = 1, 4
    ANOTHERS = 2  # kind of a service. 0: there is none. 1: the caller's own, and this client serves nothing
    ANY_PRIORITY = 15

    def __init__(self, path=None, owner=None, patience=ENDLESS, by='path'):
        """`owner`: the uid of a user who is trusted with the registry, besides root and this one. `patience`: of all waits
        for it, and for what is found by it. `by`: what has chosen the path, for people."""
        self.path = path or registry_path()
        self._patience = patience
        end = connect(self.path, owner, by if path else 'default', patience)
        self._channel = Channel(end, 'the registry', patience)

    def get_service(self, name):
        """The memory service of that name, over a channel that the caller closes."""
        return MemoryService(*self._find(name))

    def get_store(self, name=DEFAULT_STORE_NAME):
        """The store of that name. The caller closes it."""
        channel, holder = self._find(name)
        try:
            return Store(channel, holder)
        except BaseException:
            channel.close()
            raise

    def _find(self, name):
        """A channel to the service, and who serves it."""
        reply = self._channel.call(self.GET_SERVICE, self._request().string(name))
        if reply.int() != self.ANOTHERS:
            quoted = json.dumps(name, ensure_ascii=False)
            raise ServiceNotFound(f"no service {quoted} at {self.path}; 'memsvc list' shows all services")
        _accepts_descriptors, pid, uid = reply.int(), reply.int(), reply.int() & 0xFFFFFFFF
        end = socket.socket(fileno=reply.descriptor().release())
        return Channel(end, name, self._patience), Holder(pid, uid)

    def list_services(self):
        return self._channel.call(self.LIST_SERVICES, self._request().int(self.ANY_PRIORITY)).strings()

    def close(self):
        self._channel.close()

    def _request(self):
        return Writer('memsvc.IServiceManager')


class MemoryService(Owner):
    """shy.luo.ashmem.IMemoryService and memsvc.IWatch. Owns its channel."""

    GET_FILE_DESCRIPTOR, SET_VALUE = 1, 2
    WATCH, ACKNOWLEDGE = 1001, 1003
    CHANGED = 1

    def __init__(self, channel, holder):
        self._channel = channel
        self.holder = holder

    @property
    def patience(self):
        return self._channel.patience

    def open_region(self):
        """The memory behind the value. The caller closes it; it outlives the service."""
        reply = self._channel.call(self.GET_FILE_DESCRIPTOR, self._request())
        is_there = reply.int()
        if not is_there:
            raise ServiceNotFound('the service has no region')
        _has_status_channel = reply.int()
        return Region(reply.descriptor())

    def set_value(self, value):
        self._channel.call(self.SET_VALUE, self._request().int(value))

    def changes(self):
        """The value, and again after each change, until DeadObject. Of a burst of changes the last is never missed."""
        notices = []
        watcher = self._channel.export(Callback('memsvc.IWatcher', {self.CHANGED: lambda _: notices.append('changed')}))
        with self.open_region() as region:
            self._channel.call(self.WATCH, self._watch_request(watcher))
            while True:
                yield region.value
                while not notices:
                    self._channel.serve_one()
                notices.clear()
                # Before the value is read: a change from here on brings another notice.
                self._channel.call_oneway(self.ACKNOWLEDGE, self._watch_request(watcher))

    def close(self):
        self._channel.close()

    def _request(self):
        return Writer('shy.luo.ashmem.IMemoryService')

    def _watch_request(self, watcher):
        return Writer('memsvc.IWatch').binder(watcher)
