#include "cli/tasks.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "cli/terminal.h"
#include "nibble/conformance.h"
#include "nibble/error.h"
#include "nibble/text_file.h"

namespace nibble::cli {
namespace {

using Json = nlohmann::ordered_json;

// Tasks of one model, and of another beside it if there is one.
struct TaskResults {
  std::vector<TaskResult> results;
  std::vector<TaskResult> references;  // empty, or one for each result
};

std::string known_kinds() {
  std::string names;
  for (const TaskKindInfo& kind : task_kind_infos())
    names += fmt::format("{}{}", names.empty() ? "" : " ", kind.name);
  return names;
}

Json number_or_null(const std::optional<double>& number) { return number ? Json(*number) : Json(); }

std::string percent(double share, const std::optional<double>& error) {
  const std::string mean = fmt::format("{:.2f} %", 100 * share);
  return error ? fmt::format("{} +- {:.2f}", mean, 100 * *error) : mean;
}

struct Row {
  std::string task, score, items, value, reference, difference, agreement;
};

std::vector<Row> rows_of(const TaskResult& result, const TaskResult* reference) {
  std::vector<Row> rows;
  std::vector<TaskDifference> differences;
  if (reference != nullptr) differences = compare_tasks(result, *reference);
  const std::string shots = (result.shots > 0 ? fmt::format(", {} shots", result.shots) : "") +
                            (result.chat_template ? ", chat" : "");
  for (size_t i = 0; i < result.scores.size(); ++i) {
    const TaskScore& score = result.scores[i];
    Row row{result.name + shots,
            score.name,
            std::to_string(score.items),
            percent(score.mean, score.error),
            "",
            "",
            ""};
    if (reference != nullptr) {
      row.reference = percent(reference->scores[i].mean, {});
      row.difference = percent(differences[i].mean, differences[i].error);
      row.agreement = percent(differences[i].agreement, {});
    }
    rows.push_back(row);
  }
  for (size_t i = 0; i < result.groups.size(); ++i) {
    const TaskScore& group = result.groups[i];
    rows.push_back({"", group.name, std::to_string(group.items), percent(group.mean, group.error),
                    reference != nullptr ? percent(reference->groups[i].mean, {}) : "", "", ""});
  }
  return rows;
}

void print_rows(const std::vector<Row>& rows, bool has_reference) {
  constexpr std::string Row::*kColumns[] = {&Row::task,     &Row::score,     &Row::items,
                                            &Row::value,    &Row::reference, &Row::difference,
                                            &Row::agreement};
  const size_t columns = has_reference ? std::size(kColumns) : 4;
  for (const Row& row : rows) {
    std::string line;
    for (size_t c = 0; c < columns; ++c) {
      size_t width = 0;
      for (const Row& other : rows) width = std::max(width, (other.*kColumns[c]).size());
      line += fmt::format("{}{:<{}}", c > 0 ? "  " : "", row.*kColumns[c], width);
    }
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  }
}

Json score_json(const TaskScore& score) {
  return {{"mean", score.mean}, {"error", number_or_null(score.error)}};
}

Json task_json(const TaskResult& result, const TaskResult* reference) {
  Json json = {{"name", result.name},
               {"file", result.file},
               {"shots", result.shots},
               {"chat_template", result.chat_template},
               {"item_count", result.items.size()}};
  std::vector<TaskDifference> differences;
  if (reference != nullptr) differences = compare_tasks(result, *reference);
  for (size_t i = 0; i < result.scores.size(); ++i) {
    Json& score = json[result.scores[i].name] = score_json(result.scores[i]);
    if (reference == nullptr) continue;
    score["reference"] = score_json(reference->scores[i]);
    score["difference"] = {{"mean", differences[i].mean},
                           {"error", number_or_null(differences[i].error)}};
    score["agreement"] = differences[i].agreement;
  }
  for (const TaskScore& group : result.groups) json["groups"][group.name] = score_json(group);
  json["seconds"] = result.seconds;
  json["tokens_per_second"] = static_cast<double>(result.processed_tokens) / result.seconds;
  return json;
}

// What one model did with an item.
Json verdict_json(const TaskResult& result, const TaskItemResult& item) {
  Json json = Json::object();
  if (item.choices.empty()) {
    json["answer"] = item.answer;
  } else {
    json["log_likelihoods"] = item.log_likelihoods;
  }
  for (size_t i = 0; i < result.scores.size(); ++i) {
    Json& score = json[result.scores[i].name];
    if (!item.choices.empty()) score["choice"] = item.choices[i];
    score["score"] = item.scores[i];
  }
  return json;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<TaskResult> evaluate_all(const Model& model, const std::vector<Task>& tasks,
                                     std::string_view kv_type, const RunOptions& run) {
  std::vector<TaskResult> results;
  for (const Task& task : tasks) results.push_back(evaluate_task(model, task, kv_type, run));
  return results;
}

void print_tasks(const TaskResults& results) {
  const bool has_reference = !results.references.empty();
  std::vector<Row> rows = {{"task", "score", "items", "", "reference", "difference", "agreement"}};
  for (size_t i = 0; i < results.results.size(); ++i) {
    const TaskResult* reference = has_reference ? &results.references[i] : nullptr;
    for (Row& row : rows_of(results.results[i], reference)) rows.push_back(std::move(row));
  }
  print_rows(rows, has_reference);
}

Json tasks_json(const TaskResults& results) {
  Json list = Json::array();
  for (size_t i = 0; i < results.results.size(); ++i) {
    list.push_back(task_json(results.results[i],
                             results.references.empty() ? nullptr : &results.references[i]));
  }
  return list;
}

void write_items(const std::filesystem::path& path, const TaskResults& results) {
  std::string lines;
  for (size_t t = 0; t < results.results.size(); ++t) {
    const TaskResult& result = results.results[t];
    for (size_t i = 0; i < result.items.size(); ++i) {
      const TaskItemResult& item = result.items[i];
      Json json = {{"task", result.name}, {"id", item.id}};
      if (!item.group.empty()) json["group"] = item.group;
      if (!item.choices.empty()) json["right"] = item.right;
      json.update(verdict_json(result, item));
      if (!results.references.empty()) {
        json["reference"] = verdict_json(result, results.references[t].items[i]);
      }
      lines += dump(json) + '\n';
    }
  }
  write_text_file(path, lines);
}

}  // namespace

CLI::Option* TaskArguments::add_to(CLI::App& command) {
  const std::string kinds = known_kinds();
  CLI::Option* list =
      command
          .add_option(
              "--tasks", tasks,
              fmt::format("questions to answer: KIND=FILE, of the kinds {}; or prompts, which "
                          "is built in",
                          kinds))
          ->delimiter(',')
          ->allow_extra_args(false)
          ->type_name("LIST");
  command.add_option("--shots", options.shots, "examples before each item (default: 0)")
      ->type_name("N");
  command
      .add_option("--shots-from", options.shots_from,
                  "take the examples from this file, of the same kind (default: the items' own)")
      ->type_name("FILE");
  command
      .add_option("--shot-order", options.shot_order,
                  "sampled or first (default: as lm-evaluation-harness has it for the task)")
      ->type_name("ORDER");
  CLI::Option* chat = command.add_flag("--chat-template", options.chat_template,
                                       "ask by the model's own chat template");
  command
      .add_flag("--one-message", options.one_message,
                "with --chat-template: examples and item as one message (default: turns)")
      ->needs(chat);
  command
      .add_option("--limit", options.limit, "the first N items of each task only (default: all)")
      ->type_name("N");
  command.add_option("--items", items, "write what the model did with each item, as JSONL")
      ->type_name("FILE");
  command.add_flag("--ignore-case", options.ignore_case, "in exact answers");
  command.add_flag("--ignore-punctuation", options.ignore_punctuation, "in exact answers");
  command.add_flag("--ignore-numbers", options.ignore_numbers, "in exact answers");
  return list;
}

std::vector<Task> read_tasks(const TaskArguments& arguments) {
  const std::filesystem::path folder = arguments.items.parent_path();
  std::error_code ignored;
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) {
    throw Error(ErrorCode::kNotFound, fmt::format("{}: there is no folder {}",
                                                  arguments.items.string(), folder.string()));
  }
  std::vector<Task> tasks;
  for (const std::string& task : arguments.tasks) tasks.emplace_back(task, arguments.options);
  return tasks;
}

void run_tasks(const TaskArguments& arguments, const std::filesystem::path& model,
               const std::filesystem::path& reference, const LoadOptions& load, bool as_json) {
  const std::vector<Task> tasks = read_tasks(arguments);
  TaskResults results;
  double load_seconds = 0;
  std::vector<std::string> problems;
  {
    const Model loaded(model, load);
    problems = show_warnings(model, conformance_problems(loaded));
    load_seconds = loaded.load_seconds();
    results.results = evaluate_all(loaded, tasks, arguments.kv_type, load.run);
  }
  if (!reference.empty()) {
    results.references = evaluate_all(Model(reference, as_stored(load)), tasks, "f16", load.run);
  }
  if (!arguments.items.empty()) write_items(arguments.items, results);
  if (!as_json) return print_tasks(results);
  Json json = {{"model", model.string()}};
  if (!reference.empty()) json["reference"] = reference.string();
  json["tasks"] = tasks_json(results);
  json["load_seconds"] = load_seconds;
  json["peak_memory_bytes"] = peak_memory_bytes();
  json["conformance_problems"] = problems;
  show_json(json);
}

}  // namespace nibble::cli
