"""Whether nobody but trusted users can change where a path leads (protocol.md, section 1)."""

import os
import stat

from .errors import Untrusted

MAX_LINKS = 40


def check_way(path, trusted):
    """Walks the path as the kernel does, and looks at each folder and link on it."""
    names = os.path.join(os.getcwd(), path).split('/')[::-1]
    folder, links = '/', 0
    _check(folder, os.lstat(folder), False, trusted)
    while names:
        name = names.pop()
        if name in ('', '.'):
            continue
        if name == '..':
            folder = os.path.dirname(folder)
            continue
        here = os.path.join(folder, name)
        try:
            status = os.lstat(here)
        except OSError:
            return  # connect() says the same
        _check(here, status, bool(os.lstat(folder).st_mode & stat.S_ISVTX), trusted)
        if not stat.S_ISLNK(status.st_mode):
            folder = here
            continue
        links += 1
        if links > MAX_LINKS:
            return
        target = os.readlink(here)
        if target.startswith('/'):
            folder = '/'
        names.extend(target.split('/')[::-1])


def _check(path, status, is_in_sticky, trusted):
    mode = status.st_mode
    counts = stat.S_ISDIR(mode) or stat.S_ISLNK(mode) or is_in_sticky
    if counts and status.st_uid not in trusted:
        raise Untrusted(f'{path} belongs to uid {status.st_uid}')
    if stat.S_ISDIR(mode) and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise Untrusted(f'{path} can be written to by everybody')
