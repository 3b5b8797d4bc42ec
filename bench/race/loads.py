# SPDX-License-Identifier: MIT
"""One run: a load on a server, and the figures that came of it."""
import json
import os
import re
import resource
import shutil
import socket
import struct
import subprocess
import time

from race import peers
from race.peers import Failed, Server, Wanted, on_cores

LIMIT_S, PATIENCE_MS = 90, 10000


class Timing:
    """How long the parts of a run are. No round begins that would not end within the limit. In
    smoke runs `small` divides numbers of connections, and loads that can count do so: they wait
    for a machine that is busy."""

    def __init__(self, rounds, measured_ms, warm_up_ms, limit_s, small=1, start_runs=10):
        self.rounds, self.measured_ms, self.warm_up_ms = rounds, measured_ms, warm_up_ms
        self.limit_s, self.small, self.start_runs = limit_s, small, start_runs


FULL = Timing(5, 1000, 200, 1740)
QUICK = Timing(3, 300, 100, 570)
CHECK = Timing(5, 300, 100, 170)
SMOKE = Timing(1, 50, 10, 60, small=100, start_runs=2)


def run_client(command, cores=str(peers.LOAD_CORE), ok=(0,)):
    try:
        done = subprocess.run(on_cores(cores, command), capture_output=True, text=True,
                              timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{command[0]} did not end in {LIMIT_S} s") from late
    if done.returncode not in ok:
        raise Failed(f"{os.path.basename(command[0])}: {done.stderr.strip()[-300:]}")
    return done.stdout


def machine_ticks():
    """Busy (with steal) and stolen clock ticks of all cores together."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return user + nice + system + irq + softirq + steal, steal


def client_cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Meter:
    """Server CPU, and how many cores others used, over a part of a run."""

    def __init__(self, server):
        self.server = server
        self.begin = self.sample()

    def sample(self):
        return time.monotonic(), self.server.cpu_ns() / 1e9, client_cpu_s(), machine_ticks()

    def cpu_s(self):
        return self.server.cpu_ns() / 1e9 - self.begin[1]

    def others(self):
        now = self.sample()
        elapsed = max(now[0] - self.begin[0], 1e-3)
        busy_s = (now[3][0] - self.begin[3][0]) / os.sysconf("SC_CLK_TCK")
        ours_s = now[1] - self.begin[1] + now[2] - self.begin[2]
        return round(max(0.0, (busy_s - ours_s) / elapsed), 3)


def split_load(text):
    """"echo --a 1 @2" as the kind, its arguments, and how many schedulers."""
    words = text.split()
    schedulers = int(words.pop()[1:]) if words[-1].startswith("@") else 1
    return words[0], words[1:], schedulers


def value_of(arguments, name, otherwise):
    return arguments[arguments.index(name) + 1] if name in arguments else otherwise


def scaled(arguments, small):
    """The arguments of a smoke run: fewer connections."""
    arguments = list(arguments)
    if small > 1 and "--connections" in arguments:
        at = arguments.index("--connections") + 1
        arguments[at] = str(min(int(arguments[at]), 8))
    return arguments


class Run:
    """What all loads get: the timing, the build, the peer, and what the scenario says."""

    def __init__(self, build, work, timing, load, peer, capacity=None):
        self.build, self.work, self.timing, self.peer = build, work, timing, peer
        self.kind, arguments, self.schedulers = split_load(load)
        self.arguments = scaled(arguments, timing.small)
        self.capacity = capacity
        self.cores = "0,1" if self.schedulers > 1 else str(peers.LOAD_CORE)

    def wanted(self):
        return Wanted(self.build, value_of(self.arguments, "--packet", "4"),
                      int(value_of(self.arguments, "--size", "64")), self.schedulers, self.work)

    def figures(self):
        return KINDS[self.kind](self)

    def server(self):
        return Server(self.peer, self.wanted())


# bench/load: a closed loop, as lean as can be, with frames.

def echo_on(run, server, arguments):
    # So long that each connection has several turns, though the machine is busy with others.
    least_ms = int(value_of(arguments, "--connections", "1")) // 5
    if int(value_of(arguments, "--size", "64")) >= 1 << 20:
        least_ms = 500
    measured_ms = max(run.timing.measured_ms, least_ms)
    packet = [] if "--packet" in arguments else ["--packet", "4"]
    said = json.loads(run_client(
        [f"{run.build}/bench/load", "--connect", server.address, "--server-pid", str(server.pid),
         "--json", "--seconds", "0", "--milliseconds", str(measured_ms), "--warm-up-ms",
         str(run.timing.warm_up_ms), *packet, *arguments], run.cores))
    return {"per_second": said["requests_per_second"], "cpu_us": said["server_cpu_us"],
            "p50_us": said["p50_us"], "p99_us": said["p99_us"], "p999_us": said["p999_us"],
            "busy": said["server_busy"], "others": said["others_busy"]}


def echo(run):
    with run.server() as server:
        return echo_on(run, server, run.arguments)


def churn(run):
    count = max(200, run.timing.measured_ms * 8) if run.timing.small == 1 else 64
    with run.server() as server:
        meter = Meter(server)
        said = json.loads(run_client(
            [f"{run.build}/bench/load", "--connect", server.address, "--packet", "4", "--churn",
             str(count), "--server-pid", str(server.pid), "--json", *run.arguments]))
        return {"per_second": said["connections_per_second"], "cpu_us": said["server_cpu_us"],
                "others": meter.others()}


# `weir load`.

def weir_load_on(run, server, url, arguments):
    """Again and longer when nothing was answered nor failed: a machine that is busy with others."""
    meter, measured_ms, said = Meter(server), run.timing.measured_ms, None
    while not said or (measured_ms < PATIENCE_MS and not sum(said["outcomes"].values())):
        said = weir_load_says(run, server, url, measured_ms, arguments)
        measured_ms *= 4
    answered = said["outcomes"]["ok"]
    failed = sum(said["outcomes"].values()) - answered
    if failed or not answered:
        raise Failed(f"{run.peer.name}: {answered} answered, {failed} failed: {said['outcomes']}")
    used_s = said["server"]["user_s"] + said["server"]["system_s"]
    response = said["response"]
    return {"per_second": said["answered_per_second"], "cpu_us": used_s * 1e6 / answered,
            "p50_us": response["p50_us"], "p99_us": response["p99_us"],
            "p999_us": response["p99_9_us"], "lag_p999_us": said["send_lag"]["p99_9_us"],
            "busy": used_s / said["elapsed_s"], "others": meter.others()}


def weir_load_says(run, server, url, measured_ms, arguments):
    length = ["--count", "100"] if run.timing.small > 1 else ["--duration", f"{measured_ms}ms"]
    return json.loads(run_client(
        [f"{run.build}/weir", "load", url, *length, "--warm-up", f"{run.timing.warm_up_ms}ms",
         "--pid", str(server.pid), "--json", "-", *arguments], run.cores, (0, 3)))


def tcp(run):
    with run.server() as server:
        return weir_load_on(run, server, f"tcp://{server.address}", run.arguments)


def http(run):
    with run.server() as server:
        return weir_load_on(run, server, f"http://{server.address}/",
                            ["--expect-body", "hello\n", *run.arguments])


def rate(run):
    share = run.capacity() * float(run.arguments[0])
    with run.server() as server:
        return weir_load_on(run, server, f"tcp://{server.address}",
                            ["--rate", f"{share:.0f}", "--packet", "4", "--lag-bound", "1s"])


# Others beside the 64 that are measured.

def stop_beside(process, error):
    """Ends a load that is to be there beside another all the time."""
    was_there = process.poll() is None
    process.kill()
    process.communicate()
    if not was_there and not error:
        raise Failed("the load beside the measured one ended before it")


class Idle:
    """bench/load with connections that have exchanged one frame, until the end of the `with`."""

    def __init__(self, run, server, count):
        self.process = subprocess.Popen(
            on_cores(str(peers.LOAD_CORE),
                     [f"{run.build}/bench/load", "--connect", server.address, "--packet", "4",
                      "--idle", str(count)]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.process.stdout.readline() != b"idle %d\n" % count:
            self.__exit__(Failed)
            raise Failed(f"{run.peer.name}: {count} connections could not be opened")

    def __enter__(self):
        return self

    def __exit__(self, kind, *ignored):
        stop_beside(self.process, kind)


def among_idle(run):
    count = int(run.arguments[0]) // run.timing.small
    with run.server() as server, Idle(run, server, count):
        return echo_on(run, server, ["--connections", "64"])


class Flooder:
    """One connection that sends 256 KiB before it takes the answers, again and again."""

    def __init__(self, run, server):
        self.process = subprocess.Popen(
            on_cores(str(peers.LOAD_CORE),
                     [f"{run.build}/bench/load", "--connect", server.address, "--packet", "4",
                      "--size", "1024", "--pipeline", "256", "--seconds", "3600"]),
            stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, kind, *ignored):
        stop_beside(self.process, kind)


def among_flood(run):
    with run.server() as server, Flooder(run, server):
        figures = weir_load_on(run, server, f"tcp://{server.address}", [
            "--rate", "10000", "--connections", "64", "--packet", "4", "--lag-bound", "1s"])
        del figures["cpu_us"]  # it is mostly the flooder's
        return figures


FRAME = struct.pack(">I", 60000) + bytes(60000)


def never_read(address, count):
    """Connections that send until the server takes no more, and read nothing."""
    host, port = address.rsplit(":", 1)
    connections = []
    for _ in range(count):
        connection = socket.create_connection((host, int(port)), 10)
        connection.settimeout(0.02)
        connections.append(connection)
        try:
            for _ in range(1024):
                connection.sendall(FRAME)
        except OSError:
            pass
    return connections


def among_slow(run):
    with run.server() as server:
        slow = never_read(server.address, max(2, int(run.arguments[0]) // run.timing.small))
        figures = echo_on(run, server, ["--connections", "64"])
        figures["held_bytes"] = server.anonymous_bytes()
        for connection in slow:
            connection.close()
        return figures


def idle(run):
    some, count = 1000 // run.timing.small, int(run.arguments[0]) // run.timing.small
    with run.server() as server:
        echo_on(run, server, ["--connections", "64"])
        with Idle(run, server, some):
            few = server.anonymous_bytes()
            with Idle(run, server, count - some):
                return {"bytes": (server.anonymous_bytes() - few) / (count - some)}


# The rest have loads of their own.

def udp(run):
    with run.server() as server:
        said = run_client([f"{run.build}/bench/udp_load", "--port", server.address.split(":")[1],
                           "--server", str(server.pid), "--ms", str(run.timing.measured_ms),
                           *run.arguments])
        ns, per_second, lost = map(float, re.findall(r"[0-9.]+", said)[:3])
        if per_second == 0:
            raise Failed(f"{run.peer.name}: nothing came back")
        return {"per_second": per_second, "cpu_us": ns / 1e3, "lost": lost}


def ping(run):
    """redis-benchmark counts requests, so that a short run says how many a longer one needs."""
    with run.server() as server:
        port = server.address.split(":")[1]
        rates, count = {}, 5000
        for _ in range(2):
            meter = Meter(server)
            lines = run_client(["redis-benchmark", "-p", port, "-t", "ping_inline", "-n",
                                str(count), "--csv", *run.arguments]).splitlines()
            rates = dict(zip(lines[0].strip('"').split('","'), lines[-1].strip('"').split('","')))
            cpu_s, others, measured = meter.cpu_s(), meter.others(), count
            count = max(1000, int(float(rates["rps"]) * run.timing.measured_ms / 1000))
        return {"per_second": float(rates["rps"]), "cpu_us": cpu_s * 1e6 / measured,
                "p50_us": float(rates["p50_latency_ms"]) * 1e3,
                "p99_us": float(rates["p99_latency_ms"]) * 1e3, "others": others}


def start(run):
    """hyperfine times bench/listening, which ends as soon as the server is there."""
    if not shutil.which("hyperfine"):
        raise Failed("hyperfine is not here")
    wanted = run.wanted()
    wanted.port = peers.free_port() if run.peer.by_port else 0
    port = ["--port", str(wanted.port)] if run.peer.by_port else []
    command = [f"{run.build}/bench/listening", *port, *run.peer.command(wanted)]
    path = f"{run.work}/start.json"
    quoted = " ".join("'" + word + "'" for word in command)
    run_client(["hyperfine", "-N", "--warmup", "1", "--runs", str(run.timing.start_runs),
                "--export-json", path, quoted], str(peers.SERVER_CORE))
    with open(path, encoding="utf-8") as file:
        result = json.load(file)["results"][0]
    return {"ms": result["median"] * 1e3, "cpu_ms": (result["user"] + result["system"]) * 1e3}


CLIENTS = {
    "weir_load": (lambda run, url, s: [f"{run.build}/weir", "load", url, "--connections", "64",
                                       "--duration", f"{s}s", "--warm-up", "0s"],
                  r"(?m)^requests +(\d+)"),
    "wrk": (lambda run, url, s: ["wrk", "-t1", "-c64", f"-d{s}s", url], r"(\d+) requests in"),
    "h2load": (lambda run, url, s: ["h2load", "--h1", "-t1", "-c64", f"-D{s}", url],
               r"requests: \d+ total, \d+ started, (\d+) done"),
}


def client(run):
    """Who is compared is the client; the server is `weir serve http`."""
    seconds = 2 if run.timing is FULL else 1
    command, count = CLIENTS[run.peer.name]
    with Server(peers.ALL["weir_http"], run.wanted()) as server:
        before = client_cpu_s()
        meter = Meter(server)
        said = run_client(command(run, f"http://{server.address}/", seconds), ok=(0, 3))
        requests = int(re.search(count, said).group(1))
        return {"per_second": requests / seconds, "others": meter.others(),
                "cpu_us": (client_cpu_s() - before) * 1e6 / requests}


KINDS = {"echo": echo, "churn": churn, "tcp": tcp, "http": http, "rate": rate, "udp": udp,
         "among-idle": among_idle, "among-flood": among_flood, "among-slow": among_slow,
         "idle": idle, "ping": ping, "start": start, "client": client}
ONCE = {"idle", "start"}  # these repeat themselves, or do not differ from round to round
