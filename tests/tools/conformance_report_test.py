#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The list of rules that are left out, and the report's counting. usage: conformance_report_test.py [--xml FILE]"""
import os
import re
import sys
import tempfile
import unittest

import conformance
import conformance_report as report
import gtest_xml
from conformance_report import Area, LeftOut

TWO_AREAS = [Area("ST", 3, "streams"), Area("PC", 2, "PCIe")]


def named_by_tests():
    """The rules that sources of tests mention."""
    named = set()
    for folder, _, names in os.walk(os.path.join(report.ROOT, "tests")):
        for name in names:
            if name.endswith((".cc", ".h")):
                named.update(conformance.RULE.findall(report.read(os.path.join(folder, name))))
    return named


def rows(*rules):
    return [LeftOut(rule, "no such thing", "later", line) for line, rule in enumerate(rules, 1)]


class TheList(unittest.TestCase):
    """tests/rules-not-applicable.md as it is."""

    def test_every_row_stands(self):
        text = report.read(os.path.join(report.ROOT, "tests/rules-not-applicable.md"))
        found = report.left_out(text)
        self.assertGreater(len(found), 0)
        self.assertEqual(report.errors_of(found, report.areas(), named_by_tests()), [])

    def test_the_areas_are_those_of_the_lists(self):
        known = conformance.known_rules(os.path.join(report.ROOT, "../shared/reference"))
        areas = report.areas()
        self.assertEqual(sum(area.rules for area in areas), 813)
        if known is None:
            self.skipTest("the reference lists are not beside this tree")
        known = {rule for rule in known if re.fullmatch(r"SM-[A-Z]+-\d{3}", rule)}
        self.assertEqual({f"SM-{area.name}-{n:03}" for area in areas for n in range(1, area.rules + 1)}, known)


class Rows(unittest.TestCase):
    """What is wrong with a row."""

    def test_a_row_is_read_from_a_table(self):
        text = "# Head\n| rule | reason | until |\n|---|---|---|\n| SM-ST-001 | no `x` | for good |\ntext SM-ST-002\n"
        self.assertEqual(report.left_out(text), [LeftOut("SM-ST-001", "no `x`", "for good", 4)])

    def test_an_unknown_rule_is_an_error(self):
        for rule in ("SM-ST-004", "SM-ST-000", "SM-XX-001", "SM-ST-1"):
            self.assertEqual(len(report.errors_of(rows(rule), TWO_AREAS, set())), 1, rule)

    def test_a_rule_twice_is_an_error(self):
        self.assertEqual(len(report.errors_of(rows("SM-ST-001", "SM-ST-001"), TWO_AREAS, set())), 1)

    def test_a_rule_that_a_test_names_is_an_error(self):
        self.assertEqual(len(report.errors_of(rows("SM-ST-001", "SM-ST-002"), TWO_AREAS, {"SM-ST-002"})), 1)

    def test_a_missing_column_is_an_error(self):
        found = report.left_out("| SM-ST-001 | only a reason |")
        self.assertEqual(len(report.errors_of(found, TWO_AREAS, set())), 1)


class Counting(unittest.TestCase):
    """Rules per area."""

    RESULTS = {"SM-ST-001": {"status": "pass"}, "SM-ST-002": {"status": "fail"}, "SM-PC-001": {"status": "skip"}}

    def test_by_outcome(self):
        streams, pcie = report.count(self.RESULTS, rows("SM-PC-002", "SM-ST-001"), TWO_AREAS)
        self.assertEqual(streams[:7], ("ST", 3, 1, 1, 0, 0, 1))
        self.assertEqual(pcie[:7], ("PC", 2, 0, 0, 1, 1, 0))
        self.assertEqual(report.total([streams, pcie])[:7], ("all", 5, 1, 1, 1, 1, 1))

    def test_the_table_ends_with_the_sum(self):
        lines = report.table(report.count(self.RESULTS, [], TWO_AREAS))
        self.assertEqual(len(lines), 4)
        self.assertEqual(lines[-1].split(), ["all", "5", "1", "1", "1", "0", "2", "20", "%"])

    def test_readme_lines_are_replaced_between_the_marks(self):
        new = report.readme_lines(report.count(self.RESULTS, [], TWO_AREAS))
        self.assertIn("**1 / 5**", new[0])
        self.assertEqual(new[-1], "ST 1/3, PC 0/2.")
        text = f"head\n{report.BEGIN}\nold\n{report.END}\ntail\n"
        self.assertEqual(report.shown_in(text), ["old"])
        self.assertEqual(report.shown_in(report.with_lines(text, new)), new)
        self.assertTrue(report.with_lines(text, new).endswith(f"{report.END}\ntail\n"))
        self.assertIsNone(report.shown_in("no marks\n"))

    def test_a_readme_with_other_totals_is_told(self):
        with tempfile.TemporaryDirectory() as root:
            lines = report.readme_lines(report.count(self.RESULTS, rows("SM-PC-002"), TWO_AREAS))
            for path, text in (("platform/conformance/rule_areas.cc", '    {"ST", 3, "streams"},\n    {"PC", 2, "PCIe"},\n'),
                               ("tests/rules-not-applicable.md", "| SM-PC-002 | no such thing | later |\n"),
                               ("README.md", "\n".join(["# Head", report.BEGIN, *lines, report.END, ""]))):
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            self.assertIsNone(report.readme_error(self.RESULTS, root))
            self.assertIn("--readme --write", report.readme_error({"SM-ST-001": {"status": "pass"}}, root))

    def test_readme_has_the_marks(self):
        self.assertIsNotNone(report.shown_in(report.read(os.path.join(report.ROOT, "README.md"))))


if __name__ == "__main__":
    sys.exit(gtest_xml.main(__name__))
