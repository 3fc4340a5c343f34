#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What operators.py makes of a line and how coverage.py ranks places. usage: mutation_test.py [--xml FILE]"""
import os
import sys
import tempfile
import unittest

import coverage
import operators

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import gtest_xml  # noqa: E402  (needs the path above)


def results(text, line=1):
    """The lines that a mutant of the line leaves."""
    source = operators.Source(text)
    return [source.apply(mutant) for mutant in operators.mutants(source, line)]


# (text, one of its mutants)
MADE = [
    ("if (a == b) return;\n", "if (a != b) return;\n"),
    ("if (a < b) return;\n", "if (a >= b) return;\n"),
    ("x = a && b;\n", "x = a || b;\n"),
    ("x = a | b;\n", "x = a & b;\n"),
    ("x = a << 3;\n", "x = a >> 3;\n"),
    ("x |= mask;\n", "x &= mask;\n"),
    ("return !found;\n", "return found;\n"),
    ("if (found) return;\n", "if (!(found)) return;\n"),
    ("return true;\n", "return false;\n"),
    ("return 0;\n", "return 1;\n"),
    ("x = 0x10;\n", "x = 0x11;\n"),
    ("x = 1'000;\n", "x = 999;\n"),
    ("record(op, event);\n", ";\n"),
    ("core.regs.cr0 = value;\n", ";\n"),
    ("co_await write(entry);\n", ";\n"),
    ("++count;\n", ";\n"),
    ("if (late) drop(entry);\n", "if (late) ;\n"),
    ("rows[] = {\n    {1, 2},\n    {3, 4},\n};\n", "rows[] = {\n    \n    {3, 4},\n};\n", 2),
    ("x = Kind::one;\ny = Kind::two;\n", "x = Kind::two;\ny = Kind::two;\n"),
    ("x = a &&\n    b == c;\n", "x = a &&\n    b != c;\n"),
]
# Nothing can be made of these, or not this.
NOT_MADE = [
    ("// a == b\n", None),
    ('say("a == b");\n', 'say("a != b");\n'),
    ("std::vector<int> list;\n", None),
    ("int found = find(a);\n", ";\n"),
    ("return find(a);\n", ";\n"),
    ("static_assert(a == b);\n", None),
    ("#if a == b\n", None),
    ("tell(core, Step::hit);\n", None),
    ("x = Kind::one;\n", "x = Kind::two;\n"),
    ("x = y.z0;\n", "x = y.z1;\n"),
]


class Operators(unittest.TestCase):
    """Text to mutants."""

    def test_each_row_is_made(self):
        for row in MADE:
            self.assertIn(row[1], results(row[0], *row[2:]), row[0])

    def test_each_row_is_not_made(self):
        for text, mutant in NOT_MADE:
            made = results(text)
            self.assertFalse(made if mutant is None else mutant in made, (text, made))

    def test_a_mutant_differs_from_the_text(self):
        for row in MADE:
            self.assertNotIn(row[0], results(*row[::2]) if len(row) == 3 else results(row[0]))

    def test_a_statement_goes_on_to_its_end(self):
        source = operators.Source("a = b +\n    c;\nd();\n")
        begin, end = source.statement(1)
        self.assertEqual(source.text[begin:end], "a = b +\n    c;\n")


class Ranking(unittest.TestCase):
    """Block lists to scores."""

    def program(self, blocks):
        program = coverage.Program.__new__(coverage.Program)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "blocks")
            with open(path, "w", encoding="utf-8") as file:
                file.write(blocks)
            program.bits, program.weights, self.tests = coverage.read_blocks(path)
        program.weight_of = program.weight
        return program

    def test_a_place_of_the_rules_tests_alone_scores_one(self):
        program = self.program("A.a 10 20\nA.b 10 20\nA.c 20 30\n")
        wanted = program.bits["A.a"] | program.bits["A.b"]
        self.assertEqual(program.score(wanted, self.tests[0x10]), 1)
        self.assertLess(program.score(wanted, self.tests[0x20]), 1)
        self.assertEqual(program.score(wanted, self.tests[0x30]), 0)

    def test_a_test_that_goes_everywhere_counts_less(self):
        program = self.program("A.small 1 2\nA.everywhere " + " ".join(f"{n:x}" for n in range(2, 200)) + "\n")
        wanted = program.bits["A.small"] | program.bits["A.everywhere"]
        self.assertGreater(program.score(wanted, self.tests[1]), program.score(wanted, self.tests[50]))

    def test_results_name_rules(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.xml")
            with open(path, "w", encoding="utf-8") as file:
                file.write('<testsuites><testsuite><testcase name="a" classname="A" status="run" time="0.5"><properties>'
                           '<property name="rule" value="SM-ST-001 SM-ST-002"/></properties></testcase>'
                           '<testcase name="b" classname="A" status="notrun"/></testsuite></testsuites>')
            self.assertEqual(coverage.read_cases(path),
                             [coverage.Case("A.a", "", 0.5, ["SM-ST-001", "SM-ST-002"], True)])


if __name__ == "__main__":
    sys.exit(gtest_xml.main(__name__))
