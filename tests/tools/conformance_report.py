#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The conformance checklist in numbers: per area the rules that passed, failed, were skipped, are left out, are untested.

In: tests/conformance.json of a run, tests/rules-not-applicable.md, and the areas of platform/conformance/rule_areas.cc.
--readme prints the lines that README.md shows between its two conformance marks, --write puts them there. Standard
library only.
"""
import argparse
import collections
import json
import os
import re
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
AREA = re.compile(r'^\s*\{"([A-Z]+)", (\d+), "([^"]+)"\},$', re.MULTILINE)
RULE = re.compile(r"SM-([A-Z]+)-(\d{3})")
BEGIN = "<!-- conformance: tests/tools/conformance_report.py --readme --write -->"
END = "<!-- end of conformance -->"
README_WIDTH = 118

Area = collections.namedtuple("Area", "name rules about")
LeftOut = collections.namedtuple("LeftOut", "rule reason until line")
Count = collections.namedtuple("Count", "name rules passed failed skipped left_out untested about")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def areas(root=ROOT):
    """Every area with the number of its rules, in the order of the lists."""
    found = AREA.findall(read(os.path.join(root, "platform/conformance/rule_areas.cc")))
    return [Area(name, int(rules), about) for name, rules, about in found]


def left_out(text):
    """The rows of rules-not-applicable.md."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("| SM-"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            rows.append(LeftOut(cells[0], *(cells[1:3] + ["", ""])[:2], number))
    return rows


def exists(rule, known_areas):
    match = RULE.fullmatch(rule)
    return bool(match) and any(area.name == match[1] and 1 <= int(match[2]) <= area.rules for area in known_areas)


def errors_of(rows, known_areas, named):
    """One sentence for each row that cannot stand: named is the set of rules that tests name."""
    errors = []
    first = {}
    for row in rows:
        place = f"rules-not-applicable.md:{row.line}: {row.rule}"
        if not exists(row.rule, known_areas):
            errors.append(f"{place} is no rule of the lists; name one that is")
        if row.rule in first:
            errors.append(f"{place} stands in line {first[row.rule]} too; keep one")
        if row.rule in named:
            errors.append(f"{place} is named by a test; take the row away")
        if not row.reason or not row.until:
            errors.append(f"{place} lacks a column; write | rule | reason | until |")
        first.setdefault(row.rule, row.line)
    return errors


def count(results, rows, known_areas):
    """A Count per area. A rule that a test names counts by its status, whatever the rows say."""
    status = {area.name: collections.Counter() for area in known_areas}
    for rule, entry in results.items():
        status[RULE.fullmatch(rule)[1]][entry["status"]] += 1
    for rule in {row.rule for row in rows} - set(results):
        status[RULE.fullmatch(rule)[1]]["left_out"] += 1
    counts = []
    for area in known_areas:
        found = status[area.name]
        told = [found["pass"], found["fail"], found["skip"], found["left_out"]]
        counts.append(Count(area.name, area.rules, *told, area.rules - sum(told), area.about))
    return counts


def total(counts):
    return Count("all", *(sum(column) for column in list(zip(*counts))[1:7]), "")


def share(part, whole):
    return f"{100 * part / whole:.0f} %" if whole else "-"


def table(counts):
    """The report as lines; the last column but one is the share of rules that passed."""
    form = "{:<5} {:>5} {:>6} {:>6} {:>7} {:>14} {:>8} {:>7}  {}"
    lines = [form.format("area", "rules", "passed", "failed", "skipped", "not applicable", "untested", "passed", "about")]
    for one in counts + [total(counts)]:
        lines.append(form.format(one.name, one.rules, one.passed, one.failed, one.skipped, one.left_out, one.untested,
                                 share(one.passed, one.rules), one.about).rstrip())
    return lines


def readme_lines(counts):
    """What stands between the marks of README.md."""
    whole = total(counts)
    lines = [f"Rules passed: **{whole.passed} / {whole.rules}**. Left out, each with its reason: {whole.left_out}. "
             f"Failed: {whole.failed}, skipped: {whole.skipped}, untested: {whole.untested}. By area:", ""]
    line = ""
    for one in counts:
        word = f"{one.name} {one.passed}/{one.rules}"
        if len(line) + len(word) + 1 > README_WIDTH:
            lines.append(line)
            line = ""
        line += word + (", " if one is not counts[-1] else ".")
    return [one.rstrip() for one in lines + [line]]


def shown_in(readme):
    """The lines between the marks, or None where there are no marks."""
    lines = readme.splitlines()
    if BEGIN not in lines or END not in lines:
        return None
    return lines[lines.index(BEGIN) + 1:lines.index(END)]


def with_lines(readme, new):
    lines = readme.splitlines()
    begin, end = lines.index(BEGIN), lines.index(END)
    return "\n".join(lines[:begin + 1] + new + lines[end:]) + "\n"


def readme_error(results, root=ROOT):
    """A sentence if README.md does not show what these results are, else None."""
    rows = left_out(read(os.path.join(root, "tests/rules-not-applicable.md")))
    if shown_in(read(os.path.join(root, "README.md"))) == readme_lines(count(results, rows, areas(root))):
        return None
    return "README.md shows other totals; run tests/tools/conformance_report.py --readme --write"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", default=os.path.join(ROOT, "tests/conformance.json"), help="tests/conformance.json of a run")
    parser.add_argument("--readme", action="store_true", help="the lines of README.md instead of the table")
    parser.add_argument("--write", action="store_true", help="with --readme: put them into README.md")
    arguments = parser.parse_args()
    if not os.path.exists(arguments.results):
        print(f"{arguments.results} is not there; run tests/run first", file=sys.stderr)
        return 2
    rows = left_out(read(os.path.join(ROOT, "tests/rules-not-applicable.md")))
    counts = count(json.loads(read(arguments.results)), rows, areas())
    if not arguments.readme:
        print("\n".join(table(counts)))
        return 0
    lines = readme_lines(counts)
    if arguments.write:
        path = os.path.join(ROOT, "README.md")
        text = with_lines(read(path), lines)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
