# SPDX-License-Identifier: MIT
"""An HTTP server that answers as the path says, mostly wrongly."""
import socket
import struct
import threading
import time

HEAD = b"HTTP/1.1 200 OK\r\n"
REPLIES = {
    "chunked": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n2\r\n, \r\n0\r\nA: b\r\n\r\n",
    "dribble": HEAD + b"Content-Length: 3\r\n\r\nabc",
    "to-end": HEAD + b"Connection: close\r\n\r\nall that comes",
    "rubbish": b"HTP/1.1 what\r\n\r\n",
    "twice": 2 * (HEAD + b"Content-Length: 1\r\n\r\nx"),
    "short": HEAD + b"Content-Length: 10\r\n\r\nshort",
    "reset": b"",
    "never": b"",
    "500": b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
}
CLOSES = ("to-end", "short", "reset")


def answer(peer, name):
    reply = REPLIES.get(name, b"wrong" * 20)
    step = 1 if name == "dribble" else len(reply) or 1
    for begin in range(0, len(reply), step):
        peer.sendall(reply[begin : begin + step])
        if step == 1:
            time.sleep(0.0005)
    if name == "reset":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return name not in CLOSES


def serve(peer):
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with peer:
        try:
            while request := peer.recv(65536):
                words = request.split(b" ")
                if not answer(peer, words[1][1:].decode() if len(words) > 1 else ""):
                    return
        except OSError:
            pass


listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
