# SPDX-License-Identifier: MIT
"""Builds the test programs once, and mutants of them: a mutant is the objects that hold the changed text, compiled with
an overlay folder before the tree in the include path, linked in front of everything else. The tree is only read.
Standard library only.
"""
import collections
import json
import os
import re
import resource
import shlex
import shutil
import subprocess
import zlib

from coverage import Program

MEMORY_MAX = 8 << 30  # of a mutant's run; a broken loop may allocate without end
OBJECTS_MAX = 6       # that are compiled for one mutant

Outcome = collections.namedtuple("Outcome", "kind detail")  # kind: killed, survived or broken (does not build)


class BuildError(Exception):
    """The unbroken tree does not build, or its tests do not pass."""


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", **options)


class Workshop:
    def __init__(self, root, cache, jobs, folders):
        self.root, self.folders = root, folders
        self.cache = os.path.join(cache, f"{zlib.crc32(root.encode()):08x}")
        self.build = os.path.join(self.cache, "build")
        os.makedirs(self.build, exist_ok=True)
        self.build_all(jobs)
        self.programs = {folder: self.measure(folder) for folder in folders}
        self.read_commands()

    def build_all(self, jobs):
        steps = (["cmake", "-S", os.path.join(self.root, "tests/mutation"), "-B", self.build, "-G", "Ninja",
                  f"-DSMMUSIM_MUTATION_FOLDERS={';'.join(self.folders)}"],
                 ["cmake", "--build", self.build, "--parallel", str(jobs)])
        for step in steps:
            done = run(step)
            if done.returncode != 0:
                raise BuildError(f"{' '.join(step)} failed:\n{(done.stdout + done.stderr)[-3000:]}")

    def measure(self, folder):
        """Runs a program once for its blocks, unless that was done since it was linked."""
        path = os.path.join(self.build, f"test_{folder}")
        blocks, results = (os.path.join(self.cache, f"{folder}.{kind}") for kind in ("blocks", "xml"))
        if not os.path.exists(results) or os.path.getmtime(results) < os.path.getmtime(path):
            for old in (blocks, results):
                if os.path.exists(old):
                    os.remove(old)
            run([path, f"--gtest_output=xml:{results}"], cwd=self.root, env={**os.environ, "SMMUSIM_BLOCKS": blocks})
        if not os.path.exists(results):
            raise BuildError(f"{path} died; run tests/run first")
        program = Program(folder, path, blocks, results, self.root)
        failed = [case.name for case in program.cases.values() if case.rules and not case.passed]
        if failed:
            raise BuildError(f"tests fail or are skipped before anything is broken: {', '.join(failed[:5])}")
        return program

    def read_commands(self):
        with open(os.path.join(self.build, "compile_commands.json"), encoding="utf-8") as file:
            self.compile_of = {}  # object -> (command, source)
            for entry in json.load(file):
                words = shlex.split(entry["command"])
                self.compile_of[words[words.index("-o") + 1]] = (words, entry["file"])
        self.link_of = {}
        for folder in self.folders:
            last = run(["ninja", "-C", self.build, "-t", "commands", f"test_{folder}"]).stdout.splitlines()[-1]
            words = shlex.split(last.partition("&& ")[2].rpartition(" && :")[0])
            self.link_of[folder] = words
        self.objects_of = collections.defaultdict(list)  # source or header -> objects
        target = None
        for line in run(["ninja", "-C", self.build, "-t", "deps"]).stdout.splitlines():
            if not line.startswith(" "):
                target = line.split(":")[0]
            elif target and line.strip().startswith(self.root + os.sep):
                self.objects_of[os.path.relpath(line.strip(), self.root)].append(target)
        self.symbols = {}

    def defined_in(self, obj):
        """function -> kind of symbol, of an object."""
        if obj not in self.symbols:
            listing = run(["nm", os.path.join(self.build, obj)]).stdout
            self.symbols[obj] = {words[-1]: words[-2] for words in map(str.split, listing.splitlines())
                                 if len(words) >= 2 and words[-2] in "tTwW"}
        return self.symbols[obj]

    def objects_for(self, place):
        """What must be compiled again so that the function is the mutant everywhere in the place's program. An inline
        function is one definition for the whole program: without optimisation it is called, and the first one linked
        wins."""
        linked = [obj for obj in self.objects_of[place.file]
                  if "model.dir" in obj or "support.dir" in obj or f"test_{place.program}.dir" in obj]
        linked.sort(key=lambda obj: "model.dir" not in obj)
        found = [(obj, self.defined_in(obj)[place.function]) for obj in linked if place.function in self.defined_in(obj)]
        weak = [obj for obj, kind in found if kind in "wW"]
        return weak[:1] if weak else [obj for obj, _ in found]

    def attempt(self, place, text, tests, name):
        """Compiles and links the mutant whose file has this text, and runs the tests. name is that of a folder of its
        own, which is gone afterwards."""
        objects = self.objects_for(place)
        if not objects or len(objects) > OBJECTS_MAX:
            return Outcome("broken", f"{len(objects)} objects")
        room = os.path.join(self.cache, name)
        shutil.rmtree(room, ignore_errors=True)
        try:
            program = self.made(place, text, objects, room)
            return self.judge(program, self.programs[place.program], tests)
        except BuildError as error:
            return Outcome("broken", str(error))
        finally:
            shutil.rmtree(room, ignore_errors=True)

    def made(self, place, text, objects, room):
        """The path of the mutant's program. Raises BuildError where the compiler or the linker refuses it."""
        overlay = os.path.join(room, "overlay", place.file)
        os.makedirs(os.path.dirname(overlay))
        with open(overlay, "w", encoding="utf-8") as file:
            file.write(text)
        mine = [os.path.join(room, f"{number}.o") for number in range(len(objects))]
        for obj, path in zip(objects, mine):
            words, source = self.compile_of[obj]
            exchange = {obj: path}
            if os.path.relpath(source, self.root) == place.file:
                exchange[source] = overlay
            # The tracing is of no use here, and the compiler cache none for a text that is compiled once.
            words = [exchange.get(word, word) for word in words
                     if not word.startswith("-fsanitize-coverage") and not word.endswith("ccache")]
            build([words[0], "-I" + os.path.join(room, "overlay"), *words[1:]], self.build)
        program = os.path.join(room, "program")
        words = [program if word == f"test_{place.program}" else word for word in self.link_of[place.program]
                 if word not in objects]
        first = next(index for index, word in enumerate(words) if word == "-o" or word.endswith(".o"))
        build(words[:first] + mine + words[first:], self.build)
        return program

    def judge(self, program, original, tests):
        usual = sum(original.cases[test].seconds for test in tests)
        limit = 10 + 10 * usual
        command = [program, "--gtest_fail_fast", f"--gtest_filter={':'.join(sorted(tests))}"]
        try:
            done = run(command, cwd=self.root, timeout=limit, preexec_fn=limit_memory)
        except subprocess.TimeoutExpired:
            return Outcome("killed", "a time-out")
        if done.returncode == 0:
            return Outcome("survived", "")
        failed = re.search(r"^\[  FAILED  \] ([^\s,]+)", done.stdout, re.MULTILINE)
        started = re.findall(r"^\[ RUN      \] (\S+)", done.stdout, re.MULTILINE)
        if failed:
            return Outcome("killed", failed[1])
        return Outcome("killed", (started[-1] if started else "the program") + ", which died")


def build(command, folder):
    done = run(command, cwd=folder)
    if done.returncode != 0:
        raise BuildError(first_error(done.stderr))


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def first_error(text):
    return next((line for line in text.splitlines() if "error" in line), "no reason given")
