#!/usr/bin/env python3
"""memclient once more: the same commands, output and exit codes, in Python."""

import argparse
import base64
import functools
import json
import math
import os
import re
import signal
import sys
import time

from memsvc import (
    BYTES,
    JSON,
    DeadObject,
    MemsvcError,
    Patience,
    Registry,
    RegistryUnavailable,
    ServiceNotFound,
)
from memsvc.errors import BadParcel, Untrusted
from memsvc.registry_path import SYSTEM_PATH, registry_path, user_path
from memsvc.store import DEFAULT_STORE_NAME, Store

DEFAULT_NAME = 'AnonymousSharedMemory'
EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FOUND, EXIT_NOT_PERMITTED, EXIT_TRY_AGAIN, EXIT_CONFLICT = 1, 2, 3, 4, 5, 6
RETRY_SECONDS = 0.05
DEFAULT_TIMEOUT = 5
MAX_SECONDS = 2147483  # what a timer of Node.js takes
MAX_PATH_BYTES = 107
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
STDOUT = 1

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

    memsvc_code = 'ERR_NO_SUCH_ELEMENT'


class Usage(Exception):
    """A command line that is wrong."""

    memsvc_code = 'ERR_INVALID_ARG_VALUE'


class Enough(Exception):
    """What was asked for has been told."""


def read(options):
    """Prints the value, which is read from shared memory."""
    with open_service(options) as service, service.open_region() as region:
        value = region.value
    show(options, {'name': options.name, 'value': value}, str(value))


def write(options):
    """Sets the value."""
    with open_service(options) as service:
        service.set_value(options.value)


def watch(options):
    """Prints the value, and again after each change, also across restarts of the service."""
    seen = []
    try:
        while True:
            watch_one(options, seen)
            tell(f'memclient: {options.name} is gone, waiting for it to come back')
            wait_until(lambda: open_service(options, Patience(output=STDOUT)).close())
    except Enough:
        pass


def watch_one(options, seen):
    """Until its death. `seen`: the values that were told, of which only the last and their number count."""
    patience = options.patience
    try:
        with open_service(options) as service:
            region = service.open_region()
            region.close()
            patience.for_ever()
            patience.output = STDOUT
            for value in service.changes():
                if seen[-1:] == [value]:
                    continue
                seen.append(value)
                show(options, {'name': options.name, 'value': value}, str(value))
                if len(seen) == 1:
                    tell(f'memclient: watching {options.name} at {options.registry}')
                if len(seen) == options.count or value == options.until:
                    raise Enough
    except DeadObject:
        if not seen:
            raise


def get(options):
    """Prints the value of a key: JSON on one line, bytes as they are."""
    with open_store(options) as store:
        value = store.get(options.key)
    if value is None:
        raise KeyAbsent(f'{options.store} has no value for {json.dumps(options.key)}')
    if value.type == BYTES and not options.json:
        sys.stdout.buffer.write(value.content)
        return
    try:
        shown = value_of(value)
    except NO_JSON:
        raise BadParcel('a value of the store is marked as JSON, but is not JSON') from None
    if options.json:
        show_json(entry(options.key, value, shown) | {'type': 'bytes' if value.type == BYTES else 'json'})
    else:
        print(as_json(shown), flush=True)


def put(options):
    """Stores VALUE under a key, as JSON if it is JSON, else as a string."""
    try:
        content = as_json(json.loads(options.value, parse_int=exact, parse_float=finite, parse_constant=no_json))
    except NO_JSON:
        content = as_json(options.value)
    with open_store(options) as store:
        version = store.set(options.key, content.encode(), JSON, options.if_version, options.ttl)
    if options.json:
        show_json({'key': options.key, 'version': json_version(version)})


def delete(options):
    """Deletes a key from a store."""
    with open_store(options) as store:
        version = store.delete(options.key, options.if_version)
    if version == 0:
        raise KeyAbsent(f'{options.store} has no value for {json.dumps(options.key)}')
    if options.json:
        show_json({'key': options.key, 'deleted': True, 'version': json_version(version)})


def increment(options):
    """Adds BY (default: 1) to the number of a key, and prints the new value."""
    with open_store(options) as store:
        value = number(store.increment(options.key, options.by, options.ttl))
    show(options, {'key': options.key, 'value': value}, as_json(value))


def keys(options):
    """Prints the keys of a store, one per line."""
    with open_store(options) as store:
        names = store.keys(options.prefix)
    for name in names:
        show(options, {'key': name}, name)


def export(options):
    """Prints a store as one JSON object, a snapshot of one moment."""
    with open_store(options) as store:
        values = store.snapshot(options.prefix)
    lines = [f'{as_json(key)}: {as_json(exported(value))}' for key, value in values.items()]
    print('{\n' + ',\n'.join(lines) + '\n}' if lines else '{}')


def changes(options):
    """Prints each change of a store: KEY VALUE, or KEY alone for a delete."""
    left = options.count
    while True:
        try:
            with open_store(options) as store:
                options.patience.for_ever()
                options.patience.output = STDOUT
                ready = functools.partial(tell, f'memclient: watching {options.store} at {options.registry}')
                for key, value in store.changes(options.prefix, ready):
                    show_change(options, key, value)
                    left -= 1
                    if left == 0:
                        return
        except DeadObject:
            tell(f'memclient: {options.store} is gone, waiting for it to come back')
            wait_until(lambda: open_store(options).close())


def show_change(options, key, value):
    if options.json:
        show_json({'key': key, 'deleted': True} if value is None else entry(key, value, any_value_of(value)))
    else:
        print(key if value is None else f'{key} {as_json(any_value_of(value))}', flush=True)


def entry(key, value, shown):
    return {'key': key, 'value': shown, 'version': json_version(value.version)}


def json_version(version):
    """A number, if parsers of JSON keep all of it."""
    return version if version < 2**53 else str(version)


# What json.loads raises, also for what is too deep.
NO_JSON = (ValueError, RecursionError)


def value_of(value):
    """As JSON can say it. Raises NO_JSON: the value is JSON by its mark alone."""
    if value.type == BYTES:
        return {'$bytes': base64.b64encode(value.content).decode()}
    return json.loads(value.content, parse_float=finite, parse_constant=no_json)


def any_value_of(value):
    """The same among others, of which one must not hide the rest: bytes, if it is no JSON."""
    try:
        return value_of(value)
    except NO_JSON:
        return {'$bytes': base64.b64encode(value.content).decode()}


def number(value):
    """A double as JavaScript writes it, but for very small ones."""
    return int(value) if abs(value) < 1e21 and value == int(value) else value


def finite(text):
    value = float(text)
    if math.isinf(value):
        raise Usage(f'a number must be at most 1.8e308, got {shortened(text)}')
    return number(value)


def exact(text):
    """The numbers of a store are doubles."""
    value = finite(text)
    if int(value) == int(text):
        return value
    nearest = shortened(str(int(value)))
    raise Usage(f'{shortened(text)} has more digits than a number keeps (the nearest is {nearest}): put it in quotes')


def shortened(text):
    return f'{text[:40]}...' if len(text) > 40 else text


def exported(value):
    """A JSON object that looks like bytes gets one $ more."""
    try:
        shown = value_of(value)
    except NO_JSON:
        return any_value_of(value)
    key = next(iter(shown)) if value.type != BYTES and isinstance(shown, dict) and len(shown) == 1 else ''
    return {f'${key}': shown[key]} if re.fullmatch(r'\$+bytes', key) else shown


def no_json(name):
    """NaN and Infinity, which Python takes for JSON."""
    raise ValueError(name)


def as_json(value):
    return escaped(json.dumps(value, separators=(',', ':'), ensure_ascii=False))


def escaped(text):
    """JSON as UTF-8 can say it: half of a surrogate pair as its escape."""
    return text.encode(errors='backslashreplace').decode()


def show_json(facts):
    print(as_json(facts), flush=True)


def list_services(options):
    """Prints the names of all services."""
    with open_registry(options) as registry:
        for name in registry.list_services():
            show(options, {'name': name}, name)


def info(options):
    """Prints the state of the region in this process, and who serves it."""
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


def open_registry(options, patience=None):
    return Registry(options.registry, options.registry_owner, patience or options.patience, options.chosen_by)


def open_service(options, patience=None):
    """Waits for it, with --wait."""
    seconds = None if patience is not None else options.wait
    if seconds is None:
        with open_registry(options, patience) as registry:
            return registry.get_service(options.name)
    limit = Patience(None if seconds == math.inf else seconds)
    what = 'the registry'
    while True:
        try:
            with open_registry(options, Patience(limit.left)) as registry:
                what = options.name
                service = registry.get_service(options.name)
            options.patience.restart()
            service.patience.__dict__.update(options.patience.__dict__)
            return service
        except (RegistryUnavailable, ServiceNotFound):
            limit.check(what, 'come')
            time.sleep(RETRY_SECONDS)


def open_store(options):
    with open_registry(options) as registry:
        return registry.get_store(options.store)


def wait_until(attempt):
    while True:
        Patience(RETRY_SECONDS, STDOUT).pause()
        try:
            return attempt()
        except (RegistryUnavailable, ServiceNotFound, DeadObject):
            pass


def tell(line):
    """People, on stderr: one line, that no terminal obeys. Where nobody can be told, the exit code does."""
    try:
        print(re.sub(r'[\x00-\x1f\x7f-\x9f]+', ' ', line).strip(), file=sys.stderr, flush=True)
    except OSError:
        pass


def show(options, facts, text):
    print(json.dumps(facts, separators=(',', ':')) if options.json else text, flush=True)


def quote(text):
    return json.dumps(text, ensure_ascii=False)


def int32(text):
    if re.fullmatch(r'[+-]?[0-9]+', text) and INT_MIN <= int(text) <= INT_MAX:
        return int(text)
    raise Usage(f'the value must be a decimal integer from {INT_MIN} to {INT_MAX}, got {quote(shortened(text))}')


def seconds_of(option, text, most=MAX_SECONDS, limits=''):
    seconds = float(text) if re.fullmatch(r'\d+(\.\d+)?', text) else 0
    if 0 < seconds <= most:
        return seconds
    raise Usage(f'{option} must be a number of seconds above 0{limits}; got {quote(text)}')


def count_of(text):
    if re.fullmatch(r'\d+', text) and int(text) > 0:
        return int(text)
    raise Usage(f'--count must be a whole number above 0; got {quote(text)}')


def version_of(text):
    if re.fullmatch(r'\d{1,19}', text) and int(text) < 2**63:
        return int(text)
    raise Usage(f'--if-version must be a version, or 0 for no value; got {quote(text)}')


def number_of(text):
    number = r'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?'
    if re.fullmatch(number, text) and math.isfinite(float(text)):
        return float(text)
    raise Usage(f'BY must be a number; got {quote(text)}')


def key_of(text):
    if text and fits_in_key(text):
        return text
    raise Usage(f'a key must have 1 to 512 bytes of UTF-8 and no control characters, got {as_json(text)}')


def prefix_of(text):
    if fits_in_key(text):
        return text
    raise Usage(f'prefix must be the beginning of a key, got {as_json(text)}')


def fits_in_key(text):
    return len(text.encode(errors='replace')) <= 512 and not re.search(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff]', text)


def uid_of(text):
    if re.fullmatch(r'\d{1,10}', text) and int(text) < 0xFFFFFFFF:
        return int(text)
    raise Usage(f'--registry-owner must be a uid, a number up to 4294967294; got {quote(text)}')


class Parser(argparse.ArgumentParser):
    def error(self, message):
        unknown = re.match("argument COMMAND: invalid choice: ('[^']*')", message)
        if unknown:
            message = f'unknown command {unknown[1]}'
        elif message.endswith('required: COMMAND'):
            message = 'a command is missing'
        raise Usage(f'{message} (see memclient.py --help)')


def common_options():
    """Taken before and after the command: nothing is set where nothing is said."""
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument('--registry', metavar='PATH', help="the registry's socket (default: $MEMSVC_REGISTRY, else the user's or the machine's)")
    common.add_argument('--system', action='store_true', help=f"use the machine's registry, {SYSTEM_PATH}")
    common.add_argument('--user', action='store_true', help="use the user's registry, $XDG_RUNTIME_DIR/memsvc/registry.sock")
    common.add_argument('--registry-owner', metavar='UID', help='another user who may run the registry, besides root and you')
    common.add_argument('--timeout', metavar='SECONDS', help='how long to wait for all answers together (default: 5)')
    common.add_argument('--json', action='store_true', help='print one JSON object per line, also for errors')
    return common


def parse(arguments):
    common = common_options()
    description = 'Reads, writes and watches a shared value, and those of stores.'
    parser = Parser(prog='memclient.py', description=description, parents=[common], allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    for run, name, operands in [
        (read, 'read', ['name', 'wait']),
        (write, 'write', ['value', 'name']),
        (watch, 'watch', ['name', 'wait', 'count', 'until']),
        (list_services, 'list', []),
        (info, 'info', ['name']),
    ]:
        command = commands.add_parser(name, parents=[common], help=run.__doc__, allow_abbrev=False)
        command.set_defaults(run=run)
        if 'value' in operands:
            command.add_argument('value', metavar='VALUE')
        if 'name' in operands:
            command.add_argument('name', nargs='?', default=DEFAULT_NAME, metavar='NAME')
        if 'wait' in operands:
            command.add_argument('--wait', metavar='SECONDS', help='wait until there is a value, at most this long')
        if 'count' in operands:
            command.add_argument('--count', metavar='N', help='stop after this many lines')
        if 'until' in operands:
            command.add_argument('--until', metavar='VALUE', help='stop when the value is this one')
    add_store_commands(commands, common)
    return checked(parser.parse_args(with_wait_joined(arguments)))


def with_wait_joined(arguments):
    """The value of --wait may be missing, and is taken for one only where it is a number: a name may follow."""
    joined = []
    for i, word in enumerate(arguments):
        if word == '--wait':
            joined.append('--wait=')
        elif i > 0 and arguments[i - 1] == '--wait' and re.fullmatch(r'\d+(\.\d+)?', word):
            joined[-1] = f'--wait={word}'
        else:
            joined.append(word)
    return joined


def checked(options):
    """The options as what they mean, with what is not said."""
    given = vars(options)
    options.json = given.get('json', False)
    text = given.get('timeout')
    limits = f', at most {MAX_SECONDS}'
    options.patience = Patience(DEFAULT_TIMEOUT if text is None else seconds_of('--timeout', text, limits=limits))
    options.registry_owner = uid_of(options.registry_owner) if 'registry_owner' in given else None
    choose_registry(options, given)
    if 'value' in given and options.run is write:
        options.value = int32(options.value)
    wait = given.get('wait')
    options.wait = math.inf if wait == '' else None if wait is None else seconds_of('--wait', wait)
    options.count = math.inf if given.get('count') is None else count_of(options.count)
    options.until = None if given.get('until') is None else int32(options.until)
    options.ttl = Store.NO_TTL if given.get('ttl') is None else 1000 * seconds_of('--ttl', options.ttl, math.inf)
    if 'if_version' in given:
        options.if_version = Store.ANY_VERSION if options.if_version is None else version_of(options.if_version)
    if 'key' in given:
        options.key = key_of(options.key)
    if options.run is changes:
        options.prefix = prefix_of(options.prefix)
    if 'by' in given:
        options.by = number_of(options.by)
    return options


def choose_registry(options, given):
    if ('registry' in given) + given.get('system', False) + given.get('user', False) > 1:
        raise Usage('--registry, --system and --user exclude each other')
    if 'registry' in given:
        options.chosen_by = 'path'
    elif given.get('system'):
        options.chosen_by, options.registry = 'system', SYSTEM_PATH
    elif given.get('user'):
        options.chosen_by, options.registry = 'user', user_path()
    else:
        options.chosen_by, options.registry = 'default', registry_path()
    if options.registry is None:
        raise Usage("the user's registry is in XDG_RUNTIME_DIR, which is not set")
    size = len(os.fsencode(options.registry))
    if not 0 < size <= MAX_PATH_BYTES:
        limits = f"the registry's path must have 1 to {MAX_PATH_BYTES} bytes, this one has {size}"
        raise Usage(f'{limits}: {quote(options.registry)}')


def add_store_commands(commands, common):
    for run, operands in [
        (get, ['key']),
        (put, ['key', 'text', 'if_version', 'ttl']),
        (delete, ['key', 'if_version']),
        (increment, ['key', 'by', 'ttl']),
        (keys, ['prefix']),
        (changes, ['prefix', 'count']),
        (export, ['prefix']),
    ]:
        command = commands.add_parser(run.__name__, parents=[common], help=run.__doc__, allow_abbrev=False)
        command.set_defaults(run=run)
        command.add_argument('--store', metavar='NAME', default=DEFAULT_STORE_NAME, help='the name of the store')
        if 'key' in operands:
            command.add_argument('key', metavar='KEY')
        if 'text' in operands:
            command.add_argument('value', metavar='VALUE')
        if 'by' in operands:
            command.add_argument('by', nargs='?', default='1', metavar='BY')
        if 'prefix' in operands:
            command.add_argument('prefix', nargs='?', default='', metavar='PREFIX')
        if 'if_version' in operands:
            command.add_argument('--if-version', metavar='N', help='do it only if the key has this version; 0 means: only if it has no value')
        if 'ttl' in operands:
            command.add_argument('--ttl', metavar='SECONDS', help='delete the key after this time')
        if 'count' in operands:
            command.add_argument('--count', metavar='N', help='stop after this many lines')


EXIT_BY_CODE = {
    'ERR_INVALID_ARG_VALUE': EXIT_USAGE,
    'ERR_REGISTRY_UNAVAILABLE': EXIT_NOT_FOUND,
    'ERR_SERVICE_NOT_FOUND': EXIT_NOT_FOUND,
    'ERR_NO_SUCH_ELEMENT': EXIT_NOT_FOUND,
    'ERR_SECURITY': EXIT_NOT_PERMITTED,
    'ERR_LIMIT': EXIT_TRY_AGAIN,
    'ERR_TIMEOUT': EXIT_TRY_AGAIN,
    'ERR_CONFLICT': EXIT_CONFLICT,
}


def exit_code(error):
    if isinstance(error, PermissionError):
        return EXIT_NOT_PERMITTED
    return EXIT_BY_CODE.get(getattr(error, 'memsvc_code', None), EXIT_FAILED)


def error_object(error):
    carried = {name: value for name, value in vars(error).items() if name in ('key', 'version')}
    code = getattr(error, 'memsvc_code', None)
    return as_json({**carried, 'code': code, 'message': str(error), 'exitCode': exit_code(error)})


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = sys.argv[1:]
    try:
        options = parse(arguments)
        options.run(options)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the last flush has somewhere to go
        return 0
    except (Usage, MemsvcError, OSError) as error:
        before_end = arguments[: arguments.index('--')] if '--' in arguments else arguments
        tell(error_object(error) if '--json' in before_end else f'memclient: {error}')
        return exit_code(error)
    return 0


if __name__ == '__main__':
    sys.exit(main())
