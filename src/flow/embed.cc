#include "nibble/embed.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/error.h"
#include "flow/model.h"
#include "infer/sequences.h"
#include "infer/session.h"
#include "model/forward.h"

namespace nibble {
namespace {

constexpr std::array<std::string_view, 4> kPoolingNames = {"none", "mean", "cls", "last"};

void check_length(const Model::Parts& parts, size_t tokens) {
  if (tokens == 0) {
    fail(ErrorCode::kUsage, "{}: a text without tokens has no embedding", parts.path.string());
  }
  if (static_cast<int64_t>(tokens) <= parts.config.context_length) return;
  fail(ErrorCode::kUsage,
       "{}: a text of {} tokens, but the model was trained for at most {}; embed parts of it",
       parts.path.string(), tokens, parts.config.context_length);
}

// What is left of the vectors of all tokens, as they come.
class Pool {
 public:
  Pool(Pooling pooling, int64_t tokens, int64_t dimensions)
      : pooling_(pooling), tokens_(tokens), dimensions_(dimensions) {
    if (pooling == Pooling::kMean) sums_.resize(static_cast<size_t>(dimensions));
  }

  // Vectors of the next `count` tokens.
  void add(const float* states, int64_t count) {
    const auto keep = [&](int64_t row, int64_t rows) {
      values_.insert(values_.end(), states + row * dimensions_,
                     states + (row + rows) * dimensions_);
    };
    const bool is_first = seen_ == 0, is_last = seen_ + count == tokens_;
    if (pooling_ == Pooling::kNone) keep(0, count);
    if (pooling_ == Pooling::kCls && is_first) keep(0, 1);
    if (pooling_ == Pooling::kLast && is_last) keep(count - 1, 1);
    for (int64_t i = 0; pooling_ == Pooling::kMean && i < count * dimensions_; ++i)
      sums_[static_cast<size_t>(i % dimensions_)] += static_cast<double>(states[i]);
    seen_ += count;
  }

  std::vector<float> take() {
    for (const double sum : sums_)
      values_.push_back(static_cast<float>(sum / static_cast<double>(tokens_)));
    return std::move(values_);
  }

 private:
  Pooling pooling_;
  int64_t tokens_, dimensions_;
  int64_t seen_ = 0;
  std::vector<double> sums_;
  std::vector<float> values_;
};

void normalize(std::vector<float>& values, int64_t dimensions) {
  for (auto row = values.begin(); row != values.end(); row += dimensions) {
    double squares = 0;
    for (auto x = row; x != row + dimensions; ++x) squares += static_cast<double>(*x) * *x;
    if (squares == 0) continue;
    const double factor = 1.0 / std::sqrt(squares);
    for (auto x = row; x != row + dimensions; ++x) *x = static_cast<float>(*x * factor);
  }
}

}  // namespace

std::string_view pooling_name(Pooling pooling) {
  return kPoolingNames[static_cast<size_t>(pooling)];
}

std::optional<Pooling> pooling_from_name(std::string_view name) {
  const auto found = std::ranges::find(kPoolingNames, name);
  if (found == kPoolingNames.end()) return std::nullopt;
  return static_cast<Pooling>(found - kPoolingNames.begin());
}

Pooling pooling_of(const Model& model) {
  const Model::Parts& parts = model.parts();
  const auto key = std::string(parts.config.arch->name) + ".pooling_type";
  const auto stored = parts.source.metadata.find_uint(key);
  if (stored && *stored < kPoolingNames.size()) return static_cast<Pooling>(*stored);
  return parts.config.is_encoder ? Pooling::kMean : Pooling::kLast;
}

Embedding embed(const Model& model, std::string_view text, const EmbedOptions& options) {
  const Model::Parts& parts = model.parts();
  const ModelConfig& config = parts.config;
  const auto ids = model.tokenize(text, true, true);
  check_length(parts, ids.size());
  const auto tokens = static_cast<int64_t>(ids.size());
  KvCache cache(config, tokens, DType::kF32);
  check_tokens(ids, cache, *parts.weights);
  Forward forward(config, *parts.weights, *parts.pool);
  Pool pool(options.pooling.value_or(pooling_of(model)), tokens, config.hidden);
  // Tokens of an encoder see all others, so they go together.
  const int64_t step = config.is_encoder ? tokens : Session::kBatch;
  for (int64_t at = 0; at < tokens; at += step) {
    if (options.cancelled != nullptr && options.cancelled->load())
      fail(ErrorCode::kCancelled, "cancelled");
    const int64_t count = std::min(step, tokens - at);
    const ForwardPart part = {
        std::span(ids).subspan(static_cast<size_t>(at), static_cast<size_t>(count)), &cache, count};
    forward.read({&part, 1});
    pool.add(forward.states(), count);
  }
  Embedding embedding = {tokens, config.hidden, pool.take()};
  if (options.normalize) normalize(embedding.values, config.hidden);
  return embedding;
}

double cosine_similarity(std::span<const float> a, std::span<const float> b) {
  double product = 0, of_a = 0, of_b = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    product += static_cast<double>(a[i]) * b[i];
    of_a += static_cast<double>(a[i]) * a[i];
    of_b += static_cast<double>(b[i]) * b[i];
  }
  return of_a == 0 || of_b == 0 ? 0 : product / std::sqrt(of_a * of_b);
}

}  // namespace nibble
