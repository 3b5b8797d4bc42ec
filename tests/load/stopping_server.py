# SPDX-License-Identifier: MIT
"""Sends back what it gets, but does nothing at all for the first 100 ms of each second."""
import select
import socket
import time

listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
peers = [listener]
next_stop = time.monotonic() + 0.5
while True:
    if time.monotonic() >= next_stop:
        time.sleep(max(0, next_stop + 0.1 - time.monotonic()))
        next_stop += 1
    ready, _, _ = select.select(peers, [], [], max(0, next_stop - time.monotonic()))
    if time.monotonic() >= next_stop:
        continue
    for peer in ready:
        if peer is listener:
            accepted, _ = peer.accept()
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peers.append(accepted)
            continue
        request = peer.recv(65536)
        if request:
            peer.sendall(request)
        else:
            peers.remove(peer)
            peer.close()
