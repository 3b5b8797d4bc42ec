# SPDX-License-Identifier: MIT
"""Sends back what it gets, so many seconds later. Argument: the seconds."""
import socket
import sys
import threading
import time


def serve(peer):
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with peer:
        try:
            while request := peer.recv(65536):
                time.sleep(float(sys.argv[1]))
                peer.sendall(request)
        except OSError:
            pass


listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
