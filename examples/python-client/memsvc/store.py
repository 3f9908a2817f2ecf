"""A store as its readers see it: memsvc.IStore (protocol.md, section 10)."""

from .area import BYTES, JSON, Area, Feed
from .channel import Callback
from .errors import Busy, Conflict, DeadObject
from .owner import Owner
from .parcel import Writer

DEFAULT_STORE_NAME = 'SharedStore'


class Store(Owner):
    """Reads its areas, and asks its owner for changes. Owns its channel and its areas."""

    OPEN, SET, DELETE, INCREMENT, BEGIN, PART, COMMIT = 1, 2, 3, 5, 6, 7, 8
    WATCH, ACKNOWLEDGE = 1001, 1003
    ANY_VERSION, NO_TTL = -1, 0.0
    PART_BYTES = 64000  # with the rest of the request they fit into one packet

    def __init__(self, channel, holder):
        self._channel = channel
        self.holder = holder
        self.patience = channel.patience
        self._areas = []  # of each its patterns, and itself
        self._feeds = []
        self._prefix = b''
        listener = channel.export(Callback('memsvc.IStoreListener', {1: self._take}, accepts_descriptors=True))
        self._take(channel.call(self.OPEN, _request().binder(listener, accepts_descriptors=True)))

    def close(self):
        self._channel.close()
        for _patterns, area in self._areas:
            area.close()

    def get(self, key):
        """The Value now, at no call's cost."""
        area = self._area_of(key.encode())
        return None if area is None else _there(area.get(key.encode()))

    def keys(self, prefix=''):
        """Those that have a value, sorted."""
        self._follow()
        return sorted(key.decode(errors='replace') for _, area in self._areas for key in area.keys(prefix.encode()))

    def snapshot(self, prefix=''):
        """Values by their keys: of each area those of one moment."""
        self._follow()
        values = [area.snapshot(prefix.encode()) for _patterns, area in self._areas]
        return {key.decode(errors='replace'): value for each in values for key, value in sorted(each.items())}

    def set(self, key, content, kind=JSON, version=ANY_VERSION, ttl_ms=NO_TTL):
        """Has the owner store a value. Returns its version. `version`: only if the key has this one, 0: no value."""
        if len(content) > self.PART_BYTES:
            return self._upload(key, content, kind, version, ttl_ms)
        request = _request().string(key).int(kind).bytes(content).long(version).double(ttl_ms)
        return _outcome(key, self._channel.call(self.SET, request))

    def _upload(self, key, content, kind, version, ttl_ms):
        """A value that is too long for one packet, in parts."""
        owner = self._channel.export(Callback('memsvc.upload', {}))
        request = _request().binder(owner).string(key).int(kind).long(len(content))
        upload = self._channel.call(self.BEGIN, request).int()
        for position in range(0, len(content), self.PART_BYTES):
            part = content[position : position + self.PART_BYTES]
            self._channel.call(self.PART, _request().int(upload).long(position).bytes(part))
        return _outcome(key, self._channel.call(self.COMMIT, _request().int(upload).long(version).double(ttl_ms)))

    def delete(self, key, version=ANY_VERSION):
        """Has the owner delete it. Its version, 0: there was nothing."""
        return _outcome(key, self._channel.call(self.DELETE, _request().string(key).long(version)))

    def increment(self, key, by=1.0, ttl_ms=NO_TTL):
        """Has the owner add to a number. The sum."""
        return self._channel.call(self.INCREMENT, _request().string(key).double(by).double(ttl_ms)).double()

    def changes(self, prefix='', ready=lambda: None):
        """(key, Value or None) of each change from here on, until DeadObject. Of a burst of changes the last is never missed."""
        notices = []
        watcher = self._channel.export(Callback('memsvc.IWatcher', {1: lambda _: notices.append('changed')}))
        self._prefix = prefix.encode()
        self._feeds = [Feed(area, self._prefix) for _patterns, area in self._areas]
        self._channel.call(self.WATCH, _request().binder(watcher).string(prefix))
        ready()
        while True:
            yield from self._poll()
            try:
                while not notices:
                    self._channel.serve_one()
                # Before the log is read: a change from here on brings another notice.
                self._channel.call_oneway(self.ACKNOWLEDGE, _request().binder(watcher))
            except DeadObject:
                yield from self._poll()  # what it could not tell any more
                raise
            notices.clear()

    def _poll(self):
        for number in range(len(self._feeds)):
            for key, value in self._poll_one(number).items():
                yield key.decode(errors='replace'), _there(value)

    def _poll_one(self, number):
        while True:
            try:
                return self._feeds[number].poll()
            except Busy:
                self._channel.serve_pending()  # the values may be elsewhere by now

    def _area_of(self, key):
        """The first pattern that fits says where a key is."""
        self._follow()
        for patterns, area in self._areas:
            if any(_fits(pattern.encode(), key) for pattern in patterns):
                return area
        return None

    def _follow(self):
        """The owner says where the values are before it writes there: what it has said is to be heard before a look."""
        if any(area.is_moved for _patterns, area in self._areas):
            try:
                self._channel.serve_pending()
            except DeadObject:
                pass  # they stay as they are

    def _take(self, answer):
        """From here on the values are in these areas."""
        areas = []
        for _ in range(answer.int()):
            patterns = answer.strings()
            _has_status_channel = answer.int()
            with answer.descriptor() as descriptor:
                areas.append((patterns, Area(descriptor)))
        before, self._areas = self._areas, areas
        for feed, (_patterns, area) in zip(self._feeds, areas):
            feed.move_to(area)
        for _patterns, area in before:
            area.close()


def _request():
    return Writer('memsvc.IStore')


def _fits(pattern, key):
    return key.startswith(pattern[:-1]) if pattern.endswith(b'*') else key == pattern


def _there(value):
    return value if value.type in (BYTES, JSON) else None


def _outcome(key, answer):
    is_conflict, version = answer.int(), answer.long()
    if is_conflict:
        raise Conflict(key, version)
    return version
