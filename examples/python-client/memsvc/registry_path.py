"""Where the registry is, the way to it, and why nobody is there (protocol.md, section 1)."""

import errno
import os
import socket
import stat
import struct
import time

from .errors import RegistryUnavailable, Untrusted
from .patience import ENDLESS
from .way import check_way

SYSTEM_PATH = '/run/memsvc/registry.sock'
RETRY_SECONDS = 0.005
KINDS = [
    (stat.S_ISDIR, 'a folder'),
    (stat.S_ISREG, 'a file'),
    (stat.S_ISFIFO, 'a pipe'),
    (stat.S_ISCHR, 'a device'),
    (stat.S_ISBLK, 'a device'),
]


def registry_path():
    """Where it is, unless somebody says otherwise."""
    return os.environ.get('MEMSVC_REGISTRY') or user_path() or SYSTEM_PATH


def user_path():
    """The user's; None without XDG_RUNTIME_DIR."""
    runtime = os.environ.get('XDG_RUNTIME_DIR', '')
    return f'{runtime}/memsvc/registry.sock' if runtime.startswith('/') else None


def connect(path, owner, by, patience=ENDLESS):
    """A connected socket, whose other end is trusted."""
    trusted = {0, os.geteuid(), owner}
    check_way(path, trusted)
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        _connect(end, path, patience)
        pid, uid, _gid = struct.unpack('3i', end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if uid & 0xFFFFFFFF not in trusted:
            raise Untrusted(f'the registry at {path} is run by uid {uid & 0xFFFFFFFF} (pid {pid})')
        return end
    except OSError as error:
        end.close()
        raise _why(path, by, error) from error
    except BaseException:
        end.close()
        raise


def _connect(end, path, patience):
    """Again while too many others are at its door."""
    end.setblocking(False)
    while True:
        try:
            return end.connect(path)
        except BlockingIOError:
            patience.check('the registry')
            time.sleep(RETRY_SECONDS)


def _why(path, by, error):
    """What connect(2) said, in words, and what helps."""
    code = error.errno
    if code in (errno.EACCES, errno.EPERM):
        return Untrusted(f'the registry at {path} is closed to this user')
    if code in (errno.ECONNREFUSED, errno.ENOTSOCK):
        return RegistryUnavailable(_no_socket(path) or f'no registry at {path}{_help(path, by)}')
    if code == errno.ENOENT:
        hint = ": that is an address; give the path without 'unix:'" if path.startswith('unix:') else _help(path, by)
        return RegistryUnavailable(f'no registry at {path}{hint}')
    if code == errno.EPROTOTYPE:
        return RegistryUnavailable(f'{path} is the socket of another program, not of a registry: it does not take packets')
    reasons = {
        errno.ENOTDIR: 'a part of that path is not a folder',
        errno.ELOOP: 'its symbolic links form a circle',
        errno.ENAMETOOLONG: 'a name in that path is too long',
    }
    if code in reasons:
        return RegistryUnavailable(f'no registry can be at {path}: {reasons[code]}')
    return error


def _no_socket(path):
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return None
    kinds = [kind for is_one, kind in KINDS if is_one(mode)]
    return f'{path} is {kinds[0]}, not the socket of a registry' if kinds else None


def _help(path, by):
    same = {'path': f' and --registry {path}', 'system': ' and --system', 'user': ' and --user'}.get(by, '')
    hints = [f"start one with 'memsvc start'{same}"] if _may_be_hosted(path) else []
    how = 'add' if by == 'default' else 'instead say'
    for scope, whose, other in [('user', "the user's", user_path()), ('system', "the machine's", SYSTEM_PATH)]:
        if other not in (None, path) and _is_served(other):
            hints.append(f'{whose} registry is running: {how} --{scope}')
    return f': {"; ".join(hints)}' if hints else ', and this user may not start one there'


def _may_be_hosted(path):
    folder = os.path.dirname(path)
    while not os.path.lexists(folder) and folder not in ('', '/'):
        folder = os.path.dirname(folder)
    return os.access(folder or '.', os.W_OK | os.X_OK)


def _is_served(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
            return True
        except BlockingIOError:
            return True
        except OSError:
            return False
