"""Write down every address outside loopback that a Python process looks up or connects to.

Python runs this file at its start when its folder is on PYTHONPATH, child processes included; an audit hook cannot be
taken off again. The addresses go, a line each, into the file named by RECORD_OUTSIDE. With RECORD_LOGS every logger
writes everything to the process's output.
"""

import logging
import os
import sys

TO_ADDRESS = ("socket.connect", "socket.sendto", "socket.sendmsg")
BY_NAME = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


def host_of(event, arguments):
    if event in TO_ADDRESS:
        address = arguments[1]
        # A socket of the file system has a path, and a connected one sends without an address.
        return address[0] if isinstance(address, tuple) else None
    host = arguments[0]
    return host.decode() if isinstance(host, bytes) else host


def outside(host):
    return host is not None and host not in ("", "localhost", "::1") and not host.startswith("127.")


def record(event, arguments):
    if event in TO_ADDRESS or event in BY_NAME:
        host = host_of(event, arguments)
        if outside(host):
            with open(os.environ["RECORD_OUTSIDE"], "a", encoding="utf-8") as file:
                file.write(f"{event} {host}\n")


sys.addaudithook(record)

if "RECORD_LOGS" in os.environ:
    logging.basicConfig(level=logging.DEBUG)
