#!/usr/bin/env python3
"""lm_eval_scores.py OUTPUT.json: what lm-evaluation-harness (PyPI lm_eval, its Hugging Face backend in float32) makes
of lab-7m and our own items. Its output is tests/golden/tasks/lm_eval.json; `make test-peers` runs it again.

Where the harness has a task for a data set, it is that task, reading our file; else the task is written out here.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = Path(__file__).resolve().parents[2]
ITEMS = ROOT / "tests" / "golden" / "tasks"
OWN = ROOT / "assets" / "lab-7m-tasks"
METRICS = ("acc", "acc_norm", "exact_match")

CHOICES = {"output_type": "multiple_choice", "doc_to_text": "{{context}}", "doc_to_target": "{{answer}}",
           "doc_to_choice": "{{choices}}", "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}]}
EXACT = {"output_type": "generate_until", "doc_to_text": "{{prompt}}", "doc_to_target": "{{answer}}",
         "metric_list": [{"metric": "exact_match"}],
         "generation_kwargs": {"until": [" ", ".", ",", "!", "?", ";", "'", "\n", "-"], "max_gen_toks": 8,
                               "do_sample": False}}



@dataclass(frozen=True)
class Run:
    """One of our files, evaluated by the harness and by us."""

    kind: str  # ours
    file: Path
    base: dict | str  # the harness's configuration, or the one that it has
    shots: int = 0
    examples: Path | None = None  # where they come from; None: the same file
    subject: str = ""  # the harness has a task for each subject of MMLU: items of this one only
    chat: str = ""  # asked by tests/golden/tasks/chat_template.jinja, examples in "turns" or as "one message"

    def lines(self, file: Path) -> str:
        lines = file.read_text().splitlines(keepends=True)
        return "".join(line for line in lines if not self.subject or json.loads(line)["subject"] == self.subject)


ARC, MMLU, HELLASWAG = "arc/arc_easy.yaml", "mmlu/default/_default_template_yaml", "hellaswag/hellaswag.yaml"
WINOGRANDE, TRUTHFUL = "winogrande/default.yaml", "truthfulqa/truthfulqa_mc{}.yaml"
RUNS = {
    "mc": Run("mc", OWN / "mc.jsonl", CHOICES),
    "mc, 3 shots": Run("mc", OWN / "mc.jsonl", CHOICES, 3),
    "exact": Run("exact", OWN / "exact.jsonl", EXACT),
    "hellaswag": Run("hellaswag", ITEMS / "hellaswag.jsonl", HELLASWAG),
    "hellaswag, 2 shots": Run("hellaswag", ITEMS / "hellaswag.jsonl", HELLASWAG, 2),
    "winogrande": Run("winogrande", ITEMS / "winogrande.jsonl", WINOGRANDE),
    "winogrande, 5 shots": Run("winogrande", ITEMS / "winogrande.jsonl", WINOGRANDE, 5),
    "arc": Run("arc", ITEMS / "arc.jsonl", ARC),
    "arc, 4 shots": Run("arc", ITEMS / "arc.jsonl", ARC, 4),
    "mmlu": Run("mmlu", ITEMS / "mmlu.jsonl", MMLU),
    "mmlu, 2 shots, household": Run("mmlu", ITEMS / "mmlu.jsonl", MMLU, 2, ITEMS / "mmlu_dev.jsonl", "household"),
    "mmlu, 2 shots, country life": Run("mmlu", ITEMS / "mmlu.jsonl", MMLU, 2, ITEMS / "mmlu_dev.jsonl",
                                       "country_life"),
    "mc, chat": Run("mc", OWN / "mc.jsonl", CHOICES, chat="turns"),
    "mc, 3 shots, chat": Run("mc", OWN / "mc.jsonl", CHOICES, 3, chat="turns"),
    "mc, 3 shots, chat in one message": Run("mc", OWN / "mc.jsonl", CHOICES, 3, chat="one message"),
    "exact, chat": Run("exact", OWN / "exact.jsonl", EXACT, chat="turns"),
    "exact, 2 shots, chat": Run("exact", OWN / "exact.jsonl", EXACT, 2, chat="turns"),
    "winogrande, 2 shots, chat": Run("winogrande", ITEMS / "winogrande.jsonl", WINOGRANDE, 2, chat="turns"),
    "mmlu, 2 shots, household, chat": Run("mmlu", ITEMS / "mmlu.jsonl", MMLU, 2, ITEMS / "mmlu_dev.jsonl",
                                          "household", chat="turns"),
    "truthfulqa-mc1": Run("truthfulqa-mc1", ITEMS / "truthfulqa.jsonl", TRUTHFUL.format(1)),
    "truthfulqa-mc2": Run("truthfulqa-mc2", ITEMS / "truthfulqa.jsonl", TRUTHFUL.format(2)),
    "truthfulqa-mc1, chat": Run("truthfulqa-mc1", ITEMS / "truthfulqa.jsonl", TRUTHFUL.format(1), chat="turns"),
}


def task_config(run: Run, folder: Path) -> dict:
    """The harness's configuration of a run; its files go into the folder."""
    import lm_eval

    if isinstance(run.base, dict):
        config = dict(run.base)
    else:
        config = {"include": str(Path(lm_eval.__file__).parent / "tasks" / run.base)}
    files = {"validation": folder / "validation.jsonl"}
    files["validation"].write_text(run.lines(run.file))
    if run.examples:
        files["dev"] = folder / "dev.jsonl"
        files["dev"].write_text(run.lines(run.examples))
    if run.kind == "mmlu":
        config["description"] = ("The following are multiple choice questions (with answers) about "
                                 "{{subject.replace('_', ' ')}}.\n\n")
    return config | {"task": "own", "dataset_path": "json", "dataset_name": None, "training_split": None,
                     "validation_split": "validation", "test_split": None,
                     "fewshot_split": "dev" if run.examples else None,
                     "dataset_kwargs": {"data_files": {split: str(file) for split, file in files.items()}}}


def chat_model(folder: Path) -> Path:
    """lab-7m with the chat template."""
    model = folder / "lab-7m-chat"
    model.mkdir()
    for file in (ROOT / "assets" / "lab-7m").iterdir():
        (model / file.name).symlink_to(file)
    (model / "chat_template.jinja").symlink_to(ITEMS / "chat_template.jinja")
    return model


def scores(names: list[str]) -> dict:
    """For each run its metrics, and for each item what the model answered."""
    import lm_eval
    import yaml
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    manager = TaskManager()
    with tempfile.TemporaryDirectory() as folder:
        model = HFLM(pretrained=str(chat_model(Path(folder))), dtype="float32", device="cpu", batch_size=1)
    found = {}
    for name in names:
        run = RUNS[name]
        with tempfile.TemporaryDirectory() as folder:
            task = Path(folder) / "own.yaml"
            task.write_text(yaml.safe_dump(task_config(run, Path(folder))))
            result = lm_eval.simple_evaluate(model=model, tasks=[str(task)], num_fewshot=run.shots,
                                             apply_chat_template=bool(run.chat),
                                             fewshot_as_multiturn=run.chat == "turns",
                                             task_manager=manager, log_samples=True, bootstrap_iters=1000)
            found[name] = task_scores(result)
    return found


def task_scores(result: dict) -> dict:
    values = result["results"]["own"]
    entry = {metric: {"mean": values[f"{metric},none"], "error": values[f"{metric}_stderr,none"]}
             for metric in METRICS if f"{metric},none" in values}
    entry["items"] = []
    for sample in sorted(result["samples"]["own"], key=lambda sample: sample["doc_id"]):
        item = {metric: sample[metric] for metric in METRICS if metric in sample}
        if isinstance(sample["filtered_resps"][0], str):
            item["answer"] = sample["filtered_resps"][0]
        else:
            item["log_likelihoods"] = [round(float(response[0]), 6) for response in sample["filtered_resps"]]
        entry["items"].append(item)
    return entry


def main() -> None:
    versions = {package: metadata.version(package) for package in ("lm_eval", "transformers", "torch")}
    output = {"made_by": versions, "runs": scores(sys.argv[2:] or list(RUNS))}
    Path(sys.argv[1]).write_text(json.dumps(output, indent=1) + "\n")


if __name__ == "__main__":
    main()
