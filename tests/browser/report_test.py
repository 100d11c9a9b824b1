#!/usr/bin/env python3
"""The HTML report of `nibble compare` in headless Chromium: on a phone and a desk, light and dark, printed.

NIBBLE names the program (default: build/release/nibble), CHROMIUM the browser.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NIBBLE = Path(os.environ.get("NIBBLE", ROOT / "build" / "release" / "nibble"))
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
MODEL = ROOT / "assets" / "lab-7m"
TEXT = ROOT / "assets" / "lab-7m-text" / "evaluation.txt"
TYPES = ("q8_0", "q4_k_m", "q2_k")
WIDTHS = (360, 800, 1280)
LEAST_CONTRAST = 4.5  # of text, WCAG 2.1, 1.4.3
LEAST_LETTERS = 9  # CSS pixels, in charts

# What a frame of some width shows of the report, as JSON in the page's text.
PROBE = """
<script>
function rgba(text) { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; }
function over(top, below) { return below.map((b, i) => top[i] * top[3] + b * (1 - top[3])); }
function background(element) {
  const layers = [];
  for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
}
function luminance(c) {
  const [r, g, b] = c.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(element) {
  const below = background(element), ink = over(rgba(getComputedStyle(element).color), below);
  const [a, b] = [luminance(ink), luminance(below)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}
window.onload = () => {
  const page = document.querySelector('iframe').contentDocument, all = q => [...page.querySelectorAll(q)];
  const told = {
    overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    charts: all('svg.chart').length,
    points: all('svg.chart').map(c => c.querySelectorAll('.point[tabindex="0"][aria-label]').length),
    letters: Math.min(...all('svg.chart text').map(t => t.getBoundingClientRect().height /
        (t.getAttribute('transform') ? 1e-9 : 1.17))),
    outside: all('svg.chart text').filter(t => {
      const a = t.getBoundingClientRect(), b = t.ownerSVGElement.getBoundingClientRect();
      return a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
    }).map(t => t.textContent),
    contrast: Math.min(...all('h1, h2, h3, p, li, th, td, dt, dd, .pm, .same, mark, figcaption').map(contrast)),
    paper: getComputedStyle(page.body).backgroundColor,
    unnamed: all('[tabindex="0"]:not([aria-label])').length + all('svg[role]:not([aria-label]):not([aria-labelledby])').length,
    headers: all('thead th:not([scope]), tbody th:not([scope])').length,
    headings: all('h1, h2, h3').map(h => h.tagName).join(' '),
    marks: all('mark').length, ids: all('[id]').map(e => e.id), rows: all('table')[0].tBodies[0].rows.length,
  };
  document.body.innerHTML = '<pre id="told"></pre>';
  document.querySelector('pre').textContent = JSON.stringify(told);
};
</script>
"""


def chromium(*arguments: str) -> str:
    with tempfile.TemporaryDirectory() as profile:
        run = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
                              *arguments], check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             timeout=120)
    return run.stdout


@unittest.skipIf(CHROMIUM is None, "there is no Chromium; CHROMIUM can name one")
class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        subprocess.run([NIBBLE, "quantize", MODEL, "-t", ",".join(TYPES), "-o", cls.folder, "--quiet"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        models = sorted(cls.folder.glob("*.gguf"))
        cls.report = cls.folder / "report.html"
        subprocess.run([NIBBLE, "compare", *models, "--reference", MODEL, "-f", TEXT, "-c", "128", "--windows", "8",
                        "-r", "1", "-o", cls.report, "--quiet"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def probe(self, width: int, dark: bool) -> dict:
        frame = html.escape(self.report.read_text())
        page = self.folder / "probe.html"
        page.write_text(f'<!doctype html><meta name="color-scheme" content="light dark"><body>'
                        f'<iframe width="{width}" height="900" srcdoc="{frame}"></iframe>{PROBE}')
        scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
        dumped = chromium(*scheme, "--window-size=1600,1000", "--dump-dom", page.as_uri())
        return json.loads(html.unescape(re.search(r'<pre id="told">(.*?)</pre>', dumped, re.S).group(1)))

    def test_is_readable_at_every_width_in_light_and_dark(self) -> None:
        papers = set()
        for dark in (False, True):
            for width in WIDTHS:
                with self.subTest(width=width, dark=dark):
                    told = self.probe(width, dark)
                    papers.add(told["paper"])
                    self.assertLessEqual(told["overflow"], 0)
                    self.assertEqual(told["outside"], [])
                    self.assertGreaterEqual(told["letters"], LEAST_LETTERS)
                    self.assertGreaterEqual(told["contrast"], LEAST_CONTRAST)
        self.assertEqual(len(papers), 2)

    def test_can_be_read_without_eyes_or_a_mouse(self) -> None:
        told = self.probe(1280, False)
        self.assertEqual(told["points"], [len(TYPES), len(TYPES)])
        self.assertEqual(told["unnamed"], 0)
        self.assertEqual(told["headers"], 0)
        self.assertEqual(told["rows"], len(TYPES) + 1)
        self.assertTrue(told["headings"].startswith("H1 H2"))
        self.assertNotIn("H1", told["headings"][2:])
        self.assertEqual(len(told["ids"]), len(set(told["ids"])))

    def test_marks_where_a_model_leaves_the_reference(self) -> None:
        self.assertGreater(self.probe(1280, False)["marks"], 0)

    def test_prints(self) -> None:
        printed = self.folder / "report.pdf"
        chromium("--no-pdf-header-footer", f"--print-to-pdf={printed}", self.report.as_uri())
        self.assertTrue(printed.read_bytes().startswith(b"%PDF"))


if __name__ == "__main__":
    unittest.main()
