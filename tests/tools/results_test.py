#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What results.py counts and what conformance.py writes, on small result files. usage: results_test.py [--xml FILE]"""
import io
import os
import sys
import tempfile
import unittest

import conformance
import gtest_xml
import results
from results import Test

PASSED = '<testcase classname="A" name="Ok" status="run"><properties><property name="rule" value="SM-ST-001 SM-ST-002"/>' \
         "</properties></testcase>"
FAILED = '<testcase classname="A" name="Bad" status="run"><failure message="a.cc:4&#x0A;differs"/></testcase>'
SKIPPED = '<testcase classname="A" name="Skip" status="run"><skipped message="a.cc:2&#x0A;no KVM here"/></testcase>'
DISABLED = '<testcase classname="A" name="Off" status="notrun"/>'


def collect(cases, ctest_status="run"):
    """The tests of one entry unit.A whose result file holds cases; None for no file."""
    with tempfile.TemporaryDirectory() as folder:
        junit = os.path.join(folder, "ctest.xml")
        with open(junit, "w", encoding="utf-8") as file:
            file.write(f'<testsuite><testcase name="unit.A" status="{ctest_status}"><system-out>boom</system-out></testcase>'
                       "</testsuite>")
        if cases is not None:
            with open(os.path.join(folder, "unit.A.xml"), "w", encoding="utf-8") as file:
                file.write(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
        return results.collect(junit, folder)


def closing(tests):
    """(exit code, printed lines) of the report."""
    out = io.StringIO()
    code = results.report(tests, out)
    return code, out.getvalue().splitlines()


class Results(unittest.TestCase):
    """Counting."""

    def test_counts_tests_not_entries(self):
        self.assertEqual(closing(collect(PASSED + PASSED)), (0, ["2 passed, 0 failed"]))

    def test_a_failed_test_fails_the_run(self):
        code, lines = closing(collect(PASSED + FAILED, "fail"))
        self.assertEqual((code, lines[-1]), (1, "1 passed, 1 failed"))
        self.assertIn("differs", "\n".join(lines))

    def test_skips_are_listed_with_their_reason(self):
        self.assertEqual(closing(collect(PASSED + SKIPPED)), (0, ["skipped A.Skip: no KVM here", "1 passed, 0 failed, 1 skipped"]))

    def test_disabled_tests_are_not_counted(self):
        self.assertEqual(closing(collect(PASSED + DISABLED))[1], ["1 passed, 0 failed"])

    def test_an_entry_without_results_is_a_failure(self):
        code, lines = closing(collect(None, "fail"))
        self.assertEqual((code, lines[-1]), (1, "0 passed, 1 failed"))
        self.assertIn("boom", "\n".join(lines))

    def test_an_entry_that_failed_after_its_tests_passed_is_a_failure(self):
        self.assertEqual(closing(collect(PASSED, "fail"))[1][-1], "1 passed, 1 failed")

    def test_a_truncated_result_file_is_a_failure(self):
        self.assertEqual(closing(collect("<testcase"))[1][-1], "0 passed, 1 failed")

    def test_no_test_at_all_fails_the_run(self):
        self.assertEqual(closing([]), (1, ["No test ran.", "0 passed, 0 failed"]))

    def test_only_skipped_tests_fail_the_run(self):
        self.assertEqual(closing(collect(SKIPPED))[0], 1)


class Checklist(unittest.TestCase):
    """Conformance."""

    def test_rules_are_read_from_the_property(self):
        self.assertEqual(collect(PASSED)[0].rules, ["SM-ST-001", "SM-ST-002"])

    def test_status_of_a_rule_is_its_worst_test(self):
        tests = [Test("A.a", "pass", "", ["SM-ST-001", "SM-ST-002"]), Test("A.b", "fail", "", ["SM-ST-001"]),
                 Test("A.c", "skip", "", ["SM-ST-002", "SM-ST-003"])]
        self.assertEqual(conformance.checklist(tests),
                         {"SM-ST-001": {"status": "fail", "tests": ["A.a", "A.b"]},
                          "SM-ST-002": {"status": "pass", "tests": ["A.a", "A.c"]},
                          "SM-ST-003": {"status": "skip", "tests": ["A.c"]}})

    def test_more_than_four_rules_is_an_error(self):
        rules = [f"SM-ST-00{number}" for number in range(1, 6)]
        self.assertEqual(len(conformance.errors_of([Test("A.a", "pass", "", rules)], set(rules))), 1)
        self.assertEqual(conformance.errors_of([Test("A.a", "pass", "", rules[:4])], set(rules)), [])

    def test_an_unknown_rule_is_an_error_where_the_lists_are_there(self):
        tests = [Test("A.a", "pass", "", ["SM-ST-999"])]
        self.assertEqual(len(conformance.errors_of(tests, {"SM-ST-001"})), 1)
        self.assertEqual(conformance.errors_of(tests, None), [])


if __name__ == "__main__":
    sys.exit(gtest_xml.main(__name__))
