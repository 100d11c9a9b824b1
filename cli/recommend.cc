// nibble recommend MODEL [--ram 16GB] [--vram 12GB] [--context N] [--use chat|code|creative]
#include "nibble/recommend.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "nibble/readable.h"

namespace nibble::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  CommonOptions common;
  std::filesystem::path model;
  RecommendOptions recommend;
  std::string ram, vram;
  bool no_speed = false;
};

Json to_json(const RecommendCandidate& c) {
  const MemoryNeed& memory = c.memory;
  Json json = {{"type", c.type},
               {"kv_type", c.kv_type},
               {"file_bytes", c.file_bytes},
               {"bits_per_weight", c.bits_per_weight},
               {"memory",
                {{"weights", memory.weights},
                 {"kv_cache", memory.kv_cache},
                 {"working", memory.working},
                 {"program", memory.program},
                 {"peak", memory.peak}}},
               {"speed", nullptr},
               {"loss", {{"kl", c.loss.kl}, {"source", c.loss.source}}},
               {"wants_importance", c.wants_importance},
               {"fits", c.fits},
               {"gpu_layers", c.gpu_layers},
               {"fits_with_gpu", c.fits_with_gpu}};
  if (c.speed) {
    json["speed"] = {{"generation", c.speed->generation},
                     {"generation_at_full_context", c.speed->generation_at_full_context},
                     {"prompt", c.speed->prompt}};
  }
  return json;
}

Json to_json(const Recommendation& r) {
  Json candidates = Json::array(), limits;
  for (const RecommendCandidate& candidate : r.candidates) candidates.push_back(to_json(candidate));
  if (r.limits) {
    limits = {{"threads", r.limits->threads},
              {"read_bytes_per_second", r.limits->read_bytes_per_second},
              {"int8_products_per_second", r.limits->int8_products_per_second},
              {"fp32_products_per_second", r.limits->fp32_products_per_second}};
  }
  return {{"machine", {{"cpu", r.machine.cpu}, {"isa", r.machine.isa}, {"cpus", r.machine.cpus}}},
          {"limits", limits},
          {"model", r.model},
          {"architecture", r.architecture},
          {"weights", r.weights},
          {"layers", r.layers},
          {"ram", r.ram},
          {"vram", r.vram},
          {"context", r.context},
          {"max_loss", r.max_loss},
          {"candidates", candidates},
          {"best", r.best},
          {"reason", r.reason},
          {"commands", r.commands},
          {"notes", r.notes}};
}

std::string fits_text(const RecommendCandidate& c, int64_t layers) {
  std::string text = c.fits ? "yes" : c.fits_with_gpu ? "with GPU" : "no";
  if (c.gpu_layers > 0) text += fmt::format(", {} of {} on GPU", c.gpu_layers, layers + 1);
  return text;
}

std::string speed_text(double tokens_per_second) {
  return fmt::format("{:.{}f}", tokens_per_second, tokens_per_second < 10 ? 2 : 1);
}

void print_row(const RecommendCandidate& c, int64_t layers, bool is_best) {
  std::array<std::string, 3> speeds = {"-", "-", "-"};
  if (c.speed) {
    speeds = {speed_text(c.speed->generation), speed_text(c.speed->generation_at_full_context),
              speed_text(c.speed->prompt)};
  }
  fmt::print("{} {:<9} {:>11} {:>6.2f}  {:<9} {:>11} {:>8} {:>8} {:>9} {:>9.2g}  {}\n",
             is_best ? ">" : " ", c.type, readable_bytes(c.file_bytes), c.bits_per_weight,
             c.kv_type, readable_bytes(c.memory.peak), speeds[0], speeds[1], speeds[2], c.loss.kl,
             fits_text(c, layers));
}

// Of each type one row: with the recommended KV cache, or the best that fits, or the smallest.
bool is_shown(const Recommendation& r, size_t i) {
  const auto same = [&](size_t k) { return r.candidates[k].type == r.candidates[i].type; };
  size_t begin = i, end = i + 1;
  while (begin > 0 && same(begin - 1)) --begin;
  while (end < r.candidates.size() && same(end)) ++end;
  if (begin <= r.best && r.best < end) return i == r.best;
  for (size_t k = begin; k < end; ++k) {
    if (r.candidates[k].fits || r.candidates[k].fits_with_gpu) return i == k;
  }
  return i + 1 == end;
}

std::string readable_count(uint64_t count) {
  const auto millions = static_cast<double>(count) / 1e6;
  return millions < 1000 ? fmt::format("{:.2f} M", millions)
                         : fmt::format("{:.2f} B", millions / 1000);
}

void print(const Recommendation& r) {
  fmt::print("{}: {}, {} weights, {} layers; {} tokens of context in {}{}\n\n", r.model,
             r.architecture, readable_count(r.weights), r.layers, r.context, readable_bytes(r.ram),
             r.vram > 0 ? ", GPU " + readable_bytes(r.vram) : "");
  fmt::print("  {:<9} {:>11} {:>6}  {:<9} {:>11} {:>8} {:>8} {:>9} {:>9}  {}\n", "type", "file",
             "bits", "KV cache", "memory", "t/s", "at end", "prompt", "KL", "fits");
  for (size_t i = 0; i < r.candidates.size(); ++i) {
    if (is_shown(r, i)) print_row(r.candidates[i], r.layers, i == r.best);
  }
  const RecommendCandidate& best = r.candidates[r.best];
  fmt::print("\n{}\n\nKL: {}.\n", r.reason, best.loss.source);
  if (r.limits) {
    fmt::print("Speeds: measured on {} ({}, {} threads), which reads {:.1f} GB/s.\n", r.machine.cpu,
               r.machine.isa, r.limits->threads, r.limits->read_bytes_per_second / 1e9);
  }
  for (const std::string& note : r.notes) fmt::print("Note: {}.\n", note);
  fmt::print("\nNext:\n");
  for (const std::string& command : r.commands) fmt::print("  {}\n", command);
}

void run(Options& options) {
  RecommendOptions& recommend_options = options.recommend;
  recommend_options.run = options.common.run();
  if (!options.ram.empty()) recommend_options.ram = parse_bytes(options.ram);
  if (!options.vram.empty()) recommend_options.vram = parse_bytes(options.vram);
  recommend_options.measure = !options.no_speed;
  const Recommendation result = recommend(options.model, recommend_options);
  end_progress();
  if (options.common.json) {
    show_json(to_json(result));
  } else {
    print(result);
  }
}

std::vector<std::string> use_names() {
  std::vector<std::string> names;
  for (const RecommendUse& use : kRecommendUses) names.emplace_back(use.name);
  return names;
}

void add_demands(CLI::App& command, Options& options) {
  RecommendOptions& recommend = options.recommend;
  command.add_option("--ram", options.ram, "memory to take at most (default: what is available)")
      ->type_name("SIZE");
  command
      .add_option("--vram", options.vram,
                  "of a GPU: how many layers other programs may put there (-ngl)")
      ->type_name("SIZE");
  command
      .add_option("--context", recommend.context,
                  "tokens (default: 8192, or what the model was trained for)")
      ->type_name("N");
  command
      .add_option("--use", recommend.use,
                  "the loss that is put up with: code 0.012, chat 0.035 (default) or creative 0.11 "
                  "nats a token")
      ->check(CLI::IsMember(use_names()))
      ->type_name("USE");
  command.add_option("--max-loss", recommend.max_loss, "that loss as a number")->type_name("KL");
  command
      .add_option("--min-speed", recommend.min_speed,
                  "tokens a second to generate at the end of the context, at least")
      ->type_name("T/S");
}

}  // namespace

void add_recommend(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("recommend", "choose a type by memory, speed and expected loss");
  show_usage(*command,
             "Example:  nibble recommend models/llama --ram 16GB --context 8192 --min-speed 10\n\n"
             "Nothing is quantized, and a config.json alone is enough.\n\n"
             "Usage:    nibble recommend MODEL [OPTIONS]");
  command->add_option("MODEL", options->model, "Hugging Face directory, config.json, or .gguf")
      ->required()
      ->type_name("");
  add_demands(*command, *options);
  command
      ->add_option("-t,--type", options->recommend.types,
                   "types to choose from (default: those whose loss somebody published)")
      ->delimiter(',')
      ->type_name("TYPE,...");
  command->add_flag("--no-speed", options->no_speed, "do not measure speeds");
  options->common.add_to(*command);
  command->callback([options] { run(*options); });
}

}  // namespace nibble::cli
