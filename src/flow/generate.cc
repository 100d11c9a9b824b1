#include "nibble/generate.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "flow/end_tokens.h"
#include "flow/kv_type.h"
#include "flow/model.h"
#include "flow/run_support.h"
#include "flow/sampling.h"
#include "infer/session.h"
#include "text/stream_decoder.h"

namespace nibble {
namespace {

int64_t context_for(const Model::Parts& parts, int64_t prompt, const GenerateOptions& options) {
  if (options.max_tokens < 0)
    fail(ErrorCode::kUsage, "{} new tokens are not possible", options.max_tokens);
  const int64_t needed = prompt + options.max_tokens;
  const int64_t context =
      options.context > 0 ? options.context : std::min(needed, parts.config.context_length);
  if (options.context < 0 || prompt >= context + (options.max_tokens == 0 ? 1 : 0)) {
    fail(ErrorCode::kUsage,
         "the prompt has {} tokens, which leaves no room in a context of {}; shorten it or raise "
         "--context",
         prompt, options.context != 0 ? options.context : context);
  }
  if (options.context_shift && (options.keep < -1 || options.keep > context - 2))
    fail(ErrorCode::kUsage, "{} tokens cannot be kept of a context of {}", options.keep, context);
  return context;
}

// Half of the tokens that need not be kept, the older half, at least one.
void shift(Session& session, int64_t prompt, int64_t keep) {
  if (keep < 0) keep = std::min(prompt, session.context() - 2);
  session.remove(keep, (session.position() - keep + 1) / 2);
}

}  // namespace

GenerateResult generate(const Model& model, std::string_view prompt, const GenerateOptions& options,
                        const std::function<void(std::string_view)>& on_text) {
  Model::Parts& parts = model.parts();
  GenerateResult result;
  result.prompt_tokens = parts.tokenizer->encode(prompt);
  if (result.prompt_tokens.empty()) fail(ErrorCode::kUsage, "the prompt is empty");
  Sampler sampler(sampler_options(options));
  for (const uint32_t token : result.prompt_tokens) sampler.accept(token);
  const int64_t context =
      context_for(parts, static_cast<int64_t>(result.prompt_tokens.size()), options);
  const KvTypes kv_types = kv_types_from_name(options.kv_type);
  check_kv_types(parts.config, kv_types, parts.path.string());
  Session session(parts.config, *parts.weights, *parts.pool, context, kv_types);
  StreamDecoder decoder(*parts.tokenizer, {.is_start = false});
  const auto emit = [&](const std::string& text) {
    result.text += text;
    if (on_text && !text.empty()) on_text(text);
  };

  const Stopwatch prompt_watch;
  auto logits = session.feed(result.prompt_tokens);
  result.prompt_seconds = prompt_watch.seconds();
  const Stopwatch generation_watch;
  result.stop = "length";
  const auto ends = end_tokens_of(parts.tokenizer->vocabulary());
  for (int64_t n = 0; n < options.max_tokens; ++n) {
    if (options.cancelled != nullptr && options.cancelled->load()) {
      result.stop = "cancelled";
      break;
    }
    const uint32_t token = sampler.sample(logits);
    if (!options.ignore_eos && std::ranges::find(ends, token) != ends.end()) {
      result.stop = "end";
      break;
    }
    sampler.accept(token);
    result.tokens.push_back(token);
    emit(decoder.next(token));
    if (n + 1 == options.max_tokens) break;
    if (session.position() == session.context()) {
      if (!options.context_shift) break;
      shift(session, static_cast<int64_t>(result.prompt_tokens.size()), options.keep);
      ++result.shifts;
    }
    logits = session.feed(std::array{token});
  }
  result.generation_seconds = generation_watch.seconds();
  emit(decoder.finish());
  return result;
}

}  // namespace nibble
