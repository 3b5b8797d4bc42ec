# SPDX-License-Identifier: MIT
"""What the ratios may not fall below: bench/floors, made from rounds that were measured."""
import random
import statistics

DRAWN, CHANCE, MARGIN = 20000, 0.001, 0.07

HEAD = """\
# How many times as much of what is compared a peer has to need, at least, beside weir. Made by
# `./run bench --floors` ({conditions}):
# of those rounds' ratios, what the median of a check's rounds falls below once in a thousand, less
# {margin:.0%} for other machines. Ratios, so that time is in none of it.
# scenario   | peer     | floor | median, range of the rounds
"""


def ratios(scenario, peer):
    """Each round's own, of those that both played: what drifts between rounds is in neither."""
    name = scenario["figure"]
    ours = scenario["peers"][next(iter(scenario["peers"]))]["runs"]
    mine = {run["round"]: run[name] for run in ours if run[name] > 0}
    return [run[name] / mine[run["round"]] for run in scenario["peers"][peer]["runs"]
            if run["round"] in mine]


def floor_of(measured, rounds):
    """Chance is seeded, so that the same rounds give the same floor."""
    dice = random.Random(1)
    medians = sorted(statistics.median(dice.choices(measured, k=rounds)) for _ in range(DRAWN))
    return medians[int(DRAWN * CHANCE)] * (1 - MARGIN)


def row(name, peer, measured, rounds):
    return (f"{name:12} | {peer:8} | {floor_of(measured, rounds):.2f}  | "
            f"{statistics.median(measured):.2f}, {min(measured):.2f} to {max(measured):.2f}")


def write(path, rows, conditions):
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD.format(conditions=conditions, margin=MARGIN))
        file.writelines(line + "\n" for line in rows)
