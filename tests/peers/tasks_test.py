"""Our scores of tasks beside lm-evaluation-harness's, item by item: part of `make test-peers`.

With LM_EVAL (a Python that has lm_eval and torch) the harness runs anew; without it its stored output is compared with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from lm_eval_scores import METRICS, ROOT, RUNS, Run, chat_model

NIBBLE = Path(os.environ.get("NIBBLE", ROOT / "build" / "release" / "nibble"))
GOLDEN = ROOT / "tests" / "golden" / "tasks" / "lm_eval.json"
# Both compute in float32 and add in another order; a log-likelihood is a sum over up to 40 tokens.
CLOSE = 5e-4


def our_scores(run: Run) -> tuple[dict, list[dict]]:
    """The task's record of --json, and the items of the run's subject."""
    with tempfile.TemporaryDirectory() as folder:
        items = Path(folder) / "items.jsonl"
        model = ROOT / "assets" / "lab-7m"
        options = ["--shots", str(run.shots)] if run.shots else []
        if run.chat:
            model = chat_model(Path(folder))
            options += ["--chat-template"] + ["--one-message"] * (run.chat == "one message")
        if run.examples:
            options += ["--shots-from", str(run.examples)]
        ran = subprocess.run([NIBBLE, "evaluate", model, "--kv", "f32", "--quiet", "--json",
                              "--tasks", f"{run.kind}={run.file}", "--items", items, *options],
                             check=True, text=True, stdout=subprocess.PIPE)
        lines = [json.loads(line) for line in items.read_text().splitlines()]
    subject = run.subject.replace("_", " ")
    return json.loads(ran.stdout)["tasks"][0], [line for line in lines if not subject or line["group"] == subject]


def their_runs() -> dict:
    python = os.environ.get("LM_EVAL")
    if not python:
        return json.loads(GOLDEN.read_text())["runs"]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "scores.json"
        subprocess.run([python, ROOT / "tests" / "peers" / "lm_eval_scores.py", output], check=True,
                       stdout=subprocess.DEVNULL)
        return json.loads(output.read_text())["runs"]


class LmEvaluationHarness(unittest.TestCase):
    def test_scores_are_equal_to_the_item(self) -> None:
        for name, theirs in their_runs().items():
            with self.subTest(run=name):
                self.compare(RUNS[name], theirs)

    def compare(self, run: Run, theirs: dict) -> None:
        task, items = our_scores(run)
        self.assertEqual(len(items), len(theirs["items"]))
        for ours, expected in zip(items, theirs["items"]):
            if "answer" in expected:
                self.assertEqual(ours["answer"], expected["answer"])
            for mine, other in zip(ours.get("log_likelihoods", []), expected.get("log_likelihoods", []), strict=True):
                self.assertAlmostEqual(mine, other, delta=CLOSE)
            for metric in METRICS:
                if metric in expected:
                    self.assertAlmostEqual(ours[metric]["score"], expected[metric], delta=CLOSE)
        for metric in METRICS:
            if metric in theirs:
                mine = task["groups"][run.subject.replace("_", " ")] if run.subject else task[metric]
                self.assertAlmostEqual(mine["mean"], theirs[metric]["mean"], delta=CLOSE)
                self.assertAlmostEqual(mine["error"], theirs[metric]["error"], delta=CLOSE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
