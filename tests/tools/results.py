#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the results of a ctest run and writes the conformance checklist.

In: ctest's JUnit file (one case an entry) and the GoogleTest XML files that the entries left. An entry that failed
without a failed test in its file (crash, time-out, sanitizer report at exit, no file) counts as one failure under its
own name. Prints failures, skipped tests with their reasons and, as the last line, `N passed, N failed[, N skipped]`.
"""
import argparse
import collections
import json
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

import conformance
import conformance_report

Test = collections.namedtuple("Test", "name status detail rules")  # status: pass, fail or skip


def first_line(text):
    """The last useful line of a GoogleTest skip message: its first line is the place in the source."""
    lines = [line for line in (text or "").splitlines() if line.strip()]
    if len(lines) > 1 and re.search(r":\d+$", lines[0]):
        lines = lines[1:]
    return " ".join(lines) or "no reason given"


def read_case(case):
    """One <testcase> of GoogleTest as a Test, or None where it did not run (disabled, filtered)."""
    if case.get("status") == "notrun":
        return None
    name = f"{case.get('classname')}.{case.get('name')}"
    rules = []
    for item in case.iter("property"):
        if item.get("name") == "rule":
            rules += item.get("value", "").split()
    failures = [item.get("message") or item.text or "" for item in case.findall("failure")]
    skipped = case.find("skipped")
    if failures:
        return Test(name, "fail", "\n".join(failures), rules)
    if skipped is not None:
        return Test(name, "skip", first_line(skipped.get("message") or skipped.text), rules)
    return Test(name, "pass", "", rules)


def read_results(path):
    """The tests of one result file; None if it is missing or cut off, which happens when the program died."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    return [test for test in map(read_case, root.iter("testcase")) if test]


def read_entries(path):
    """ctest's JUnit file as (entry name, passed, text of what it printed)."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        yield case.get("name"), case.get("status") == "run", case.findtext("system-out") or ""


def collect(junit, results_dir):
    """All tests of the run, in the order of their entries."""
    tests = []
    for entry, passed, output in sorted(read_entries(junit)):
        file_name = re.sub(r"[^A-Za-z0-9_.-]", "_", entry) + ".xml"
        found = read_results(os.path.join(results_dir, file_name))
        tests += found or []
        if found is None or (not passed and all(test.status != "fail" for test in found)):
            tail = "\n".join(output.strip().splitlines()[-20:])
            tests.append(Test(entry, "fail", f"the entry failed outside a test or left no results:\n{tail}", []))
    return tests


def report(tests, out=sys.stdout):
    """Prints failures, skips and the closing line; returns the exit code."""
    count = collections.Counter(test.status for test in tests)
    for test in tests:
        if test.status == "fail":
            print(f"FAILED {test.name}\n  " + test.detail.replace("\n", "\n  "), file=out)
    for test in tests:
        if test.status == "skip":
            print(f"skipped {test.name}: {test.detail}", file=out)
    if not count["pass"] and not count["fail"]:
        print("No test ran.", file=out)
    line = f"{count['pass']} passed, {count['fail']} failed"
    print(line + (f", {count['skip']} skipped" if count["skip"] else ""), file=out)
    return 1 if count["fail"] or not count["pass"] else 0


def readme_test(path, whole):
    """Whether README.md shows the totals of the checklist at path. A run that is not whole only warns."""
    with open(path, encoding="utf-8") as file:
        error = conformance_report.readme_error(json.load(file))
    if error and not whole:
        print(f"warning: {error}")
        return []
    return [Test("Conformance.ReadmeShowsTheTotals", "fail" if error else "pass", error or "", [])] if whole else []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--junit", required=True)
    parser.add_argument("--results", required=True)
    parser.add_argument("--conformance", required=True, help="the JSON file to write")
    parser.add_argument("--readme", choices=("check", "warn"), help="compare README.md's totals with the checklist")
    arguments = parser.parse_args()
    if not os.path.exists(arguments.junit):
        print("ctest wrote no results.\n0 passed, 1 failed")
        return 1
    tests = collect(arguments.junit, arguments.results)
    known = conformance.known_rules(os.path.join(os.path.dirname(__file__), "../../../shared/reference"))
    errors = conformance.errors_of(tests, known)
    conformance.write(arguments.conformance, tests)
    if tests:
        tests.append(Test("Conformance.TestsNameKnownRules", "fail" if errors else "pass", "\n".join(errors), []))
    if arguments.readme:
        tests += readme_test(arguments.conformance, arguments.readme == "check")
    return report(tests)


if __name__ == "__main__":
    sys.exit(main())
