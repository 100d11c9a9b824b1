// Tasks from JSONL: one JSON object a line, in the form in which each data set is published. The
// texts made of them are those of lm-evaluation-harness's tasks (version 0.4.13), to the
// letter.
//
// Errors: kInvalidFile, naming file and line, for what is no such record; a record without a right
// answer; an answer that is none of the choices; two items of one name; a file without records.
#pragma once

#include <string_view>

#include "eval/task_item.h"

namespace nibble {

// {"context" or "question", "choices": [...], "answer": 0, "id"?, "subject"?, "delimiter"?}. A
// question becomes "Question: ...\nAnswer:". "answer" counts from 0, and may be a list.
TaskItems read_multiple_choice(std::string_view text, std::string_view file);

// HellaSwag (Zellers et al. 2019, arXiv:1905.07830): activity_label, ctx_a, ctx_b, endings, label.
TaskItems read_hellaswag(std::string_view text, std::string_view file);

// WinoGrande (Sakaguchi et al. 2019, arXiv:1907.10641): sentence, option1, option2, answer.
TaskItems read_winogrande(std::string_view text, std::string_view file);

// ARC (Clark et al. 2018, arXiv:1803.05457): question, choices.text, choices.label, answerKey; or
// as first published, question.stem and question.choices.
TaskItems read_arc(std::string_view text, std::string_view file);

// MMLU (Hendrycks et al. 2020, arXiv:2009.03300): question, subject, choices, answer (0 to 3, or
// its letter).
TaskItems read_mmlu(std::string_view text, std::string_view file);

// TruthfulQA (Lin et al. 2021, arXiv:2109.07958), multiple choice: question, and mc1_targets or
// mc2_targets with choices and labels (1: true), of which mc1 has exactly one.
TaskItems read_truthfulqa_mc1(std::string_view text, std::string_view file);
TaskItems read_truthfulqa_mc2(std::string_view text, std::string_view file);

}  // namespace nibble
