#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots Linux behind smmusim in many ways and checks what comes of it.

usage: tests/peer/linux/run [--quick] [--case PATTERN]... [--list] [--kernel VERSION|FILE] [--qemu PATH]
  --quick          one boot with NVMe, recorded and replayed, in under 3 minutes (what CI does)
  --case PATTERN   only cases whose name matches this regular expression; may be repeated
  --list           the names of the cases
  --kernel, --qemu as smmusim cosim linux takes them, for the cases that do not choose themselves
Without --quick also the long ones: 16,000 random reads and 50 rounds of each device, 20 boots, the speed beside QEMU's
own SMMU. The last line is `N passed, N failed[, N skipped]`.
Example: tests/peer/linux/run --case 'features' --case bad_dma
"""
import argparse
import os
import re
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases_data  # noqa: E402  (these need the path above)
import cases_faults  # noqa: E402
import cases_long  # noqa: E402
import cases_setup  # noqa: E402
from guest import Failed, Skip  # noqa: E402

CASES = cases_data.CASES + cases_setup.CASES + cases_faults.CASES + cases_long.CASES


class Case:
    """What a case's function gets."""

    def __init__(self, options):
        self.options = options
        self.notes = []
        self.folder = tempfile.TemporaryDirectory(prefix="smmusim-case-")

    def scratch(self, name):
        """The path of a file that goes away with the case."""
        return os.path.join(self.folder.name, name)

    def common(self, arguments):
        """The options of the run that the case does not give itself."""
        words = []
        for name in ("--kernel", "--qemu"):
            value = getattr(self.options, name[2:])
            if value and name not in arguments:
                words += [name, value]
        return words

    def note(self, text):
        """Something to show beside the result."""
        self.notes.append(text)


def run_case(name, function, options):
    """"passed", "failed" or "skipped"."""
    case, begin = Case(options), time.monotonic()
    outcome, reason = "passed", ""
    try:
        function(case)
    except Skip as skip:
        outcome, reason = "skipped", str(skip)
    except Failed as failed:
        outcome, reason = "failed", str(failed)
    print(f"{outcome:8}{name:34}{time.monotonic() - begin:7.1f} s  {'; '.join(case.notes)}".rstrip(), flush=True)
    if reason:
        print("  " + reason.replace("\n", "\n  "), flush=True)
    return outcome


def parse():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--kernel", default="")
    parser.add_argument("--qemu", default="")
    parser.add_argument("--program", default="build/smmusim")
    parser.add_argument("--help", "-h", action="store_true")
    options = parser.parse_args()
    if options.help:
        print(__doc__)
        sys.exit(0)
    options.program = os.path.abspath(options.program)
    return options


def main():
    options = parse()
    chosen = [(name, function) for name, function, quick in CASES
              if (quick or not options.quick) and
              (not options.case or any(re.search(pattern, name) for pattern in options.case))]
    if options.list:
        print("\n".join(name for name, _ in chosen))
        return 0
    if not chosen:
        print("tests/peer/linux/run: no case has such a name; see --list", file=sys.stderr)
        return 2
    outcomes = [run_case(name, function, options) for name, function in chosen]
    counts = {kind: outcomes.count(kind) for kind in ("passed", "failed", "skipped")}
    line = f"{counts['passed']} passed, {counts['failed']} failed"
    print(line + (f", {counts['skipped']} skipped" if counts["skipped"] else ""))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
