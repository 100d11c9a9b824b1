#include "flow/speed_model.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/statistics.h"
#include "codec/formats.h"
#include "flow/run_support.h"
#include "kernel/interleaving.h"
#include "model/forward.h"
#include "model/tensor_shapes.h"

namespace nibble {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

// Every byte of every matrix. As f16 it is 0.067, as bf16 and f32 2.4e-12: nothing that is computed
// from it becomes too small for ordinary floats, which would be slower.
constexpr int kWeightByte = 0x2c;
constexpr float kNorm = 0x1p-10f;

constexpr int64_t kColumns = 256;  // a multiple of every format's block

constexpr int kFewestRuns = 5;
constexpr double kRunSeconds = 0.06;  // in all
// Of a prompt: 512 tokens go through the model at once. Wider layers are made narrower, and of
// narrow ones there are several: about a tenth of a second each time on two cores.
constexpr int64_t kPromptTokens = 512;
constexpr size_t kPromptRuns = 3;
constexpr int64_t kWidestLayer = 48 * kMiB;  // weights
constexpr int64_t kPromptWeights = 24 * kMiB;
constexpr int64_t kCacheBytes = 64 * kMiB;
constexpr int64_t kMostPositions = 8193;
constexpr int64_t kSlack = 64 * kMiB;              // of the buffer, for padding
constexpr int64_t kVocabularyWeights = 16 * kMiB;  // of the output matrix, at most

// The matrices of a layer that a token is multiplied with, in weights.
int64_t layer_weights(const ModelConfig& c) {
  const int64_t ffn = c.experts > 0 ? c.experts_used * c.expert_ffn + c.shared_ffn : c.ffn;
  if (c.latent > 0) {
    const int64_t queries = c.heads * (c.still_key_dim + c.rope_dimensions);
    const int64_t from = c.query_latent > 0 ? c.query_latent : c.hidden;
    return c.hidden * (c.query_latent + c.kv_width() + c.attended_width() + 3 * ffn) +
           queries * from + c.heads * c.latent * (c.still_key_dim + c.value_dim);
  }
  return c.hidden * (2 * c.q_width() + 2 * c.kv_width() + 3 * ffn);
}

// What they take in the buffer, at most: side by side, in rows of 256 or more.
int64_t bytes_of(DType type, int64_t weights) {
  const Interleaving* stored = interleaving(type);
  if (stored == nullptr) return weights / block_weights(type) * block_bytes(type);
  return weights / (kPanelRows * kColumns) * stored->panel_bytes(kColumns);
}

int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

template <class Fits>
ModelConfig narrowed(ModelConfig config, const Fits& fits) {
  for (int64_t* width : {&config.ffn, &config.expert_ffn, &config.shared_ffn}) {
    while (!fits(config) && *width > 1024) *width = round_up(*width / 2, kColumns);
  }
  while (!fits(config) && config.heads / config.kv_heads % 2 == 0) config.heads /= 2;
  return config;
}

// Of one token, or one of `tokens` of a prompt. Of experts those that it chooses.
double multiplied_share(const TensorInfo& tensor, const ModelConfig& config) {
  const TensorPlace place = *place_from_gguf_name(tensor.name);
  if (!is_multiplied(place)) return 0;
  if (role_row(place.role).kind != RoleKind::kStacked) return 1;
  return static_cast<double>(config.experts_used) / static_cast<double>(config.experts);
}

std::span<const std::byte> part_of(std::span<const std::byte> buffer, uint64_t offset,
                                   uint64_t size) {
  if (offset > buffer.size() || size > buffer.size() - offset) {
    fail(ErrorCode::kUnsupported,
         "the speed of layers as wide as this model's cannot be measured in {} bytes; leave it out "
         "(--no-speed)",
         buffer.size());
  }
  return buffer.subspan(offset, size);
}

// Matrices of one value, norms of another, all in one buffer.
class ConstantTensors final : public TensorSource {
 public:
  ConstantTensors(const ModelConfig& config, int64_t vocab_size, DType type,
                  std::span<const std::byte> buffer)
      : tensors_(tensors_of(config, {.vocab_size = vocab_size, .type = type})), buffer_(buffer) {
    uint64_t offset = 0;
    for (TensorInfo& tensor : tensors_) {
      const TensorPlace place = *place_from_gguf_name(tensor.name);
      if (place.role == Role::kTokenEmbd) tensor.type = DType::kF16;
      if (is_kept_f32(place)) tensor.type = DType::kF32;
      // Where the matrix lies if it is not interleaved.
      offsets_.push_back(is_multiplied(place) ? offset : 0);
      if (is_multiplied(place)) offset += tensor.bytes();
    }
  }

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  void read_rows(size_t, uint64_t, uint64_t, std::span<std::byte> out) const override {
    for (size_t i = 0; i < out.size(); i += sizeof kNorm)
      std::memcpy(out.data() + i, &kNorm, sizeof kNorm);
  }
  std::span<const std::byte> view(size_t tensor) const override {
    const TensorInfo& info = tensors_[tensor];
    const bool is_vector = is_kept_f32(*place_from_gguf_name(info.name));
    return is_vector ? std::span<const std::byte>()
                     : buffer_.subspan(offsets_[tensor], info.bytes());
  }

 private:
  std::vector<TensorInfo> tensors_;
  std::vector<uint64_t> offsets_;
  std::span<const std::byte> buffer_;
};

}  // namespace

// A few layers, ready to run.
class SpeedModel::Layers {
 public:
  Layers(const ModelConfig& config, int64_t vocab_size, DType type, ThreadPool& pool,
         std::span<const std::byte> buffer)
      : config_(config),
        tensors_(config, vocab_size, type, buffer),
        weights_(tensors_, config),
        pool_(pool),
        forward_(config_, weights_, pool) {
    const uint64_t bytes = weights_.interleaved_bytes();
    if (bytes > 0) weights_.use_interleaved(tensors_, part_of(buffer, 0, bytes));
  }

  // Of the matrices that a token is multiplied with.
  int64_t bytes() const {
    int64_t bytes = 0;
    for (const TensorInfo& tensor : tensors_.tensors()) {
      if (is_multiplied(*place_from_gguf_name(tensor.name)))
        bytes += static_cast<int64_t>(tensor.bytes());
    }
    return bytes;
  }

  // The median of some runs, each of so many tokens after `position` others that have keys and
  // values.
  double seconds(int64_t tokens, KvTypes kv_types, int64_t position) {
    KvCache cache(config_, position + tokens, kv_types);
    fill(cache, position);
    const std::vector<uint32_t> ids(static_cast<size_t>(tokens), 0);
    std::vector<double> samples;
    for (double spent = 0; samples.size() < kFewestRuns + 1 || spent < kRunSeconds;) {
      cache.set_length(position);
      const Stopwatch watch;
      forward_.run(ids, cache, 1);
      samples.push_back(watch.seconds());
      spent += samples.back();
      if (tokens > 1 && samples.size() > kPromptRuns) break;
    }
    samples.erase(samples.begin());  // it brought everything into the caches
    return summarize(samples).median;
  }

 private:
  void fill(KvCache& cache, int64_t positions) {
    const std::vector<float> row(static_cast<size_t>(config_.kv_width()), 0.5f);
    pool_.run(positions, 16, [&](int64_t begin, int64_t end, int) {
      for (int64_t position = begin; position < end; ++position) {
        for (int64_t layer = 0; layer < config_.layers; ++layer)
          cache.store(layer, position, row.data(), row.data());
      }
    });
  }

  ModelConfig config_;
  ConstantTensors tensors_;
  Weights weights_;
  ThreadPool& pool_;
  Forward forward_;
};

SpeedModel::SpeedModel(const ModelConfig& config, int64_t vocab_size, ThreadPool& pool)
    : config_(config), shape_(config), pool_(pool) {
  // Of learned positions there is a row for each.
  shape_.context_length =
      config.arch->positions == PositionKind::kLearned ? kMostPositions : INT32_MAX;
  shape_.hidden = round_up(config.hidden, kColumns);
  for (int64_t* width : {&shape_.ffn, &shape_.expert_ffn, &shape_.shared_ffn})
    *width = round_up(*width, kColumns);
  while (shape_.q_width() % kColumns != 0) shape_.heads += config.kv_heads;
  shape_.experts = config.experts_used;  // those that a token uses, and no others
  shape_.dense_layers = 0;
  shape_.expert_groups = shape_.expert_groups_used = 1;
  vocab_size_ = std::min(vocab_size, std::max<int64_t>(kVocabularyWeights / shape_.hidden, 16));
  int64_t cache = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
  cache = ::sysconf(_SC_LEVEL3_CACHE_SIZE);  // 0 or -1 where it is not known
#endif
  const int64_t wanted = std::clamp(2 * cache, 256 * kMiB, 512 * kMiB);
  // Interleaved rows are padded, and the smallest model has one layer.
  const int64_t all = shape_.layers * layer_weights(shape_) + vocab_size_ * shape_.hidden;
  buffer_bytes_ = std::min(wanted, 5 * all) + kSlack;
  buffer_ = HugePages(static_cast<uint64_t>(buffer_bytes_));
  fill(buffer_.data());
}

SpeedModel::~SpeedModel() = default;

// As many layers as fill the buffer, or one that is made narrower until it fits.
ModelConfig SpeedModel::fitted(const ModelConfig& config, DType type) const {
  const int64_t room = buffer_bytes_ - kSlack - bytes_of(type, vocab_size_ * shape_.hidden);
  ModelConfig scaled = narrowed(
      config, [&](const ModelConfig& c) { return bytes_of(type, layer_weights(c)) <= room; });
  const int64_t fitting = room / std::max<int64_t>(bytes_of(type, layer_weights(scaled)), 1);
  scaled.layers = std::clamp<int64_t>(fitting, 1, scaled.layers);
  return scaled;
}

const SpeedModel::Rates& SpeedModel::rates_of(DType type) {
  if (const auto known = rates_.find(type); known != rates_.end()) return known->second;
  return rates_[type] = {generation_rate(type), prompt_rate(type)};
}

double SpeedModel::generation_rate(DType type) {
  Layers layers(fitted(shape_, type), vocab_size_, type, pool_, buffer_for(type));
  return static_cast<double>(layers.bytes()) / layers.seconds(1, DType::kF16, 0);
}

double SpeedModel::prompt_rate(DType type) {
  ModelConfig config = narrowed(
      fitted(shape_, type), [](const ModelConfig& c) { return layer_weights(c) <= kWidestLayer; });
  config.layers = std::clamp<int64_t>(kPromptWeights / layer_weights(config), 1, config.layers);
  Layers layers(config, 16, type, pool_, buffer_for(type));
  return static_cast<double>(config.layers * layer_weights(config) * kPromptTokens) /
         layers.seconds(kPromptTokens, DType::kF16, 0);
}

// Copies lie on huge pages, what stays in the file on small ones, which are slower to read.
std::span<const std::byte> SpeedModel::buffer_for(DType type) {
  const auto size = static_cast<size_t>(buffer_bytes_);
  if (interleaving(type) != nullptr) return {buffer_.data(), size};
  if (small_pages_ == nullptr) {
    small_pages_ = std::make_unique_for_overwrite<std::byte[]>(size);
    fill(small_pages_.get());
  }
  return {small_pages_.get(), size};
}

void SpeedModel::fill(std::byte* memory) {
  pool_.run(buffer_bytes_, 2 * kMiB, [&](int64_t begin, int64_t end, int) {
    std::memset(memory + begin, kWeightByte, static_cast<size_t>(end - begin));
  });
}

double SpeedModel::seconds_of_position(KvTypes kv_types) {
  const auto key = std::pair(kv_types.key, kv_types.value);
  if (const auto known = position_seconds_.find(key); known != position_seconds_.end())
    return known->second;
  ModelConfig few = shape_;
  few.layers = std::min<int64_t>(shape_.layers, 4);
  few.ffn = few.expert_ffn = kColumns;
  few.shared_ffn = 0;
  const ModelConfig config = fitted(few, DType::kQ8_0);
  const int64_t row_bytes = kv_bytes_per_position(config, kv_types);
  const int64_t positions = std::clamp<int64_t>(kCacheBytes / row_bytes, 512, kMostPositions - 1);
  Layers layers(config, 16, DType::kQ8_0, pool_, buffer_for(DType::kQ8_0));
  const double seconds = layers.seconds(1, kv_types, positions) - layers.seconds(1, kv_types, 0);
  return position_seconds_[key] =
             std::max(seconds, 0.0) / static_cast<double>(positions * config.layers);
}

double SpeedModel::generation_seconds(std::span<const TensorInfo> tensors, KvTypes kv_types,
                                      int64_t position) {
  const bool tied = is_tied(tensors);
  double seconds = 0;
  for (const TensorInfo& tensor : tensors) {
    const bool is_output = tied && tensor.name == gguf_name({Role::kTokenEmbd});
    const double share = is_output ? 1 : multiplied_share(tensor, config_);
    if (share == 0) continue;
    seconds +=
        share * static_cast<double>(tensor.bytes()) / rates_of(tensor.type).read_bytes_per_second;
  }
  if (position == 0) return seconds;
  return seconds + seconds_of_position(kv_types) * static_cast<double>(position * config_.layers);
}

double SpeedModel::prompt_seconds(std::span<const TensorInfo> tensors, int64_t tokens) {
  double seconds = 0;
  for (const TensorInfo& tensor : tensors) {
    // The output is wanted after the last token only.
    if (place_from_gguf_name(tensor.name)->role == Role::kOutput) continue;
    const double weights =
        multiplied_share(tensor, config_) * static_cast<double>(tensor.shape.count());
    if (weights == 0) continue;
    seconds += weights * static_cast<double>(tokens) / rates_of(tensor.type).products_per_second;
  }
  return seconds;
}

}  // namespace nibble
