#include "eval/task_kinds.h"

#include <algorithm>

#include "eval/prompt_records.h"
#include "eval/stock_files.h"
#include "eval/task_records.h"

namespace nibble {
namespace {

constexpr ChoiceMetric kAcc[] = {{"acc", ChoiceMeasure::kSum}};
constexpr ChoiceMetric kAccAndNorm[] = {{"acc", ChoiceMeasure::kSum},
                                        {"acc_norm", ChoiceMeasure::kPerCharacter}};
constexpr ChoiceMetric kShare[] = {{"acc", ChoiceMeasure::kShareOfRight}};
constexpr ChoiceMetric kPerToken[] = {{"acc_token", ChoiceMeasure::kPerToken}};

constexpr TaskKind kKinds[] = {
    {.name = "mc",
     .what = "any multiple choice: {\"context\" or \"question\", \"choices\", \"answer\"}",
     .read = read_multiple_choice,
     .metrics = kAccAndNorm,
     .prompt_metric = {},
     .takes_examples = true},
    {.name = "exact",
     .what = "answers to the letter: {\"prompt\", \"answer\"}",
     .read = read_exact,
     .metrics = {},
     .prompt_metric = "exact_match",
     .takes_examples = true},
    {.name = "checks",
     .what = "answers by \"answer\", \"regex\" or \"json\"",
     .read = read_checks,
     .metrics = {},
     .prompt_metric = "pass_rate"},
    {.name = "hellaswag",
     .what = "HellaSwag",
     .read = read_hellaswag,
     .metrics = kAccAndNorm,
     .prompt_metric = {},
     .takes_examples = true},
    {.name = "winogrande",
     .what = "WinoGrande",
     .read = read_winogrande,
     .metrics = kAcc,
     .prompt_metric = {},
     .takes_examples = true},
    {.name = "arc",
     .what = "ARC",
     .read = read_arc,
     .metrics = kAccAndNorm,
     .prompt_metric = {},
     .takes_examples = true},
    {.name = "mmlu",
     .what = "MMLU",
     .read = read_mmlu,
     .metrics = kAcc,
     .prompt_metric = {},
     .takes_examples = true,
     .order = ShotOrder::kFirst},
    {.name = "truthfulqa-mc1",
     .what = "TruthfulQA, one right choice",
     .read = read_truthfulqa_mc1,
     .metrics = kAcc,
     .prompt_metric = {}},
    {.name = "truthfulqa-mc2",
     .what = "TruthfulQA, the share of the right ones",
     .read = read_truthfulqa_mc2,
     .metrics = kShare,
     .prompt_metric = {}},
    {.name = "hellaswag-text",
     .what = "llama-perplexity --hellaswag",
     .read = read_hellaswag_text,
     .metrics = kPerToken,
     .protocol = ChoiceProtocol::kAfterCommonTokens,
     .prompt_metric = {}},
    {.name = "winogrande-csv",
     .what = "llama-perplexity --winogrande",
     .read = read_winogrande_csv,
     .metrics = kPerToken,
     .protocol = ChoiceProtocol::kAfterOption,
     .prompt_metric = {}},
    {.name = "mc-binary",
     .what = "llama-perplexity --multiple-choice",
     .read = read_mc_binary,
     .metrics = kPerToken,
     .protocol = ChoiceProtocol::kAfterCommonTokens,
     .prompt_metric = {}},
};

}  // namespace

std::span<const TaskKind> task_kinds() { return kKinds; }

const TaskKind* find_task_kind(std::string_view name) {
  const auto* kind = std::ranges::find(kKinds, name, &TaskKind::name);
  return kind == std::end(kKinds) ? nullptr : kind;
}

}  // namespace nibble
