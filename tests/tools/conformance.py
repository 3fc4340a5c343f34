# SPDX-License-Identifier: MIT
"""The conformance checklist: which rules of ../shared/reference/conformance-*.md the tests of a run name.

Written as {"SM-ST-001": {"status": "pass", "tests": ["Suite.Name"]}}. A rule fails if one of its tests fails, and is
skipped only if all of them were. Standard library only.
"""
import glob
import json
import os
import re

RULES_A_TEST_MAX = 4
RULE = re.compile(r"\bSM-[A-Z0-9]+-\d+[a-z]?\b")


def known_rules(folder):
    """The IDs of the reference lists in folder, or None where the lists are not there."""
    paths = glob.glob(os.path.join(folder, "conformance-*.md"))
    if not paths:
        return None
    known = set()
    for path in paths:
        with open(path, encoding="utf-8") as file:
            known.update(RULE.findall(file.read()))
    return known


def errors_of(tests, known):
    """One sentence for each test that names too many rules or one that does not exist."""
    errors = []
    for test in tests:
        if len(test.rules) > RULES_A_TEST_MAX:
            errors.append(f"{test.name}: names {len(test.rules)} rules; at most {RULES_A_TEST_MAX} a test")
        for rule in test.rules:
            if known is not None and rule not in known:
                errors.append(f"{test.name}: rule {rule} is not in the conformance lists; name one that is")
    return errors


def checklist(tests):
    """The JSON value for the tests of a run, ordered by ID."""
    rules = {}
    for test in tests:
        for rule in test.rules:
            rules.setdefault(rule, []).append(test)
    result = {}
    for rule in sorted(rules):
        found = {test.status for test in rules[rule]}
        status = "fail" if "fail" in found else "pass" if "pass" in found else "skip"
        result[rule] = {"status": status, "tests": sorted({test.name for test in rules[rule]})}
    return result


def write(path, tests):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(checklist(tests), file, indent=1)
        file.write("\n")
