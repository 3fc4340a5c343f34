# SPDX-License-Identifier: MIT
"""Opens reports in headless Chromium and looks: every picture is drawn and has its size, no text hides another or leaves
its picture, text can be read on its ground, nothing is said on the console, nothing leaves the page.

usage: tests/report/run [--screenshots DIR]
  --screenshots DIR  keeps a PNG of every view
Example: tests/report/run --screenshots views
"""
import argparse
import base64
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from webdriver import Browser

OPTIONS = None
SECONDS_MAX = 120
HERE = os.path.dirname(os.path.abspath(__file__))
TRACES = os.path.join(HERE, "../../traces")
VIEWS = {"light": (1280, False), "dark": (1280, True), "narrow": (420, False)}

# Returns a list of sentences about what is wrong in the page.
LOOK = r"""
const wrong = [];
const box = e => e.getBoundingClientRect();
const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const numbers = colour => colour.match(/[\d.]+/g).map(Number);
const ground = numbers(getComputedStyle(document.body).backgroundColor);
const contrast = colour => {
  const pair = [luminance(numbers(colour)), luminance(ground)].sort((a, b) => b - a);
  return (pair[0] + 0.05) / (pair[1] + 0.05);
};
for (const svg of document.querySelectorAll('svg')) {
  const name = svg.getAttribute('aria-label') || 'a picture without a name';
  const frame = box(svg);
  if (frame.width < 100 || frame.height < 50) wrong.push(`${name}: is ${frame.width} x ${frame.height} pixels`);
  const shapes = [...svg.querySelectorAll('path, polygon, rect, circle')];
  if (shapes.filter(s => s.getBBox().width + s.getBBox().height > 0).length < 3) wrong.push(`${name}: is empty`);
  const texts = [...svg.querySelectorAll('text')].filter(t => t.textContent.trim() !== '');
  if (texts.length < 3) wrong.push(`${name}: has hardly any text`);
  texts.forEach((text, i) => {
    const a = box(text), said = text.textContent.trim();
    if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1 || a.bottom > frame.bottom + 1)
      wrong.push(`${name}: "${said}" leaves the picture`);
    if (!/^rgb/.test(text.parentNode.getAttribute('fill') || '') && contrast(getComputedStyle(text).fill) < 4.5)
      wrong.push(`${name}: "${said}" can't be read on its ground`);
    for (const other of texts.slice(i + 1)) {
      const b = box(other);
      const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      const scale = frame.width / svg.viewBox.baseVal.width;
      if (width > 1 && height > 4 * scale) wrong.push(`${name}: "${said}" and "${other.textContent.trim()}" overlap`);
    }
  });
  for (const line of shapes.filter(s => s.tagName === 'path')) {
    const stroke = getComputedStyle(line).stroke;
    if (/^rgb/.test(stroke) && /--c/.test(line.getAttribute('stroke') || '') && contrast(stroke) < 3)
      wrong.push(`${name}: a line of ${stroke} can't be told from its ground`);
  }
}
for (const text of document.querySelectorAll('h1, h2, h3, p, dt, dd, th, td, figcaption, a'))
  if (!text.closest('.warning') && contrast(getComputedStyle(text).color) < 4.5)
    wrong.push(`"${text.textContent.trim().slice(0, 40)}" can't be read on its ground`);
for (const link of document.querySelectorAll('nav a'))
  if (!document.getElementById(link.getAttribute('href').slice(1))) wrong.push(`${link.textContent} leads nowhere`);
if (document.documentElement.scrollWidth > innerWidth + 1) wrong.push('the page is wider than its window');
for (const cell of document.querySelectorAll('td.n'))
  if (getComputedStyle(cell).textAlign !== 'right') wrong.push('a number does not stand to the right');
return wrong;
"""

BROKEN = """<!DOCTYPE html><body style="background:#fff"><img src="http://127.0.0.1:9/leak.png">
<svg aria-label="tiny" width="20" height="10"></svg>
<svg aria-label="words" width="300" height="200" viewBox="0 0 300 200"><path d="M1,1 L99,99"/><rect width="9" height="9"/>
<circle r="9"/><g><text x="50" y="50">first</text><text x="55" y="52">second</text><text x="290" y="90">outside</text>
<text x="50" y="120" fill="#eee">pale</text></g></svg><script>console.error("said")</script></body>"""


def smmusim(*arguments):
    """Runs the program; its failure is the test's."""
    subprocess.run([OPTIONS.program, *arguments], check=True, timeout=SECONDS_MAX, stdout=subprocess.DEVNULL)


def trace(name):
    return os.path.join(TRACES, f"linux72-nvme-{name}.trace")


def vary(*keys):
    return [word for key in keys for word in ("--vary", key)]


class Reports(unittest.TestCase):
    """Each kind of page in each view."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="smmusim-report-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.browser = cls.enterClassContext(Browser())

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def check(self, name):
        """Opens the page in the folder `name` and looks at every view of it."""
        url = pathlib.Path(self.path(name), "report.html").as_uri()
        self.browser.open(url)
        for view, (width, dark) in VIEWS.items():
            with self.subTest(view=view):
                self.browser.show(width, 1000, dark)
                self.assertEqual(self.browser.run(LOOK), [])
                if OPTIONS.screenshots:
                    with open(os.path.join(OPTIONS.screenshots, f"{name}-{view}.png"), "wb") as file:
                        file.write(base64.b64decode(self.browser.screenshot()))
        self.assertGreater(self.browser.run("return document.querySelectorAll('svg').length"), 0)
        self.assertEqual(self.browser.console(), [])
        self.assertEqual(self.browser.requests(), [url])

    def sweep(self, name, *keys, source="seqwrite"):
        smmusim("sweep", "--trace", trace(source), *vary(*keys), "--out", self.path(name))
        self.check(name)

    def test_run(self):
        smmusim("run", "--trace", trace("mixed"), "--out", self.path("run"))
        self.check("run")

    def test_nested_run(self):
        smmusim("run", "--trace", trace("randread"), "--set", "smmu.stages=nested", "--set", "driver.stages=nested",
                "--out", self.path("nested"))
        self.check("nested")

    def test_untimed_run(self):
        smmusim("run", "--trace", trace("seqwrite"), "--mode", "untimed", "--out", self.path("untimed"))
        self.check("untimed")

    def test_run_with_faults(self):
        """A trace of which every fifth access has no mapping."""
        smmusim("trace", "gen", "random", "--count", "500", "--streams", "3", "--text", "-o", self.path("all.txt"))
        lines = pathlib.Path(self.path("all.txt")).read_text(encoding="utf-8").splitlines()
        cut = [line.split(" pa=")[0] if number % 5 == 0 else line for number, line in enumerate(lines)]
        pathlib.Path(self.path("some.txt")).write_text("\n".join(cut) + "\n", encoding="utf-8")
        smmusim("run", "--trace", self.path("some.txt"), "--out", self.path("faults"))
        self.check("faults")

    def test_run_with_hostile_names(self):
        evil = "\"><img src=x onerror=alert(1)><script>alert(2)</script>'`{}&amp;"
        with open(self.path("c.toml"), "w", encoding="utf-8") as file:
            file.write(f"[[endpoint]]\nname = '''{evil}'''\nbdf = '00:01.0'\n")
        smmusim("run", self.path("c.toml"), "--trace", trace("seqwrite"), "--out", self.path("hostile"))
        self.check("hostile")

    def test_sweep_of_a_number(self):
        self.sweep("one", "memory.latency_ns=30,60,120,240,480,960")

    def test_sweep_of_names(self):
        self.sweep("names", "preset=mmu600-like,mmu700-like,gem5-like,minimal")

    def test_sweep_of_two_keys(self):
        self.sweep("two", "smmu.oas=40,44,48", "endpoint.ats=off,on,auto")

    def test_sweep_of_two_keys_with_many_values(self):
        self.sweep("many", "memory.latency_ns=" + ",".join(str(30 * i) for i in range(1, 19)), "pcie.generation=3,5")
        self.sweep("wide", "pcie.generation=3,5", "memory.latency_ns=" + ",".join(str(30 * i) for i in range(1, 19)))

    def test_sweep_of_three_keys(self):
        self.sweep("three", "smmu.tcu.walkers=1,4,16", "memory.latency_ns=30,120,480", "pcie.generation=3,5")

    def test_what_is_wrong_is_seen(self):
        """A page with every fault that the others must not have."""
        broken = pathlib.Path(self.path("broken.html"))
        broken.write_text(BROKEN, encoding="utf-8")
        self.browser.show(1280, 1000, False)
        self.browser.open(broken.as_uri())
        said = "\n".join(self.browser.run(LOOK))
        for sentence in ("tiny: is ", "tiny: is empty", '"first" and "second" overlap', '"outside" leaves the picture',
                         '"pale" can\'t be read'):
            self.assertIn(sentence, said)
        self.assertIn("said", "\n".join(self.browser.console()))
        self.assertIn("http://127.0.0.1:9/leak.png", self.browser.requests())


def main():
    global OPTIONS
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1], add_help=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--screenshots")
    OPTIONS = parser.parse_args()
    if OPTIONS.screenshots:
        os.makedirs(OPTIONS.screenshots, exist_ok=True)
    result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromTestCase(Reports))
    bad = {str(getattr(test, "test_case", test)) for test, _ in result.failures + result.errors}
    print(f"{result.testsRun - len(bad)} passed, {len(bad)} failed", flush=True)
    return 1 if bad or result.testsRun == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
