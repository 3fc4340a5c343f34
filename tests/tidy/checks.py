# SPDX-License-Identifier: MIT
"""The tidy rules: each is a function from a Tree to findings, sentences that begin with FILE:LINE.

A rule is added by writing a function and naming it in CHECKS; tidy_test.py holds an example that breaks it and one that
keeps it.
"""
import os
import re
import subprocess

LINES_MAX = 500
SOURCE = (".h", ".cc")
SCRIPT = (".py", ".sh", ".cmake", "CMakeLists.txt")
BUILD = (".cmake", "CMakeLists.txt", "CMakePresets.json", ".sh", ".in")
TEXT = SOURCE + SCRIPT + (".md", ".json", ".toml", ".in", ".yml")
SPDX = "SPDX-License-" "Identifier: MIT"

# Layer -> layers it may include, itself apart. The first folder of a path that is a key is its layer.
LAYERS = {
    "model/base": (),
    "model/sim": ("model/base",),
    "model/spec": ("model/base",),
    "model/vmsa": ("model/spec", "model/sim", "model/base"),
    "model/smmu": ("model/vmsa", "model/spec", "model/sim", "model/base"),
    "tlm": ("model",),
    "platform": ("tlm", "model"),
    "bench": ("platform", "tlm", "model"),
    # The reference walker is independent of what it judges.
    "tests/random/reference": (),
    "tests": ("tests", "platform", "tlm", "model"),
    "cmake": (),
}
# The model is pure: no SystemC, files, printing, wall clock or host randomness.
MODEL_FORBIDDEN = {"systemc", "systemc.h", "tlm", "tlm.h", "iostream", "fstream", "cstdio", "stdio.h", "chrono", "ctime",
                   "time.h", "filesystem"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Tree:
    """The files of a checkout: path from the root -> lines. Binary files are left out."""

    def __init__(self, root, paths):
        self.root = root
        self.files = {}
        for path in sorted(paths):
            try:
                with open(os.path.join(root, path), encoding="utf-8") as file:
                    self.files[path] = file.read().splitlines()
            except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
                continue

    def of(self, *endings):
        return {path: lines for path, lines in self.files.items() if path.endswith(endings)}

    def scripts(self):
        return {path: lines for path, lines in self.files.items()
                if path.endswith(SCRIPT) or (lines and lines[0].startswith("#!"))}


def list_files(root):
    """What git tracks or would track; without git, every file outside build folders."""
    command = ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, check=True, capture_output=True).stdout.decode()
        return [path for path in listing.split("\0") if path]
    except (OSError, subprocess.CalledProcessError):
        paths = []
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith(("build", ".git", "__pycache__"))]
            paths += [os.path.relpath(os.path.join(folder, name), root) for name in names]
        return paths


def within(path, layer):
    return path == layer or path.startswith(layer + "/")


def layer_of(path):
    return next((layer for layer in LAYERS if within(path, layer)), None)


def includes(lines):
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def grep(files, pattern, message):
    return [f"{path}:{number}: {message}" for path, lines in files.items()
            for number, line in enumerate(lines, 1) if re.search(pattern, line)]


def dependency_direction(tree):
    """Includes go down the layers only; see LAYERS."""
    found = []
    for path, lines in tree.of(*SOURCE).items():
        layer = layer_of(path)
        if layer is None:
            found.append(f"{path}:1: belongs to no layer; move it into one of {', '.join(LAYERS)}")
            continue
        for number, _, name in includes(lines):
            target = layer_of(name)
            if target and target != layer and not any(within(target, allowed) for allowed in LAYERS[layer]):
                found.append(f"{path}:{number}: {layer} must not include {name}; "
                             f"it may use {', '.join(LAYERS[layer]) or 'no other layer'}")
    return found


def includes_from_root(tree):
    """Quoted includes are written from the project root and exist; own headers are quoted."""
    found = []
    for path, lines in tree.of(*SOURCE).items():
        for number, bracket, name in includes(lines):
            own = layer_of(name) is not None
            if bracket == '"' and not os.path.isfile(os.path.join(tree.root, name)):
                found.append(f"{path}:{number}: {name} does not exist below the root; includes are written from there")
            elif bracket == "<" and own and os.path.isfile(os.path.join(tree.root, name)):
                found.append(f'{path}:{number}: <{name}> is a header of the project; write "{name}"')
    return found


def model_is_pure(tree):
    """The model includes no SystemC, files, printing or clocks, and asks the host for nothing."""
    model = {path: lines for path, lines in tree.of(*SOURCE).items() if within(path, "model")}
    found = [f"{path}:{number}: model/ must not include <{name}>" for path, lines in model.items()
             for number, _, name in includes(lines) if name in MODEL_FORBIDDEN or name.startswith("tlm_")]
    return found + grep(model, r"\b(std::random_device|getenv|thread_local)\b", "model/ must not depend on the host")


def spdx_line(tree):
    """The licence stands in the first line of sources and within the first two of scripts."""
    found = [f"{path}:1: first line is not `// {SPDX}`" for path, lines in tree.of(*SOURCE).items()
             if not lines or lines[0] != f"// {SPDX}"]
    return found + [f"{path}:1: no line `# {SPDX}` at the top" for path, lines in tree.scripts().items()
                    if f"# {SPDX}" not in lines[:2]]


def clang_format(tree, program):
    """clang-format 14 would change nothing."""
    paths = [os.path.join(tree.root, path) for path in tree.of(*SOURCE)]
    found = []
    for start in range(0, len(paths), 64):
        result = subprocess.run([program, "--dry-run", "--style=file", *paths[start:start + 64]],
                                capture_output=True, text=True, check=False)
        for line in result.stderr.splitlines():
            match = re.match(r"(.+?:\d+):\d+: warning: (.*)", line)
            if match:
                found.append(f"{os.path.relpath(match.group(1), tree.root)}: {match.group(2)}; run {program} -i")
        if result.returncode != 0 and not found:
            found.append(f"{program}: {result.stderr.strip()}")
    return list(dict.fromkeys(found))


def find_clang_format():
    """(program, None), or (None, reason) where clang-format 14 is not installed."""
    for program in ("clang-format-14", "clang-format"):
        try:
            version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        if re.search(r"version 14\.", version):
            return program, None
    return None, "clang-format 14 (Debian 12's package clang-format) is not installed"


def no_switch_on_co_await(tree):
    """g++ 12 miscompiles it (co_return in a case)."""
    found = []
    for path, lines in tree.of(*SOURCE).items():
        text = "\n".join(lines)
        found += [f"{path}:{text.count(chr(10), 0, match.start()) + 1}: g++ 12 miscompiles a switch over co_await; "
                  "bind the value to a local first" for match in re.finditer(r"\bswitch\s*\(\s*co_await\b", text)]
    return found


def opening_paragraph(tree):
    """The line below the licence begins to say what the file is."""
    return [f"{path}:2: no comment below the licence; say what the file is, which section it implements and what it "
            "must not do" for path, lines in tree.of(*SOURCE).items()
            if len(lines) < 2 or not re.match(r"//.*\w", lines[1])]


def no_unfinished_marks(tree):
    """No reminders in shipped text."""
    return grep({**tree.of(*TEXT), **tree.scripts()}, r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b", "a mark of unfinished work")


def file_length(tree):
    """Small files."""
    return [f"{path}:{len(lines)}: has {len(lines)} lines, at most {LINES_MAX}"
            for path, lines in {**tree.of(*SOURCE), **tree.scripts()}.items() if len(lines) > LINES_MAX]


def no_machine_paths(tree):
    """Nothing depends on where one developer keeps the tree."""
    return grep({**tree.of(*TEXT), **tree.scripts()}, r"(?<![\w./-])/(work|home|root|Users|tmp/w)/\w", "path of one machine")


def no_native_builds(tree):
    """A build runs on any machine of its architecture."""
    return grep({**tree.of(*BUILD), **tree.scripts()}, r"-m(arch|tune|cpu)=" r"native", "builds are not for this machine only")


CHECKS = [dependency_direction, includes_from_root, model_is_pure, spdx_line, opening_paragraph, no_switch_on_co_await,
          no_unfinished_marks, file_length, no_machine_paths, no_native_builds]
