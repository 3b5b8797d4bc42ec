# SPDX-License-Identifier: MIT
"""Tables made from a results file: README.md's, and all of it in bench/results/."""
import os

from race import peers
from race.results import figure, ratio, spread

BEGIN = "<!-- made by ./run bench --record -->"
END = "<!-- to here -->"

COMPARED = {"cpu_us": ("server CPU, us", "{:.2f}"), "p99_us": ("p99, us", "{:.0f}"),
            "bytes": ("bytes", "{:.0f}"), "ms": ("ms", "{:.1f}")}


def compared(scenario):
    name, form = COMPARED[scenario["figure"]]
    if scenario["name"] == "http-clients":
        name = name.replace("server", "client")
    return name, form


def ring_of(results):
    unused = [name for name, use in results["machine"]["ring"].items() if use != "used"]
    return "every feature of the ring" if not unused else "a ring without " + ", ".join(unused)


def measured_how(results):
    settings, load = results["settings"], results["load_average"]
    return (f"{settings['rounds']} rounds of {settings['measured_ms']} ms; load average "
            f"{load['begin']:.1f} to {load.get('end', load['begin']):.1f}")


def conditions(results):
    machine = results["machine"]
    return (f"{results['date'][:10]}, {machine['cpu']}, {machine['cores']} cores, Linux "
            f"{machine['kernel']}, {ring_of(results)}; weir {results['versions']['weir']}; "
            f"{measured_how(results)}, {results.get('stolen', 0):.1%} of the CPU stolen by the "
            "host")


def said(scenario, peer):
    """As "epoll 1.02": how many times as much it needs as weir."""
    times = ratio(scenario, peer)
    if times is None:
        return f"{peer} failed"
    return f"{peer} {times:.2f}" if times < 9.95 else f"{peer} {times:.0f}"


def spoiled(scenario):
    """How many cores others had, when that leaves nothing of a time to be compared; else 0."""
    if scenario["figure"] != "p99_us":
        return 0
    return max((figure(scenario, peer, "others") or 0) for peer in scenario["peers"])


OTHERS_MOST = 1.0


def row(scenario):
    ours, *others = scenario["peers"]
    name, form = compared(scenario)
    value = figure(scenario, ours, scenario["figure"])
    cells = [scenario["what"], name, form.format(value) if value else "failed",
             ", ".join(said(scenario, peer) for peer in others) or "-"]
    if spoiled(scenario) > OTHERS_MOST:
        cells[2:] = ["-", f"not to be told: others used {spoiled(scenario):.1f} cores"]
    return "| " + " | ".join(cells) + " |"


def readme_table(results):
    """What stands between the marks in README.md."""
    absent, notes = results["absent"], results.get("notes", [])
    lines = [BEGIN, "", conditions(results) + ".", "",
             "| load | compared | weir | the others, weir = 1: below 1 is less than weir needs |",
             "| --- | --- | --- | --- |"]
    lines += [row(scenario) for scenario in results["scenarios"] if scenario["peers"]]
    lines += ["", *notes] if notes else []
    if absent:
        lines += ["", f"Not there, so not measured: {', '.join(absent)}."]
    return "\n".join(lines + ["", END])


def put_into(path, results):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    text = text[:begin] + readme_table(results) + text[end:]
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def is_in(path, results):
    with open(path, encoding="utf-8") as file:
        return readme_table(results) in file.read()


COLUMNS = [("per_second", "per second", "{:,.0f}"), ("cpu_us", "CPU us", "{:.3f}"),
           ("p50_us", "p50 us", "{:.1f}"), ("p99_us", "p99 us", "{:.1f}"),
           ("p999_us", "p99.9 us", "{:.1f}"), ("lag_p999_us", "send lag p99.9 us", "{:.1f}"),
           ("busy", "busy", "{:.2f}"), ("others", "others", "{:.2f}"), ("lost", "lost", "{:.4f}"),
           ("held_bytes", "memory held", "{:,.0f}"), ("bytes", "bytes each", "{:.1f}"),
           ("ms", "ms", "{:.2f}"), ("cpu_ms", "CPU ms", "{:.2f}")]


def detail(scenario):
    """Every figure of a scenario: medians, and of what is compared the range and the ratio."""
    present = [column for column in COLUMNS if any(
        figure(scenario, peer, column[0]) is not None for peer in scenario["peers"])]
    lines = [f"## {scenario['name']}: {scenario['what']}", "",
             "| | " + " | ".join(title for _, title, _ in present) + " | range | weir = 1 |",
             "| --- |" + " --- |" * (len(present) + 2)]
    for peer, kept in scenario["peers"].items():
        if not kept["runs"]:
            lines.append(f"| {peer} | failed: {kept.get('failed', '')} |")
            continue
        cells = []
        for name, _, form in present:
            value = figure(scenario, peer, name)
            cells.append("" if value is None else form.format(value))
        low, high = spread(scenario, peer, scenario["figure"]) or (0, 0)
        times = ratio(scenario, peer)
        form = compared(scenario)[1]
        cells += [f"{form.format(low)} to {form.format(high)}",
                  "" if times is None else f"{times:.2f}"]
        lines.append(f"| {peer} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def whole(results, pictures=()):
    lines = ["# The race", "", conditions(results) + ".", "",
             "Medians over the rounds; the range is that of what is compared. bench/README.md says "
             "how it is measured and what is not claimed.", ""]
    lines += [f"![{os.path.basename(path)}]({os.path.basename(path)})\n" for path in pictures]
    lines += ["| name | what it is |", "| --- | --- |"]
    named = {peer for scenario in results["scenarios"] for peer in scenario["peers"]}
    lines += [f"| {name} | {peer.what} |" for name, peer in peers.ALL.items() if name in named]
    lines += [f"\nNot there, so not measured: {', '.join(results['absent'])}."
              if results["absent"] else ""]
    lines += [detail(scenario) + "\n" for scenario in results["scenarios"] if scenario["peers"]]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return "\n".join(lines + [f"Versions: {versions}."]) + "\n"
