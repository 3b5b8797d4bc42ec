# SPDX-License-Identifier: MIT
"""Pictures of a results file by gnuplot, each as SVG and PNG."""
import os
import shutil
import subprocess

from race.results import figure, ratio

TERMINALS = {"svg": 'svg size 1400,560 font "sans,12" background "white"',
             "png": 'pngcairo size 1400,560 font "sans,11"'}

HEAD = """
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.85 noborder
set key outside right top noenhanced
set grid ytics
set xtics rotate by -28 noenhanced
set title "{title}" noenhanced
"""


def quoted(text):
    return '"' + text.replace('"', "'") + '"'


def stream_scenarios(results, kept):
    return [scenario for scenario in results["scenarios"]
            if "epoll" in scenario["peers"] and kept(scenario)]


def peers_of(scenarios):
    return list(dict.fromkeys(peer for scenario in scenarios for peer in scenario["peers"]))


def data_block(scenarios, value):
    """Rows of scenarios, columns of peers; a figure that is missing is a gap."""
    peers = peers_of(scenarios)
    rows = [" ".join(["scenario"] + [quoted(peer) for peer in peers])]
    for scenario in scenarios:
        values = [value(scenario, peer) for peer in peers]
        rows.append(" ".join([quoted(scenario["name"])] + [
            "?" if number is None else f"{number:.4f}" for number in values]))
    return peers, "$data << E\n" + "\n".join(rows) + "\nE\nset datafile missing '?'\n"


def bars(title, scenarios, value, axis):
    peers, block = data_block(scenarios, value)
    plot = f"plot for [i=2:{len(peers) + 1}] $data using i:xtic(1) title columnheader(i)"
    return HEAD.format(title=title) + block + axis + plot + "\n"


def draw(path, script):
    made = []
    for kind, terminal in TERMINALS.items():
        output = f"{path}.{kind}"
        text = f"set terminal {terminal}\nset output {quoted(output)}\n{script}"
        done = subprocess.run(["gnuplot"], input=text, text=True, capture_output=True, check=False)
        if done.returncode != 0 or not os.path.getsize(output):
            raise SystemExit(f"bench: gnuplot: {done.stderr.strip()}")
        made.append(output)
    return made


def scripts(results):
    """A name and a script for each picture that these results have data for."""
    line = "set yrange [0:3]\nset arrow from graph 0, first 1 to graph 1, first 1 nohead lw 2\n"
    closed = stream_scenarios(results, lambda scenario: scenario["figure"] == "cpu_us")
    if closed:
        yield "cpu", bars("server CPU for each request, weir = 1: less is better (cut at 3)",
                          closed, ratio, line)
        yield "rates", bars(
            "requests per second, weir = 1: more is better", closed,
            lambda scenario, peer: ratio(scenario, peer, "per_second"),
            line.replace("[0:3]", "[0:*]"))
    opened = stream_scenarios(results, lambda scenario: scenario["figure"] == "p99_us")
    if opened:
        yield "latency", bars(
            "p99 of the response in us at fixed rates: less is better", opened,
            lambda scenario, peer: figure(scenario, peer, "p99_us"),
            "set logscale y\nset yrange [1:*]\n")


def draw_all(folder, results):
    """Paths of what was drawn."""
    if not shutil.which("gnuplot"):
        print("bench: no gnuplot, so no pictures")
        return []
    return [path for name, script in scripts(results)
            for path in draw(os.path.join(folder, name), script)]
