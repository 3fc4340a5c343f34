# SPDX-License-Identifier: MIT
"""Runs the unittest classes of a module and, with --xml FILE, leaves the results in GoogleTest's XML form."""
import sys
import unittest
import xml.etree.ElementTree as ElementTree


class Result(unittest.TextTestResult):
    """Keeps (test, kind, text) of every test that ended."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.ended = []

    def addSuccess(self, test):
        super().addSuccess(test)
        self.ended.append((test, "", ""))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.ended.append((test, "skipped", reason))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.ended.append((test, "failure", str(err[1])))

    def addError(self, test, err):
        super().addError(test, err)
        self.ended.append((test, "failure", self._exc_info_to_string(err, test)))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.ended.append((subtest, "failure", str(err[1])))


def name_of(test):
    """Class and test name; a subtest is named as its test, a class that failed to set up as itself."""
    test = getattr(test, "test_case", test)
    return type(test).__name__, getattr(test, "_testMethodName", str(test))


def write(path, ended):
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(root, "testsuite")
    for test, kind, text in ended:
        class_name, name = name_of(test)
        case = ElementTree.SubElement(suite, "testcase", classname=class_name, name=name, status="run")
        if kind:
            ElementTree.SubElement(case, kind, message=text)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def main(module):
    """The exit code of running module's tests; sys.argv may hold --xml FILE."""
    path = sys.argv[sys.argv.index("--xml") + 1] if "--xml" in sys.argv else None
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[module])
    result = unittest.TextTestRunner(resultclass=Result).run(suite)
    if path:
        write(path, result.ended)
    return 0 if result.wasSuccessful() and result.testsRun else 1
