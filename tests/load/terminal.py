# SPDX-License-Identifier: MIT
"""Runs a command in a terminal of 160 columns, and prints what it says."""
import fcntl
import os
import pty
import struct
import sys
import termios

child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 160, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    try:
        said = os.read(terminal, 65536)
    except OSError:  # EIO: the command has ended
        break
    if not said:
        break
    os.write(1, said)
os.waitpid(child, 0)
