"""A D-Bus service in Python, by libdbus: reads a file that comes as a descriptor, and answers another one."""

import os

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = "org.example.Shouter"


class Shouter(dbus.service.Object):
    @dbus.service.method(NAME, in_signature="h", out_signature="sh")
    def Shout(self, given):
        fd = given.take()
        text = os.pread(fd, 4096, 0).decode()
        os.close(fd)
        answer = os.memfd_create("answer")
        os.write(answer, text.upper().encode())
        try:
            return f"{len(text)} letters", dbus.types.UnixFd(answer)  # which has a duplicate of its own
        finally:
            os.close(answer)


DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()
name = dbus.service.BusName(NAME, bus)
shouter = Shouter(bus, "/org/example/Shouter")
print("ready", flush=True)
GLib.MainLoop().run()
