#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs every rule of checks.py over the tree, each as a test of its own. usage: tidy.py [--xml FILE]"""
import os
import sys
import unittest

import checks

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import gtest_xml  # noqa: E402  (needs the path above)

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))


class Tidy(unittest.TestCase):
    """One test a rule, made below."""

    tree = None

    @classmethod
    def setUpClass(cls):
        cls.tree = checks.Tree(ROOT, checks.list_files(ROOT))

    def expect_none(self, findings):
        if findings:
            self.fail("\n".join(findings))

    def test_clang_format(self):
        program, reason = checks.find_clang_format()
        if program is None:
            self.skipTest(reason)
        self.expect_none(checks.clang_format(self.tree, program))

    def test_tree_is_not_empty(self):
        """Guards the other tests: rules over no files always hold."""
        self.assertGreater(len(self.tree.of(".h", ".cc")), 3)


def make_test(check):
    def test(self):
        self.expect_none(check(self.tree))
    test.__doc__ = check.__doc__
    return test


for rule in checks.CHECKS:
    setattr(Tidy, f"test_{rule.__name__}", make_test(rule))

if __name__ == "__main__":
    sys.exit(gtest_xml.main(__name__))
