#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tidy rules can fail: each is shown a file that breaks it and one that keeps it. usage: tidy_test.py [--xml FILE]"""
import os
import sys
import tempfile
import unittest

import checks

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import gtest_xml  # noqa: E402  (needs the path above)

SPDX = "// " + checks.SPDX + "\n"
# The words are put together here so that this file keeps the rules itself.
AWAIT = "switch " + "(co_await x) {}\n"
SPLIT_AWAIT = "switch " + "(\n    co_await x) {}\n"
MARK = "// TO" + "DO later\n"
NATIVE = "-march=" + "native\n"
HOME = "/ho" + "me/someone/file\n"

# rule, path, text, line of the finding or None where the rule holds
ROWS = [
    (checks.dependency_direction, "model/base/a.h", '#include "model/sim/b.h"\n', 1),
    (checks.dependency_direction, "model/spec/a.h", SPDX + '#include "model/sim/b.h"\n', 2),
    (checks.dependency_direction, "model/sim/a.h", '#include "model/spec/b.h"\n', 1),
    (checks.dependency_direction, "model/vmsa/a.h", '#include "model/smmu/b.h"\n', 1),
    (checks.dependency_direction, "model/smmu/a.h", '#include "tlm/b.h"\n', 1),
    (checks.dependency_direction, "tlm/a.h", '#  include "platform/b.h"\n', 1),
    (checks.dependency_direction, "platform/x/a.cc", '#include "tests/b.h"\n', 1),
    (checks.dependency_direction, "tests/random/reference/a.cc", '#include "model/base/b.h"\n', 1),
    (checks.dependency_direction, "model/a.h", "\n", 1),
    (checks.dependency_direction, "elsewhere/a.cc", "\n", 1),
    (checks.dependency_direction, "model/smmu/a.h", '#include "model/base/b.h"\n#include "model/smmu/c.h"\n', None),
    (checks.dependency_direction, "platform/a.h", '#include "model/spec/b.h"\n#include "tlm/c.h"\n#include <tlm>\n', None),
    (checks.dependency_direction, "tests/unit/a.cc", '#include "platform/b.h"\n#include "tests/support/c.h"\n', None),
    (checks.includes_from_root, "tlm/a.h", '#include "b.h"\n', 1),
    (checks.includes_from_root, "tlm/a.h", "#include <tlm/a.h>\n", 1),
    (checks.includes_from_root, "tlm/a.h", '#include "tlm/a.h"\n#include <vector>\n', None),
    (checks.model_is_pure, "model/base/a.h", "#include <iostream>\n", 1),
    (checks.model_is_pure, "model/base/a.h", "#include <vector>\n#include <systemc>\n", 2),
    (checks.model_is_pure, "model/smmu/a.cc", "int x = std::random_device{}();\n", 1),
    (checks.model_is_pure, "platform/a.h", "#include <iostream>\n", None),
    (checks.spdx_line, "tlm/a.h", "// a header\n" + SPDX, 1),
    (checks.spdx_line, "tool", "#!/bin/sh\necho\n", 1),
    (checks.spdx_line, "tlm/a.h", SPDX, None),
    (checks.spdx_line, "notes.txt", "no licence needed\n", None),
    (checks.opening_paragraph, "tlm/a.cc", SPDX + '#include "tlm/a.h"\n', 2),
    (checks.opening_paragraph, "tlm/a.cc", SPDX + "//\n// What this is.\n", 2),
    (checks.opening_paragraph, "tlm/a.cc", SPDX, 2),
    (checks.opening_paragraph, "tlm/a.cc", SPDX + "// What this is.\n", None),
    (checks.no_switch_on_co_await, "tlm/a.cc", "\n" + AWAIT, 2),
    (checks.no_switch_on_co_await, "tlm/a.cc", "\n\n" + SPLIT_AWAIT, 3),
    (checks.no_switch_on_co_await, "tlm/a.cc", "switch (x) {\n  case 1:\n    co_await y;\n}\n", None),
    (checks.no_switch_on_co_await, "tlm/a.cc", "auto x = co_await y;\nswitch (x) {}\n", None),
    (checks.no_unfinished_marks, "README.md", MARK, 1),
    (checks.no_unfinished_marks, "README.md", "a to-do list\n", None),
    (checks.file_length, "tlm/a.cc", "\n" * 501, 501),
    (checks.file_length, "tlm/a.cc", "\n" * 500, None),
    (checks.no_machine_paths, "README.md", HOME, 1),
    (checks.no_machine_paths, "README.md", "http://example.com" + HOME, None),
    (checks.no_native_builds, "CMakeLists.txt", "add_compile_options(" + NATIVE, 1),
    (checks.no_native_builds, "README.md", "no " + NATIVE, None),
]


def findings(check, path, text):
    with tempfile.TemporaryDirectory() as root:
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        return check(checks.Tree(root, checks.list_files(root)))


class TidyRules(unittest.TestCase):
    """One test a row."""

    def test_every_rule_has_a_row_that_breaks_it(self):
        broken = {row[0] for row in ROWS if row[3] is not None}
        self.assertEqual([check.__name__ for check in checks.CHECKS if check not in broken], [])

    def test_clang_format_reports_a_badly_set_line(self):
        program, reason = checks.find_clang_format()
        if program is None:
            self.skipTest(reason)
        found = findings(lambda tree: checks.clang_format(tree, program), "tlm/a.cc", "int  x ;\n")
        self.assertTrue(found and found[0].startswith("tlm/a.cc:1: "), found)


def make_test(check, path, text, line):
    def test(self):
        found = findings(check, path, text)
        if line is None:
            self.assertEqual(found, [])
        else:
            self.assertEqual(len(found), 1, found)
            self.assertTrue(found[0].startswith(f"{path}:{line}: "), found)
    return test


for index, row in enumerate(ROWS):
    verb = "holds" if row[3] is None else "is_broken"
    setattr(TidyRules, f"test_row_{index:02}_{row[0].__name__}_{verb}", make_test(*row))

if __name__ == "__main__":
    sys.exit(gtest_xml.main(__name__))
