# SPDX-License-Identifier: MIT
"""Sends back what it gets, round by round, until so many connections have ended; then it says how
many bytes each has sent. Argument: how many."""
import select
import socket
import sys

listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
peers, counts = {listener: 0}, []
while len(counts) < int(sys.argv[1]):
    for peer in select.select(peers, [], [])[0]:
        if peer is listener:
            peers[peer.accept()[0]] = 0
            continue
        request = peer.recv(65536)
        if request:
            peer.sendall(request)
            peers[peer] += len(request)
        else:
            counts.append(peers.pop(peer))
            peer.close()
print(*counts, sep="\n")
