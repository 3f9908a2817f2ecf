"""Connects and closes as fast as it can; with "burn", only burns processor time."""

import socket
import sys

path, what = sys.argv[1:]
while what == 'burn':
    pass
while True:
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    end.setblocking(False)
    try:
        end.connect(path)
        if what == 'hello':
            end.send(bytes([1, 1] + [0] * 10 + [1, 0, 0, 0] + [0] * 16))
    except OSError:
        pass
    end.close()
