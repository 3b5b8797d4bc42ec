# SPDX-License-Identifier: MIT
"""A UDP server that answers as the size of a datagram says, mostly wrongly; else it sends it back."""
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
print("listening on 127.0.0.1:%d" % server.getsockname()[1], flush=True)
count, held = 0, None
while True:
    datagram, peer = server.recvfrom(65536)
    count += 1
    size = len(datagram)
    if size == 60 and count % 5 == 0:  # lost
        continue
    if size == 61:  # in pairs, the second first
        if held:
            server.sendto(datagram, peer)
            server.sendto(held, peer)
        held = None if held else datagram
        continue
    if size == 62:  # twice
        server.sendto(datagram, peer)
    if size == 63:  # another
        datagram = b"wrong" + datagram[5:]
    if size == 64 and peer[0] != "127.0.0.2":  # only to one peer
        continue
    server.sendto(datagram, peer)
