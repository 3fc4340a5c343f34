# SPDX-License-Identifier: MIT
"""Mutations of C++ text: for a line of a file, what may be written instead. Works from text alone and knows the style of
this tree (clang-format: binary operators stand between spaces, template brackets do not). Standard library only.
"""
import collections
import re

LINES_MAX = 8  # of one statement
# begin and end are offsets in the file; old and new are for the report.
Mutant = collections.namedtuple("Mutant", "operator begin end new")

SWAPS = (
    ("comparison", " == ", " != "), ("comparison", " != ", " == "), ("comparison", " < ", " >= "),
    ("comparison", " > ", " <= "), ("comparison", " <= ", " > "), ("comparison", " >= ", " < "),
    ("connective", " && ", " || "), ("connective", " || ", " && "), ("arithmetic", " + ", " - "),
    ("arithmetic", " - ", " + "), ("arithmetic", " & ", " | "), ("arithmetic", " | ", " & "),
    ("arithmetic", " << ", " >> "), ("arithmetic", " >> ", " << "), ("assignment", " |= ", " &= "),
    ("assignment", " &= ", " |= "), ("assignment", " += ", " -= "), ("assignment", " -= ", " += "),
)
TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
# Digit separators are no character literals; they are masked as underscores.
SEPARATOR = re.compile(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])")
NUMBER = re.compile(r"(?<![\w.])(0x[0-9a-fA-F_]+|\d[\d_]*)([uUlL]*)(?![\w.])")
ENUMERATOR = re.compile(r"\b((?:\w+::)*[A-Z]\w*)::([A-Za-z_]\w*)\b(?!\s*(?:[(<{]|::))")
STATEMENT = re.compile(r"(?:co_await )?(?:\+\+|--)?(?!return\b|co_return\b|using\b|break\b|continue\b|case\b|default\b)"
                       r"[A-Za-z_][\w:]*(?:(?:\.|->)\w+|\[[^\]]*\]|\([^;{}]*\))*(?:\+\+|--| (?:[-+|&^]|<<|>>)?= [^;{}]*)?;")


def masked(text):
    """text with comments, strings and directives blanked, so that offsets stay."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    text = TOKENS.sub(blank, SEPARATOR.sub("_", text))
    return re.sub(r"^#.*$", blank, text, flags=re.MULTILINE)


class Source:
    """A file, its lines, and its text without what the compiler does not read."""

    def __init__(self, text):
        self.text = text
        self.masked = masked(text)
        self.starts = [0]
        for match in re.finditer("\n", text):
            self.starts.append(match.end())
        self.enumerators = collections.defaultdict(set)
        for match in ENUMERATOR.finditer(self.masked):
            self.enumerators[match[1]].add(match[2])

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def statement(self, line):
        """(begin, end) of what begins at a line, 1 the first: up to `;`, a brace or a comma that ends a line."""
        begin = self.starts[line - 1]
        end = begin
        for number in range(line, min(line + LINES_MAX, len(self.starts))):
            end = self.starts[number]
            if self.masked[begin:end].rstrip().endswith((";", "{", "}", "},", ":")):
                break
        return begin, end

    def apply(self, mutant):
        return self.text[:mutant.begin] + mutant.new + self.text[mutant.end:]


def swaps(source, begin, end):
    for operator, old, new in SWAPS:
        for match in re.finditer(re.escape(old), source.masked[begin:end]):
            at = begin + match.start()
            yield Mutant(operator, at, at + len(old), new)


def constants(source, begin, end):
    part = source.masked[begin:end]
    for match in re.finditer(r"\b(true|false)\b", part):
        yield Mutant("constant", begin + match.start(), begin + match.end(), "false" if match[1] == "true" else "true")
    for match in NUMBER.finditer(part):
        digits = match[1].replace("_", "")
        value = int(digits, 16) if digits.startswith("0x") else int(digits) if digits.isdigit() else None
        if value is None or (digits.startswith("0") and digits != "0" and not digits.startswith("0x")):
            continue
        for changed in (value + 1, value - 1):
            if changed >= 0:
                new = hex(changed) if digits.startswith("0x") else str(changed)
                yield Mutant("constant", begin + match.start(), begin + match.end(), new + match[2])


def negations(source, begin, end):
    part = source.masked[begin:end]
    for match in re.finditer(r"(?<![\w=!<>])!(?=[\w(])", part):
        yield Mutant("negation", begin + match.start(), begin + match.end(), "")
    for match in re.finditer(r"\b(?:if|while) \(", part):
        close = closing(source.masked, begin + match.end() - 1)
        condition = source.masked[begin + match.end():close] if close else ""
        if close and ";" not in condition and not condition.startswith("const"):
            old = source.text[begin + match.end():close]
            yield Mutant("negation", begin + match.end(), close, f"!({old})")


def closing(text, opening):
    """The offset of the bracket that closes the one at opening; None where it does not close."""
    depth = 0
    for at in range(opening, len(text)):
        if text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            depth -= 1
            if depth == 0:
                return at
    return None


def removals(source, begin, end):
    """A statement that is a call or an assignment; a row of a table."""
    part = source.masked[begin:end]
    indent = len(part) - len(part.lstrip())
    statement = STATEMENT.match(part, indent)
    if statement and re.search(r"[(=]|\+\+|--", statement.group()):
        yield Mutant("removed statement", begin + statement.start(), begin + statement.end(), ";")
    inner = re.search(r"\) ((?!return\b)[A-Za-z_][^;{}]*;)\s*$", part)
    if inner and STATEMENT.fullmatch(inner[1]) and re.search(r"[(=]", inner[1]):
        yield Mutant("removed statement", begin + inner.start(1), begin + inner.end(1), ";")
    if part[indent:indent + 1] == "{":
        close = closing(source.masked, begin + indent)
        if close and source.masked[close + 1:close + 2] == ",":
            yield Mutant("removed row", begin + indent, close + 2, "")


def enumerators(source, begin, end):
    for match in ENUMERATOR.finditer(source.masked, begin, end):
        for other in sorted(source.enumerators[match[1]] - {match[2]})[:3]:
            yield Mutant("other enumerator", match.start(2), match.end(2), other)


def mutants(source, line):
    """Every mutation of what begins at a line. What an observer is told is no behaviour of the architecture."""
    begin, end = source.statement(line)
    if re.match(r"\s*(static_assert|CHECK|using|namespace|tell\(|case .*:\s*$)", source.masked[begin:end]):
        return []
    found = []
    for kind in (swaps, negations, removals, enumerators, constants):
        found += kind(source, begin, end)
    return found
