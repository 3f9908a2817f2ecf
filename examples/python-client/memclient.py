#!/usr/bin/env python3
"""memclient once more: the same commands, output and exit codes, in Python."""

import argparse
import base64
import functools
import json
import os
import sys
import time

from memsvc import (
    BYTES,
    JSON,
    Busy,
    Conflict,
    DeadObject,
    Failure,
    MemsvcError,
    Registry,
    RegistryUnavailable,
    RemoteException,
    ServiceNotFound,
)
from memsvc.errors import Untrusted
from memsvc.store import DEFAULT_STORE_NAME, Store

DEFAULT_NAME = 'AnonymousSharedMemory'
EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FOUND, EXIT_NOT_PERMITTED, EXIT_TRY_AGAIN, EXIT_CONFLICT = 1, 2, 3, 4, 5, 6
RETRY_SECONDS = 0.2

INFO = """\
name    {name}
value   {value}
fd      {fd}
inode   {inode}
seals   {seal_names}
size    {size} bytes
server  pid {server[pid]}, uid {server[uid]}"""


class KeyAbsent(MemsvcError):
    """A key without a value."""


def read(options):
    """The value, from the memory itself."""
    with open_service(options) as service, service.open_region() as region:
        value = region.value
    show(options, {'name': options.name, 'value': value}, str(value))


def write(options):
    """Asks the service to set the value."""
    with open_service(options) as service:
        service.set_value(options.value)


def watch(options):
    """The value, and again after each change, over restarts of the service."""
    while True:
        try:
            with open_service(options) as service:
                for value in service.changes():
                    show(options, {'name': options.name, 'value': value}, str(value))
        except DeadObject:
            print('memclient: the service is gone, waiting for the next', file=sys.stderr)
            wait_for_service(options)


def get(options):
    """A value of a store, from its memory: JSON as one line, bytes as they are."""
    with open_store(options) as store:
        value = store.get(options.key)
    if value is None:
        raise KeyAbsent(f'{options.store} has no value for {json.dumps(options.key)}')
    if options.json:
        show_json(entry(options.key, value) | {'type': 'bytes' if value.type == BYTES else 'json'})
    elif value.type == BYTES:
        sys.stdout.buffer.write(value.content)
    else:
        print(as_json(value_of(value)), flush=True)


def put(options):
    """Asks the owner of a store to put a value: JSON, else a string."""
    try:
        content = as_json(json.loads(options.value))
    except ValueError:
        content = as_json(options.value)
    with open_store(options) as store:
        store.set(options.key, content.encode(), JSON, options.if_version)


def delete(options):
    """Asks the owner of a store to delete a key."""
    with open_store(options) as store:
        if store.delete(options.key, options.if_version) == 0:
            raise KeyAbsent(f'{options.store} has no value for {json.dumps(options.key)}')


def increment(options):
    """Asks the owner of a store to add to a number, and tells the sum."""
    with open_store(options) as store:
        value = number(store.increment(options.key, options.by))
    show(options, {'key': options.key, 'value': value}, as_json(value))


def keys(options):
    """The keys of a store."""
    with open_store(options) as store:
        names = store.keys(options.prefix)
    for name in names:
        show(options, {'key': name}, name)


def export(options):
    """A store as one JSON object, of one moment."""
    with open_store(options) as store:
        values = store.snapshot(options.prefix)
    print(json.dumps({key: value_of(value) for key, value in values.items()}, ensure_ascii=False, indent=0))


def changes(options):
    """One line per change of a store: KEY VALUE, or KEY alone of one that was deleted."""
    while True:
        try:
            with open_store(options) as store:
                ready = functools.partial(print, f'memclient: watching {options.store}', file=sys.stderr, flush=True)
                for key, value in store.changes(options.prefix, ready):
                    show_change(options, key, value)
        except DeadObject:
            print('memclient: the store is gone, waiting for the next', file=sys.stderr, flush=True)
            wait_until(lambda: open_store(options).close())


def show_change(options, key, value):
    if options.json:
        show_json({'key': key, 'deleted': True} if value is None else entry(key, value))
    else:
        print(key if value is None else f'{key} {as_json(value_of(value))}', flush=True)


def entry(key, value):
    return {'key': key, 'value': value_of(value), 'version': value.version}


def value_of(value):
    """As JSON can say it."""
    if value.type == BYTES:
        return {'$bytes': base64.b64encode(value.content).decode()}
    return json.loads(value.content)


def number(value):
    return int(value) if value == int(value) else value


def as_json(value):
    return json.dumps(value, separators=(',', ':'), ensure_ascii=False)


def show_json(facts):
    print(as_json(facts), flush=True)


def list_services(options):
    """The names of all services."""
    with Registry(options.registry, options.registry_owner) as registry:
        for name in registry.list_services():
            show(options, {'name': name}, name)


def info(options):
    """This process' own view of the memory, to hold against the daemon's."""
    with open_service(options) as service, service.open_region() as region:
        status = os.fstat(region.fileno())
        facts = {
            'fd': region.fileno(),
            'inode': status.st_ino,
            'seals': region.seals,
            'size': status.st_size,
            'value': region.value,
            'server': service.holder._asdict(),
        }
        seals = ' '.join(region.seal_names)
    show(options, facts, INFO.format(name=options.name, seal_names=seals, **facts))


def open_service(options):
    with Registry(options.registry, options.registry_owner) as registry:
        return registry.get_service(options.name)


def open_store(options):
    with Registry(options.registry, options.registry_owner) as registry:
        return registry.get_store(options.store)


def wait_for_service(options):
    wait_until(lambda: open_service(options).close())


def wait_until(attempt):
    while True:
        time.sleep(RETRY_SECONDS)
        try:
            return attempt()
        except (RegistryUnavailable, ServiceNotFound, DeadObject):
            pass


def show(options, facts, text):
    print(json.dumps(facts, separators=(',', ':')) if options.json else text, flush=True)


def int32(text):
    value = int(text)
    if not -(2**31) <= value < 2**31:
        raise ValueError
    return value


def parse(arguments):
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument('--registry', metavar='PATH', help="the registry's socket")
    common.add_argument('--registry-owner', metavar='UID', type=int, help='who is trusted with it, besides root and you')
    common.add_argument('--json', action='store_true', help='one JSON object per line')
    parser = argparse.ArgumentParser(prog='memclient.py', description='Reads, writes and watches a shared value.')
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    for run, name, operands in [
        (read, 'read', ['name']),
        (write, 'write', ['value', 'name']),
        (watch, 'watch', ['name']),
        (list_services, 'list', []),
        (info, 'info', ['name']),
    ]:
        command = commands.add_parser(name, parents=[common], help=run.__doc__)
        command.set_defaults(run=run)
        if 'value' in operands:
            command.add_argument('value', type=int32, metavar='VALUE')
        if 'name' in operands:
            command.add_argument('name', nargs='?', default=DEFAULT_NAME, metavar='NAME')
    add_store_commands(commands, common)
    return parser.parse_args(arguments)


def add_store_commands(commands, common):
    for run, operands in [
        (get, ['key']),
        (put, ['key', 'text', 'if_version']),
        (delete, ['key', 'if_version']),
        (increment, ['key', 'by']),
        (keys, ['prefix']),
        (changes, ['prefix']),
        (export, ['prefix']),
    ]:
        command = commands.add_parser(run.__name__, parents=[common], help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument('--store', metavar='NAME', default=DEFAULT_STORE_NAME, help='which one')
        if 'key' in operands:
            command.add_argument('key', metavar='KEY')
        if 'text' in operands:
            command.add_argument('value', metavar='VALUE')
        if 'by' in operands:
            command.add_argument('by', type=float, nargs='?', default=1.0, metavar='BY')
        if 'prefix' in operands:
            command.add_argument('prefix', nargs='?', default='', metavar='PREFIX')
        if 'if_version' in operands:
            command.add_argument('--if-version', type=int, metavar='N', default=Store.ANY_VERSION, help='0: no value')


def exit_code(error):
    if isinstance(error, (RegistryUnavailable, ServiceNotFound, KeyAbsent)):
        return EXIT_NOT_FOUND
    if isinstance(error, Conflict):
        return EXIT_CONFLICT
    if isinstance(error, Busy):
        return EXIT_TRY_AGAIN
    if isinstance(error, RemoteException) and error.code == RemoteException.ILLEGAL_ARGUMENT:
        return EXIT_USAGE
    if isinstance(error, (PermissionError, Untrusted)) or (
        isinstance(error, RemoteException) and error.code == RemoteException.SECURITY
    ):
        return EXIT_NOT_PERMITTED
    if isinstance(error, Failure) and error.status == Failure.LIMIT:
        return EXIT_TRY_AGAIN
    return EXIT_FAILED


def main():
    options = parse(sys.argv[1:])
    try:
        options.run(options)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the last flush has somewhere to go
        return 0
    except (MemsvcError, OSError) as error:
        print(f'memclient: {error}', file=sys.stderr)
        return exit_code(error)
    return 0


if __name__ == '__main__':
    sys.exit(main())
