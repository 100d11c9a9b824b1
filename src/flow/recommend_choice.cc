#include "flow/recommend_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "flow/plan_outputs.h"
#include "nibble/readable.h"

namespace nibble {
namespace {

constexpr double kNearlyAsFast = 0.95;  // what measuring tells apart

using Candidates = std::vector<const RecommendCandidate*>;

template <class Condition>
Candidates those(const Candidates& candidates, const Condition& condition) {
  Candidates found;
  std::ranges::copy_if(candidates, std::back_inserter(found),
                       [&](const RecommendCandidate* c) { return condition(*c); });
  return found;
}

double speed_of(const RecommendCandidate& candidate) {
  return candidate.speed ? candidate.speed->generation_at_full_context : 0;
}

// Of all that are about as fast as the fastest, or as small as the smallest file where speeds are
// not known.
Candidates fastest(const Candidates& candidates) {
  double most = 0;
  uint64_t smallest = UINT64_MAX;
  for (const RecommendCandidate* c : candidates) {
    most = std::max(most, speed_of(*c));
    smallest = std::min(smallest, c->file_bytes);
  }
  return those(candidates, [&](const RecommendCandidate& c) {
    return most > 0 ? speed_of(c) >= kNearlyAsFast * most : c.file_bytes == smallest;
  });
}

const RecommendCandidate& least_loss(const Candidates& candidates) {
  return **std::ranges::min_element(candidates, {},
                                    [](const RecommendCandidate* c) { return c->loss.kl; });
}

std::string name_of(const RecommendCandidate& c) {
  return c.type == kCopyType ? fmt::format("the model as it is (KV cache {})", c.kv_type)
                             : fmt::format("{} (KV cache {})", c.type, c.kv_type);
}

std::string speed_text(const RecommendCandidate& candidate, int64_t context) {
  return candidate.speed ? fmt::format(", {:.1f} t/s after {} tokens", speed_of(candidate), context)
                         : "";
}

// A path as a shell takes it.
std::string shell_word(const std::string& path) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+=:,@";
  if (!path.empty() && path.find_first_not_of(kPlain) == std::string::npos) return path;
  std::string text = "'";
  for (const char c : path) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

// "models/llama/" and "models/llama/config.json" are llama.
std::string stem_of(const std::filesystem::path& model, bool is_checkpoint) {
  if (!is_checkpoint) return model.stem().string();
  std::filesystem::path folder = std::filesystem::absolute(model).lexically_normal();
  if (folder.has_extension() && !std::filesystem::is_directory(folder))
    folder = folder.parent_path();
  const std::string name = folder.filename().string();
  return name.empty() ? folder.parent_path().filename().string() : name;
}

}  // namespace

void check_that_something_fits(const Recommendation& report) {
  const auto& all = report.candidates;
  if (std::ranges::any_of(all, [](const auto& c) { return c.fits || c.fits_with_gpu; })) return;
  const auto smallest =
      std::ranges::min_element(all, {}, [](const RecommendCandidate& c) { return c.memory.peak; });
  fail(ErrorCode::kUsage,
       "nothing fits into {}{} with {} tokens of context: the smallest, {}, needs {}, of which {} "
       "are weights and {} keys and values; give more memory, a shorter --context or a smaller "
       "model",
       readable_bytes(report.ram),
       report.vram > 0 ? " and " + readable_bytes(report.vram) + " of a GPU" : "", report.context,
       name_of(*smallest), readable_bytes(smallest->memory.peak),
       readable_bytes(smallest->memory.weights), readable_bytes(smallest->memory.kv_cache));
}

void choose(const RecommendOptions& options, Recommendation& report) {
  Candidates all;
  for (const RecommendCandidate& candidate : report.candidates) all.push_back(&candidate);
  Candidates fitting = those(all, [](const auto& c) { return c.fits; });
  const std::string where = fitting.empty() ? "with the GPU" : "in memory";
  if (fitting.empty()) fitting = those(all, [](const auto& c) { return c.fits_with_gpu; });
  const Candidates fast =
      those(fitting, [&](const auto& c) { return speed_of(c) >= options.min_speed; });
  const Candidates good = those(fast, [&](const auto& c) { return c.loss.kl <= report.max_loss; });
  const RecommendCandidate* best = nullptr;
  if (!good.empty()) {
    best = &least_loss(fastest(good));
    report.reason = fmt::format(
        "{} is the {} of those that fit {}{} and are expected to lose at most {:g} nats a token{}.",
        name_of(*best), best->speed ? "fastest" : "smallest", where,
        options.min_speed > 0 ? fmt::format(", make {:g} t/s", options.min_speed) : "",
        report.max_loss, speed_text(*best, report.context));
  } else if (!fast.empty()) {
    best = &least_loss(fast);
    report.reason = fmt::format(
        "Nothing that fits {}{} is expected to lose at most {:g} nats a token: {} loses least, "
        "{:.3g}.",
        where, options.min_speed > 0 ? fmt::format(" and makes {:g} t/s", options.min_speed) : "",
        report.max_loss, name_of(*best), best->loss.kl);
  } else {
    best = &least_loss(fastest(fitting));
    report.reason =
        fmt::format("Nothing that fits {} makes {:g} t/s: {} comes nearest{}.", where,
                    options.min_speed, name_of(*best), speed_text(*best, report.context));
  }
  report.best = static_cast<size_t>(best - report.candidates.data());
}

std::vector<std::string> commands_for(const Recommendation& report, bool is_checkpoint) {
  const RecommendCandidate& best = report.candidates[report.best];
  std::string model = report.model, file = model;
  std::vector<std::string> commands;
  if (best.type != kCopyType) {
    const std::filesystem::path path(model);
    if (path.extension() == ".json")
      model = path.has_parent_path() ? path.parent_path().string() : ".";
    file = fmt::format("{}-{}.gguf", stem_of(report.model, is_checkpoint), best.type);
    commands.push_back(fmt::format("nibble quantize {} -t {}{} -o {}", shell_word(model), best.type,
                                   best.wants_importance ? " --imatrix imatrix.gguf" : "",
                                   shell_word(file)));
    commands.push_back(fmt::format("nibble evaluate {} -f text.txt --reference {}",
                                   shell_word(file), shell_word(model)));
  }
  if (best.fits) {
    const std::string kv = best.kv_type == "f16" ? "" : " --kv " + best.kv_type;
    commands.push_back(fmt::format("nibble run {} --context {}{} -p \"Hello\"", shell_word(file),
                                   report.context, kv));
  }
  if (best.gpu_layers > 0) {
    commands.push_back(fmt::format("llama-cli -m {} -ngl {} -c {}", shell_word(file),
                                   best.gpu_layers, report.context));
  }
  return commands;
}

}  // namespace nibble
