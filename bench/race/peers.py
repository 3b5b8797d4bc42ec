# SPDX-License-Identifier: MIT
"""The servers (and clients) that are compared: what each is, how it is started, asked, stopped."""
import os
import select
import shutil
import socket
import subprocess
import time

SERVER_CORE, LOAD_CORE = 0, 1
START_LIMIT_S = 30


class Failed(Exception):
    """A peer did not do what it was asked; the text says which and why."""


class Wanted:
    """What a scenario wants of a peer."""

    def __init__(self, build, packet="4", size=64, schedulers=1, work="/tmp", port=0):
        self.build, self.packet, self.size = build, packet, size
        self.schedulers, self.work, self.port = schedulers, work, port

    def program(self, name):
        return f"{self.build}/bench/{name}"


def serve(w, service, options):
    command = [f"{w.build}/weir", "serve", service, "--listen", "127.0.0.1:0",
               "--schedulers", str(w.schedulers)]
    return command + (["--options", options] if options else [])


def weir(w):
    length = {"line": ",{buffer,65536}"}.get(w.packet, "")
    return serve(w, "echo", f"[{{packet,{w.packet}}},{{nodelay,true}},binary{length}]")


def weir_raw(w):
    return serve(w, "echo", "[{packet,raw},{nodelay,true},{buffer,65536},binary]")


def uring(w):
    buffers = ["--buffers", "32", "--buffer-bytes", "65536"] if w.size > 65536 else []
    return [w.program("uring_echo")] + buffers


def asio(w):
    return [w.program("asio_echo"), "262144" if w.size >= 65536 else "8192"]


def erlang(w, module, *arguments):
    # Without busy waiting: it would be counted as CPU of the requests.
    return ["erl", "+S", f"{w.schedulers}:{w.schedulers}", "+sbwt", "none", "+K", "true", "+Q",
            "65536", "-noinput", "-env", "ERL_CRASH_DUMP_SECONDS", "0", "-pa", f"{w.build}/bench",
            "-run", module, "main", *arguments]


def gen_tcp(w):
    return erlang(w, "gen_tcp_echo", w.packet, "262144" if w.size >= 65536 else "8192")


def written(w, name, text):
    path = f"{w.work}/{name}"
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


def nginx(w):
    path = written(w, "nginx.conf", f"""
daemon off; master_process off; pid {w.work}/nginx.pid; error_log {w.work}/nginx.log crit;
worker_rlimit_nofile 20000;
events {{ worker_connections 16384; multi_accept on; }}
http {{
    access_log off; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 1h;
    client_body_temp_path {w.work}; proxy_temp_path {w.work}; fastcgi_temp_path {w.work};
    uwsgi_temp_path {w.work}; scgi_temp_path {w.work};
    server {{
        listen 127.0.0.1:{w.port} backlog=4096;
        default_type text/plain;
        location / {{ return 200 "hello\\n"; }}
    }}
}}
""")
    return ["nginx", "-e", f"{w.work}/nginx.log", "-c", path]


def haproxy(w):
    path = written(w, "haproxy.cfg", f"""
global
    nbthread {w.schedulers}
    maxconn 9000
    tune.maxpollevents 512
defaults
    mode http
    timeout client 1h
    timeout http-request 1h
    timeout http-keep-alive 1h
frontend hello
    bind 127.0.0.1:{w.port} backlog 4096
    http-request return status 200 content-type text/plain string "hello\\n"
""")
    return ["haproxy", "-db", "-f", path]


def redis(w):
    return ["redis-server", "--port", str(w.port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", w.work, "--maxclients", "16000"]


class Peer:
    def __init__(self, name, needs, command, by_port=False, what=""):
        self.name, self.needs, self.command = name, needs, command
        self.by_port, self.what = by_port, what

    def is_here(self, build):
        if self.needs.startswith("bench/") or self.needs == "weir":
            return os.path.exists(f"{build}/{self.needs}")
        return shutil.which(self.needs, path=os.environ["PATH"] + ":/usr/sbin") is not None


def own(name, what):
    return Peer(name, f"bench/{name}_echo", lambda w: [w.program(f"{name}_echo")], what=what)


ALL = {peer.name: peer for peer in [
    Peer("weir", "weir", weir, what="`weir serve echo`, in the framing of the load"),
    Peer("weir_raw", "weir", weir_raw, what="the same without framing"),
    own("epoll", "edge-triggered epoll, each socket registered once"),
    Peer("uring", "bench/uring_echo", uring,
         what="liburing by hand: multishot accept and receive, provided buffers"),
    own("libuv", "libuv: reads into one buffer, written back at once"),
    own("libevent", "libevent's events, edge-triggered"),
    Peer("asio", "bench/asio_echo", asio, what="asio: a session per connection"),
    Peer("gen_tcp", "erl", gen_tcp, what="Erlang: a process per connection, `{active,100}`"),
    Peer("weir_handler", "bench/process_echo", lambda w: [w.program("process_echo"), "handler"],
         what="weir, `{packet,4}`: a handler (only by --peers)"),
    Peer("weir_process", "bench/process_echo", lambda w: [w.program("process_echo"), "process"],
         what="weir, `{packet,4}`: a process for each connection (only by --peers)"),
    Peer("weir_http", "weir", lambda w: serve(w, "http", ""), what="`weir serve http`"),
    Peer("nginx", "nginx", nginx, True, "nginx: one process, `return 200`"),
    Peer("haproxy", "haproxy", haproxy, True, "HAProxy: `http-request return`"),
    Peer("weir_ping", "bench/weir_ping", lambda w: [w.program("weir_ping")],
         what="weir, lines: answers PING as redis does"),
    Peer("redis", "redis-server", redis, True, "redis-server"),
    Peer("weir_udp", "weir", lambda w: serve(w, "udp-echo", ""), what="`weir serve udp-echo`"),
    own("recvmmsg", "recvmmsg and sendmmsg, 64 a call"),
    own("uring_udp", "liburing by hand, UDP: multishot receive"),
    Peer("gen_udp", "erl", lambda w: erlang(w, "gen_udp_echo"),
         what="Erlang: one process, `{active,100}`"),
    Peer("weir_load", "weir", None, what="`weir load`, as a client"),
    Peer("wrk", "wrk", None, what="wrk, as a client"),
    Peer("h2load", "h2load", None, what="h2load --h1, as a client"),
]}

SETS = {
    "stream": ["weir", "weir_raw", "epoll", "uring", "libuv", "libevent", "asio", "gen_tcp"],
    # What uring's slow readers hold, nobody else gets: it has no bound.
    "bounded": ["weir", "weir_raw", "epoll", "libuv", "libevent", "asio", "gen_tcp"],
    "stream-2": ["weir", "weir_raw", "gen_tcp"],
    "http": ["weir_http", "nginx", "haproxy"],
    "http-2": ["weir_http", "haproxy"],
    "redis": ["weir_ping", "redis"],
    "udp": ["weir_udp", "recvmmsg", "uring_udp", "gen_udp"],
    "start": ["weir", "epoll", "uring", "libuv", "libevent", "asio", "gen_tcp", "nginx",
              "haproxy", "redis"],
    "clients": ["weir_load", "wrk", "h2load"],
}


BY_NAME = ["weir_handler", "weir_process"]  # beside "stream", when --peers asks for them


def peers_of(row_set, only):
    """Names of a set's peers, or of those that are asked for."""
    names = SETS[row_set] + (BY_NAME if only and row_set == "stream" else [])
    return [name for name in names if not only or name in only]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def on_cores(cores, command):
    return ["taskset", "-c", cores, *command]


class Server:
    """One that runs, until the end of the `with`."""

    def __init__(self, peer, wanted):
        self.peer, self.said = peer, b""
        wanted.port = free_port() if peer.by_port else 0
        cores = "0,1" if wanted.schedulers > 1 else str(SERVER_CORE)
        self.log = open(f"{wanted.work}/{peer.name}.log", "w+b")
        self.process = subprocess.Popen(
            on_cores(cores, peer.command(wanted)), stdin=subprocess.DEVNULL,
            stdout=self.log if peer.by_port else subprocess.PIPE, stderr=self.log)
        self.pid = self.process.pid
        try:
            self.address = self.await_port(wanted.port) if peer.by_port else self.await_line()
        except Failed:
            self.stop()
            raise

    def fail(self, what):
        self.log.seek(0)
        said = self.said + self.log.read()
        raise Failed(f"{self.peer.name} {what}: {said.decode(errors='replace').strip()[-300:]}")

    def await_line(self):
        end, output = time.monotonic() + START_LIMIT_S, self.process.stdout
        while b"listening on " not in self.said or not self.said.endswith(b"\n"):
            if not select.select([output], [], [], max(0, end - time.monotonic()))[0]:
                self.fail("does not say that it listens")
            some = os.read(output.fileno(), 4096)
            if not some:
                self.fail("ended")
            self.said += some
        return self.said.split(b"listening on ")[1].split()[0].decode()

    def await_port(self, port):
        end = time.monotonic() + START_LIMIT_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return f"127.0.0.1:{port}"
            except OSError:
                time.sleep(0.005)
        return self.fail("does not listen")

    def cpu_ns(self):
        # The clock of another process, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime_ns((~self.pid << 3) | 2)

    def anonymous_bytes(self):
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if
                        line.startswith("Anonymous:"))

    def stop(self):
        """Whether it was still there."""
        was_there = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        return was_there

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        was_there = self.stop()
        if not was_there and kind is None:
            self.fail("died")
        self.log.close()
