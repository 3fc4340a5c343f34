#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Table of rates and ratios from the JSON files of Google Benchmark, checked against gates.

usage: report.py RESULTS_DIR GATES.json [--all]
GATES.json, if present, maps a benchmark's full name to any of "min_items_per_second", "max_ratio_to_calibration",
"min_<counter>" and "max_<counter>". With --all every gate must have been tried; without it (bench/run was given a
filter) those that were not are only told. No benchmark at all is an error.
"""
import glob
import json
import os
import sys


def read_benchmarks(folder):
    """{name: row of Google Benchmark}; rows of repetitions' statistics are left out."""
    rows = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if not text.strip():
            continue  # the filter matched nothing in this program
        for row in json.loads(text).get("benchmarks", []):
            if row.get("run_type") != "aggregate":
                rows[row["name"]] = row
    return rows


def rate(row):
    """Items per second; iterations per second for a program that counts no items."""
    if "items_per_second" in row:
        return row["items_per_second"]
    unit = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0}[row["time_unit"]]
    return unit / row["real_time"] if row["real_time"] else 0.0


def check(row, gates):
    """One sentence for each gate that does not hold."""
    broken = []
    for gate, limit in gates.items():
        side, _, counter = gate.partition("_")
        value = rate(row) if counter == "items_per_second" else row.get(counter)
        if value is None:
            broken.append(f"{row['name']}: has no counter {counter} for the gate {gate}")
        elif (side == "min" and value < limit) or (side == "max" and value > limit):
            broken.append(f"{row['name']}: {counter} is {value:.4g}, the gate is {side} {limit:.4g}")
    return broken


def main():
    folder, gates_path = sys.argv[1:3]
    rows = read_benchmarks(folder)
    gates = {}
    if os.path.exists(gates_path):
        with open(gates_path, encoding="utf-8") as file:
            gates = json.load(file)
    width = max([len(name) for name in rows] + [9])
    print(f"\n{'benchmark':<{width}} {'M items/s':>11} {'ns/item':>9} {'x calibration':>14}  gate")
    broken = []
    for name, row in rows.items():
        if row.get("error_occurred"):
            broken.append(f"{name}: {row.get('error_message')}")
            continue
        found = check(row, gates.get(name, {}))
        broken += found
        per_second = rate(row)
        ratio = row.get("ratio_to_calibration")
        verdict = "" if name not in gates else "broken" if found else "holds"
        print(f"{name:<{width}} {per_second / 1e6:>11.4g} {1e9 / per_second if per_second else 0:>9.4g} "
              f"{'' if ratio is None else format(ratio, '.2f'):>14}  {verdict}")
    for name in sorted(set(gates) - set(rows)):
        if "--all" in sys.argv[3:]:
            broken.append(f"{name}: did not run")
        else:
            print(f"gate on {name}: did not run")
    if not rows:
        broken.append("no benchmark ran; look at the filter")
    for line in broken:
        print(f"GATE BROKEN {line}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
