#!/usr/bin/env python3
"""memclient once more: the same commands, output and exit codes, in Python."""

import argparse
import json
import os
import sys
import time

from memsvc import DeadObject, Failure, MemsvcError, Registry, RegistryUnavailable, RemoteException, ServiceNotFound
from memsvc.errors import Untrusted

DEFAULT_NAME = 'AnonymousSharedMemory'
EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FOUND, EXIT_NOT_PERMITTED, EXIT_TRY_AGAIN = 1, 2, 3, 4, 5
RETRY_SECONDS = 0.2

INFO = """\
name    {name}
value   {value}
fd      {fd}
inode   {inode}
seals   {seal_names}
size    {size} bytes
server  pid {server[pid]}, uid {server[uid]}"""


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


def wait_for_service(options):
    while True:
        time.sleep(RETRY_SECONDS)
        try:
            return open_service(options).close()
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
    return parser.parse_args(arguments)


def exit_code(error):
    if isinstance(error, (RegistryUnavailable, ServiceNotFound)):
        return EXIT_NOT_FOUND
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
