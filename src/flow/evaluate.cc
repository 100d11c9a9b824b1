#include "nibble/evaluate.h"

#include <algorithm>

#include "base/error.h"
#include "eval/perplexity.h"
#include "flow/kv_type.h"
#include "flow/model.h"
#include "flow/run_support.h"

namespace nibble {

PerplexityResult perplexity(const Model& model, std::string_view text,
                            const PerplexityOptions& options, const RunOptions& run) {
  constexpr int64_t kShortest = 4;
  if (options.context < kShortest || options.windows < 0) {
    fail(ErrorCode::kUsage,
         "a context of {} and {} windows make no sense; the context is at least {}",
         options.context, options.windows, kShortest);
  }
  Model::Parts& parts = model.parts();
  const Vocabulary& vocabulary = parts.tokenizer->vocabulary();
  const auto tokens = parts.tokenizer->encode(text);
  const int64_t available = static_cast<int64_t>(tokens.size()) / options.context;
  if (available == 0) {
    fail(ErrorCode::kUsage,
         "the text has {} tokens, less than one window of {}; use a longer text or a shorter "
         "--context",
         tokens.size(), options.context);
  }
  WindowedText windowed;
  windowed.tokens = tokens;
  windowed.context = options.context;
  windowed.windows = options.windows == 0 ? available : std::min(options.windows, available);
  windowed.replaces_first = vocabulary.add_bos && vocabulary.bos.has_value();
  windowed.first_token = vocabulary.bos.value_or(0);

  const KvTypes kv_types = kv_types_from_name(options.kv_type);
  check_kv_types(parts.config, kv_types, parts.path.string());
  Session session(parts.config, *parts.weights, *parts.pool, options.context, kv_types);
  Phase phase(run, "evaluating", "tokens",
              static_cast<uint64_t>(windowed.windows * options.context));
  const auto sums = evaluate_windows(session, windowed, parts.weights->vocab_size(), [&](int64_t) {
    phase.advance(static_cast<uint64_t>(options.context));
  });

  PerplexityResult result;
  result.mean = sums.perplexity();
  result.error = sums.perplexity_error();
  result.nll = sums.mean();
  result.context = options.context;
  result.windows = windowed.windows;
  result.scored_tokens = sums.tokens;
  result.processed_tokens = windowed.windows * options.context;
  result.seconds = phase.seconds();
  return result;
}

}  // namespace nibble
