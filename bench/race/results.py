# SPDX-License-Identifier: MIT
"""What a run is kept as: one JSON file with the machine, the versions, and every figure."""
import datetime
import json
import os
import platform
import re
import statistics
import subprocess

FORMAT = 1


def said_by(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""
    return (done.stdout + done.stderr).strip()


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    return found.group(1) if found else platform.machine()


def machine(build):
    doctor = said_by(f"{build}/weir", "doctor").split("\nschedulers")[0]
    return {
        "cpu": cpu_model(), "cores": os.cpu_count(), "kernel": platform.release(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "ring": {name: use for name, use in re.findall(r"^  (\w+) +(used|\S.*)$", doctor, re.M)},
    }


PACKAGES = ["gcc", "libc6", "liburing2", "libuv1", "libevent-core-2.1-7", "libasio-dev",
            "erlang-base", "nginx", "haproxy", "redis-server", "wrk", "nghttp2-client",
            "hyperfine"]


def versions(build):
    rows = said_by("dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\n",
                   *PACKAGES).splitlines()
    found = dict(row.split()[1:] for row in rows if re.match(r"installed \S+ \S+$", row))
    return {"weir": said_by(f"{build}/weir", "--version").split()[-1], **found}


def begun(build, timing):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"format": FORMAT, "date": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "machine": machine(build), "versions": versions(build),
            "settings": {"rounds": timing.rounds, "measured_ms": timing.measured_ms,
                         "warm_up_ms": timing.warm_up_ms},
            "load_average": {"begin": os.getloadavg()[0]}, "absent": [], "scenarios": []}


def figure(scenario, peer, name):
    """The median over the rounds; None where there is none."""
    runs = scenario["peers"].get(peer, {}).get("runs", [])
    values = [run[name] for run in runs if name in run]
    return statistics.median(values) if values else None


def ratio(scenario, peer, name=None):
    """How many times as much a peer needs as weir does, the first of them, of what is compared."""
    name = name or scenario["figure"]
    ours = figure(scenario, next(iter(scenario["peers"])), name)
    theirs = figure(scenario, peer, name)
    return theirs / ours if ours and theirs is not None else None


def spread(scenario, peer, name):
    runs = scenario["peers"].get(peer, {}).get("runs", [])
    values = [run[name] for run in runs if name in run]
    return (min(values), max(values)) if values else None


def write(path, results):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
        file.write("\n")


def read(path):
    with open(path, encoding="utf-8") as file:
        results = json.load(file)
    if results.get("format") != FORMAT:
        raise SystemExit(f"bench: {path} is of another format")
    return results


def newest(folder):
    names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    return os.path.join(folder, names[-1]) if names else None
