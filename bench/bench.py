#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""weir beside its peers: every scenario of bench/scenarios, in interleaved rounds. README.md has
the method."""
import argparse
import os
import resource
import shutil
import signal
import statistics
import sys
import tempfile
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(FOLDER)
sys.path.insert(0, FOLDER)
sys.dont_write_bytecode = True

from race import floors, loads, peers  # noqa: E402  # pylint: disable=C0413
from race import pictures, report, results  # noqa: E402  # pylint: disable=C0413


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def read_rows(name):
    """Rows of a file of columns between bars, without comments."""
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    return [[cell.strip() for cell in line.split("|")] for line in lines
            if line and not line.startswith("#")]


def read_scenarios(chosen):
    rows = [dict(zip(("name", "load", "set", "figure", "what"), row))
            for row in read_rows("scenarios")]
    names = [row["name"] for row in rows]
    for name in chosen:
        if name not in names:
            sys.exit(f"bench: there is no scenario '{name}'; there are {' '.join(names)}")
    return [row for row in rows if not chosen or row["name"] in chosen]


def read_peers(text):
    names = set(text.split(",")) if text else set()
    for name in sorted(names - set(peers.ALL)):
        sys.exit(f"bench: there is no peer '{name}'; there are {' '.join(peers.ALL)}")
    return names


class Race:
    """A run of scenarios: what is measured goes into `kept`."""

    def __init__(self, options, timing, rows, only=None):
        self.build, self.timing, self.rows = options.build, timing, rows
        self.kept = results.begun(options.build, timing)
        self.work = tempfile.mkdtemp(prefix="weir-bench-")
        self.slowest = None
        self.scenarios = {row["name"]: self.prepare(row, only) for row in rows}

    def prepare(self, row, only):
        scenario = {key: row[key] for key in ("name", "load", "figure", "what")}
        scenario["peers"] = {}
        for name in peers.peers_of(row["set"], only):
            if peers.ALL[name].is_here(self.build):
                scenario["peers"][name] = {"runs": []}
            elif name not in self.kept["absent"]:
                self.kept["absent"].append(name)
        self.kept["scenarios"].append(scenario)
        return scenario

    def spare(self):
        """Leaves each peer once in each kind of load, which is what can rot."""
        seen = set()
        for scenario in self.scenarios.values():
            kind, _, schedulers = loads.split_load(scenario["load"])
            for name in list(scenario["peers"]):
                if (kind, schedulers, name) in seen:
                    del scenario["peers"][name]
                seen.add((kind, schedulers, name))

    def capacity(self):
        """What the slowest of them bears, by 64 connections that wait for each answer."""
        if self.slowest is None:
            quick = [run["per_second"] for kept in
                     self.scenarios.get("ping-pong-64", {"peers": {}})["peers"].values()
                     for run in kept["runs"]]
            quick = quick or [self.once("echo --connections 64", name)["per_second"]
                              for name in peers.SETS["stream"] if
                              peers.ALL[name].is_here(self.build)]
            self.slowest = min(quick)
            self.kept["slowest_per_second"] = self.slowest
        return self.slowest

    def once(self, load, name):
        return loads.Run(self.build, self.work, self.timing, load, peers.ALL[name],
                         self.capacity).figures()

    def measure(self, scenario, name, number):
        kept = scenario["peers"][name]
        try:
            kept["runs"].append({"round": number, **self.once(scenario["load"], name)})
        except loads.Failed as failed:
            kept["failed"] = str(failed)
            say(f"{scenario['name']}: {name}: {failed}")

    def round(self, number):
        for scenario in self.scenarios.values():
            if number > 0 and scenario["load"].split()[0] in loads.ONCE:
                continue
            names = list(scenario["peers"])
            begin = time.monotonic()
            # Each round begins with another.
            for index in range(len(names)):
                self.measure(scenario, names[(index + number) % len(names)], number)
            scenario["elapsed_s"] = round(
                scenario.get("elapsed_s", 0) + time.monotonic() - begin, 1)

    def run(self):
        begin, ticks, so_far = time.monotonic(), loads.machine_ticks(), 0.0
        if self.kept["absent"]:
            say(f"not here, so left out: {' '.join(self.kept['absent'])}")
        try:
            for number in range(self.timing.rounds):
                self.round(number)
                last, so_far = time.monotonic() - begin - so_far, time.monotonic() - begin
                say(f"round {number + 1} of {self.timing.rounds}, {so_far:.0f} s so far")
                self.kept["settings"]["rounds"] = number + 1
                if number + 1 < self.timing.rounds and so_far + last > self.timing.limit_s:
                    say(f"another round would take it over {self.timing.limit_s} s")
                    break
        finally:
            shutil.rmtree(self.work)
        stolen = loads.machine_ticks()[1] - ticks[1]
        elapsed = (time.monotonic() - begin) * os.sysconf("SC_CLK_TCK") * os.cpu_count()
        self.kept["stolen"] = round(stolen / elapsed, 4)
        self.kept["load_average"]["end"] = os.getloadavg()[0]
        self.kept["elapsed_s"] = round(time.monotonic() - begin, 1)
        return self.kept

    def failures(self):
        return [f"{scenario['name']}: {kept['failed']}" for scenario in self.scenarios.values()
                for kept in scenario["peers"].values() if "failed" in kept]


def leave(folder, kept):
    """Writes the results, the tables and the pictures into a folder."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, kept["date"].replace(":", "")[:15] + ".json")
    results.write(path, kept)
    drawn = pictures.draw_all(folder, kept)
    with open(os.path.join(folder, "RESULTS.md"), "w", encoding="utf-8") as file:
        file.write(report.whole(kept, [path for path in drawn if path.endswith(".svg")]))
    say(f"{path}, and beside it RESULTS.md" + (" and pictures" if drawn else ""))


class Guard:
    """The rows of bench/floors, and a race of what they name."""

    def __init__(self, options, rounds):
        timing = loads.CHECK
        timing.rounds = rounds or timing.rounds
        self.floors = [row[:3] for row in read_rows("floors")]
        rows = read_scenarios([row[0] for row in self.floors])
        only = {peers.SETS[row["set"]][0] for row in rows} | {row[1] for row in self.floors}
        self.race = Race(options, timing, rows, only)
        self.race.run()

    def measured(self):
        """A name, a peer, its floor, and the rounds' ratios, of all that are here."""
        for name, peer, floor in self.floors:
            scenario = self.race.scenarios[name]
            if peer in scenario["peers"]:
                yield name, peer, float(floor), floors.ratios(scenario, peer)


def run_check(options):
    guard = Guard(options, options.rounds)
    failed = guard.race.failures()
    for name, peer, floor, ratios in guard.measured():
        times = statistics.median(ratios) if ratios else 0
        is_good = times >= floor
        print(f"{name:16} {peer:10} {times:6.2f}, floor {floor}{'' if is_good else ': below it'}")
        if not is_good:
            failed.append(f"{name}: {peer}")
    return 1 if failed else 0


def run_floors(options):
    checked = loads.CHECK.rounds
    loads.CHECK.limit_s = loads.FULL.limit_s
    guard = Guard(options, options.rounds or 5 * checked)
    kept = guard.race.kept
    if kept["absent"]:
        return 1
    floors.write(os.path.join(FOLDER, "floors"), [
        floors.row(name, peer, ratios, checked) for name, peer, _, ratios in guard.measured()],
        report.measured_how(kept))
    return 0


def run_race(options):
    timing = loads.SMOKE if options.smoke else loads.QUICK if options.quick else loads.FULL
    if options.rounds:
        timing.rounds = options.rounds
    race = Race(options, timing, read_scenarios(options.scenarios), read_peers(options.peers))
    if options.smoke:
        race.spare()
    kept = race.run()
    if options.smoke:
        return 1 if race.failures() else 0
    print(report.whole(kept))
    leave(os.path.join(FOLDER, "results") if options.record else f"{TOP}/build/bench", kept)
    if options.record:
        report.put_into(f"{TOP}/README.md", kept)
        say("README.md has the table of it")
    return 1 if race.failures() else 0


def run_table(options):
    """README.md's table is that of the newest results, or has to become it."""
    path = options.from_file or results.newest(os.path.join(FOLDER, "results"))
    if not path:
        sys.exit("bench: there are no results")
    kept = results.read(path)
    if options.verify:
        return 0 if report.is_in(f"{TOP}/README.md", kept) else \
            sys.exit(f"bench: README.md's table is not that of {path}; ./run bench --table")
    report.put_into(f"{TOP}/README.md", kept)
    return 0


def parse():
    parser = argparse.ArgumentParser(
        prog="./run bench", description="weir beside its peers; bench/README.md says how",
        epilog="scenarios: " + " ".join(row[0] for row in read_rows("scenarios")))
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="all, if none is named")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 0.3 s, not 5 of 1 s")
    parser.add_argument("--smoke", action="store_true", help="everything once, measures nothing")
    parser.add_argument("--record", action="store_true",
                        help="into bench/results, and the table into README.md; otherwise all is "
                        "left in build/bench")
    parser.add_argument("--check", action="store_true", help="ratios against bench/floors")
    parser.add_argument("--floors", action="store_true",
                        help="makes bench/floors anew, from 25 rounds of what stands there")
    parser.add_argument("--table", action="store_true",
                        help="only README.md's table, of the newest results")
    parser.add_argument("--verify", action="store_true", help="with --table: whether it is that")
    parser.add_argument("--from-file", metavar="FILE", help="with --table: of these results")
    parser.add_argument("--rounds", type=int, metavar="N")
    parser.add_argument("--peers", metavar="NAME,...", help="only these")
    parser.add_argument("--build", default=f"{TOP}/build/release", metavar="FOLDER")
    return parser.parse_args()


def main():
    options = parse()
    options.build = os.path.abspath(options.build)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    os.environ["PATH"] += ":/usr/sbin"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are ended
    if options.table:
        return run_table(options)
    if options.floors:
        return run_floors(options)
    return run_check(options) if options.check else run_race(options)


if __name__ == "__main__":
    sys.exit(main())
