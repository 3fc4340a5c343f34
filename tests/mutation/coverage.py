# SPDX-License-Identifier: MIT
"""Which lines of model/ the tests of a rule run, and how few others do: from the block lists that blocks.cc writes and
GoogleTest's result files. Standard library and binutils (nm, addr2line).
"""
import bisect
import collections
import functools
import operator
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

RULE = re.compile(r"\bSM-[A-Z]+-\d{3}\b")

Case = collections.namedtuple("Case", "name file seconds rules passed")
# A place to break: score is 1 where exactly the rule's tests run it.
Place = collections.namedtuple("Place", "program file line function score")


def read_cases(path):
    """The tests of a result file."""
    cases = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.get("status") == "notrun":
            continue
        rules = [rule for item in case.iter("property") if item.get("name") == "rule"
                 for rule in RULE.findall(item.get("value", ""))]
        failed = case.find("failure") is not None or case.find("skipped") is not None
        cases.append(Case(f"{case.get('classname')}.{case.get('name')}", case.get("file", ""),
                          float(case.get("time", "0")), rules, not failed))
    return cases


def read_blocks(path):
    """(bits, weights, tests): the bit of each test's name, the weight of each bit, and offset -> bits of the tests that
    ran the block there. A test that goes everywhere says little about a place: its weight is 1 / blocks."""
    bits, weights = {}, []
    tests_of = collections.defaultdict(int)
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, *offsets = line.split()
            bit = bits[name] = 1 << len(bits)
            weights.append(1 / (1 + len(offsets)))
            for offset in offsets:
                tests_of[int(offset, 16)] |= bit
    return bits, weights, tests_of


def functions_of(program):
    """(base, addresses, names): where the program starts and its functions by address."""
    listing = subprocess.run(["nm", "-n", program], check=True, capture_output=True, text=True).stdout
    base = 0
    addresses, names = [], []
    for line in listing.splitlines():
        address, kind, name = (line.split(maxsplit=2) + ["", ""])[:3]
        if name == "__executable_start":
            base = int(address, 16)
        elif kind in "tTwW" and name:
            addresses.append(int(address, 16))
            names.append(name)
    return base, addresses, names


def lines_of(program, addresses):
    """(file, line) of each address."""
    text = "\n".join(hex(address) for address in addresses)
    out = subprocess.run(["addr2line", "-e", program], input=text, check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        name, _, number = line.partition(" (")[0].rpartition(":")
        yield os.path.normpath(name), int(number) if number.isdigit() else 0


class Program:
    """One test program: its tests, and the blocks of model/ that they run."""

    def __init__(self, name, path, blocks, results, root):
        self.name, self.path = name, path
        self.cases = {case.name: case for case in read_cases(results)}
        self.bits, self.weights, tests_of = read_blocks(blocks)
        self.weight_of = functools.cache(self.weight)
        base, starts, names = functions_of(path)
        offsets = sorted(tests_of)
        # The callback's return address lies behind the call; one less is in the call and so on its line.
        addresses = [base + offset - 1 for offset in offsets]
        model = os.path.join(root, "model") + os.sep
        self.blocks_at = collections.defaultdict(list)  # (file, line) -> [(function, tests)]
        for offset, address, (file, line) in zip(offsets, addresses, lines_of(path, addresses)):
            if file.startswith(model) and line:
                function = names[bisect.bisect_right(starts, address) - 1]
                self.blocks_at[os.path.relpath(file, root), line].append((function, tests_of[offset]))

    def tests_of(self, rule):
        return {case.name for case in self.cases.values() if rule in case.rules}

    def weight(self, tests):
        total = 0.0
        while tests:
            total += self.weights[(tests & -tests).bit_length() - 1]
            tests &= tests - 1
        return total

    def score(self, wanted, tests):
        """The tests that both have over those that either has, by weight."""
        common = self.weight_of(wanted & tests)
        return common / (self.weight_of(wanted) + self.weight_of(tests) - common)

    def places(self, rule):
        """Where the rule's tests go, the places that belong to them most first."""
        wanted = functools.reduce(operator.or_, (self.bits[test] for test in self.tests_of(rule)), 0)
        found = []
        for (file, line), blocks in self.blocks_at.items():
            if len({function for function, _ in blocks}) > 1:
                # A template: a change of its text changes every instance.
                candidates = [(blocks[0][0], functools.reduce(operator.or_, (tests for _, tests in blocks)))]
            else:
                candidates = blocks
            scores = [(self.score(wanted, tests), function) for function, tests in candidates if wanted & tests]
            if scores:
                score, function = max(scores)
                found.append(Place(self.name, file, line, function, score))
        return sorted(found, key=lambda place: (-place.score, place.file, place.line))
