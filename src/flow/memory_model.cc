#include "flow/memory_model.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "codec/codec.h"
#include "infer/session.h"
#include "kernel/interleaving.h"
#include "kernel/operations.h"
#include "model/roles.h"
#include "model/tensor_shapes.h"

namespace nibble {
namespace {

constexpr int64_t kFloat = sizeof(float);

TensorPlace place_of(const TensorInfo& tensor) { return *place_from_gguf_name(tensor.name); }
Role role_of(const TensorInfo& tensor) { return place_of(tensor).role; }

uint64_t interleaved_bytes_of(const TensorInfo& tensor) {
  const uint64_t matrices = role_row(role_of(tensor)).is_stacked() ? tensor.shape.dims[2] : 1;
  const TensorView view{.type = tensor.type,
                        .rows = static_cast<int64_t>(tensor.shape.rows() / matrices),
                        .columns = static_cast<int64_t>(tensor.shape.columns())};
  return matrices * static_cast<uint64_t>(interleaved_bytes(view));
}

// Types of the matrices that activations meet, by the roles that `wanted` says.
template <class Wanted>
std::set<DType> types_of(std::span<const TensorInfo> tensors, const Wanted& wanted) {
  const bool tied = is_tied(tensors);
  std::set<DType> types;
  for (const TensorInfo& tensor : tensors) {
    TensorPlace place = place_of(tensor);
    if (tied && place.role == Role::kTokenEmbd) place.role = Role::kOutput;
    if (is_multiplied(place) && wanted(place.role)) types.insert(tensor.type);
  }
  return types;
}

// ActivationBatch's buffers for rows of at most `columns`, which matrices of these types multiply.
int64_t activation_bytes(const std::set<DType>& types, int64_t rows, int64_t columns) {
  const int64_t padded = (columns + kChunk - 1) / kChunk * kChunk;
  int64_t bytes = 0;
  std::set<std::pair<int, int>> variants;  // zero point and group: sums of their own
  for (const DType type : types) {
    if (codec(type).domain == Domain::kFloat) {
      bytes = rows * columns * kFloat;
    } else {
      const PanelForm& form = codec(type).panel;
      variants.emplace(form.zero + (form.is_signed ? operations().panel_zero : 0), form.group);
    }
  }
  if (variants.empty()) return bytes;
  const int64_t quantized = padded + padded / 32 * kFloat + padded / 16 * kFloat;  // q, d, s
  const int64_t tiles = quantized;                                                 // q, d, sums
  const int64_t sums = static_cast<int64_t>(variants.size()) * padded / 16 * 2 * kFloat;
  return bytes + rows * (quantized + tiles + sums);
}

bool is_of_experts(Role role) { return role_row(role).kind == RoleKind::kStacked; }
bool is_of_heads(Role role) { return role_row(role).kind == RoleKind::kHeads; }

// Panels of weights that a thread unpacks, and what it attends with (kernel/matmul.cc,
// batch_attention.cc).
int64_t thread_bytes(const ModelConfig& config, const std::set<DType>& types) {
  const int64_t widest = std::max({config.hidden, config.ffn, config.expert_ffn, config.shared_ffn,
                                   config.attended_width(), config.query_latent});
  constexpr int64_t kRows = kPanelRows + kMaxPairs * kPairRows;
  int64_t panels = 0;
  for (const DType type : types) {
    const bool is_float = codec(type).domain == Domain::kFloat;
    panels = std::max(panels, kRows * widest * (is_float ? kFloat : 1) +
                                  (is_float ? 0 : 2 * kRows * widest / 16 * kFloat));
  }
  constexpr int64_t kQueries = 512;
  const int64_t queries = kQueries * (2 * config.head_dim + 20) * kFloat;
  const int64_t block = 2 * kAttentionPositions * (config.head_dim + kPairRows) * kFloat;
  return panels + queries + block;
}

// Tokens, scores, types: in the metadata of the file, which is there twice, in the vocabulary, and
// in the table of what merging may make. 32 bytes a std::string, 64 an entry of that table.
constexpr int64_t kBytesPerToken = 3 * (32 + 4 + 4) + 64;

// What running adds to a process that has no model yet: pages of its code, stacks, and what the
// heap keeps of buffers that grew. Found with seven types of lab-7m: 1.4 to 3.0 MiB.
constexpr uint64_t kRunningBytes = 5 << 19;

// Of an embedding, whose rows are looked up in the mapped file: each token brings in the 16 pages
// around its row (Linux's fault_around_bytes), tokens taken as random, which text is less than.
uint64_t looked_up_bytes(const TensorInfo& embedding, int64_t tokens) {
  constexpr double kWindow = 64 << 10;
  const auto bytes = static_cast<double>(embedding.bytes());
  const double windows = std::max(bytes / kWindow, 1.0);
  const double hits =
      static_cast<double>(tokens) * (1 + static_cast<double>(embedding.row_bytes()) / kWindow);
  return static_cast<uint64_t>(bytes * (1 - std::exp(-hits / windows)));
}

// Norms and routers are converted to f32.
uint64_t f32_bytes(const TensorInfo& tensor) { return tensor.shape.count() * sizeof(float); }

// Rows of what attention and norms keep, in floats.
int64_t attention_width(const ModelConfig& c, bool has_fused, bool has_second_norm) {
  const int64_t ropes = c.rope_dimensions * (c.local_rope_base > 0 ? 2 : 1);
  const int64_t fused = has_fused ? c.q_width() + 2 * c.kv_width() : 0;
  // LatentProjection's: queries and what they are made of, keys' latents, and heads' parts.
  const int64_t key = c.still_key_dim + c.rope_dimensions;
  const int64_t latent = c.latent == 0
                             ? 0
                             : c.query_latent + c.heads * key + c.kv_width() + c.latent +
                                   c.heads * std::max(c.latent, c.still_key_dim) +
                                   c.heads * std::max(c.latent, c.value_dim) + c.attended_width();
  return (has_second_norm ? 4 : 3) * c.hidden + 2 * c.q_width() + 2 * c.kv_width() + fused +
         latent + ropes;
}

}  // namespace

WeightMemory weight_memory(std::span<const TensorInfo> tensors, int64_t context) {
  WeightMemory memory;
  const bool tied = is_tied(tensors);
  for (const TensorInfo& tensor : tensors) {
    const Role role = role_of(tensor);
    if (is_kept_f32(place_of(tensor))) {
      memory.running += f32_bytes(tensor);
      continue;
    }
    const bool is_output = tied && role == Role::kTokenEmbd;
    // It is divided: values stay where they are, keys, about half of it, become f32.
    if (role == Role::kAttnKvB) memory.running += tensor.shape.count() / 2 * sizeof(float);
    const uint64_t copy = is_interleaved(role) || is_output ? interleaved_bytes_of(tensor) : 0;
    memory.running += copy;
    memory.loading = std::max(memory.loading, memory.running + tensor.bytes());
    if (role == Role::kTokenEmbd) memory.running += looked_up_bytes(tensor, context);
    if (role != Role::kTokenEmbd && copy == 0) memory.running += tensor.bytes();
  }
  memory.loading = std::max(memory.loading, memory.running);
  return memory;
}

uint64_t kv_cache_bytes(const ModelConfig& config, int64_t context, KvTypes kv_types) {
  const KvLayout layout(config.kv_heads, config.head_dim, context, kv_types);
  return static_cast<uint64_t>(config.layers * (layout.key_bytes() + layout.value_bytes()));
}

uint64_t forward_bytes(const ModelConfig& c, std::span<const TensorInfo> tensors, int64_t tokens) {
  const auto has = [&](Role role) {
    return std::ranges::find(tensors, role, role_of) != tensors.end();
  };
  const auto embedding = std::ranges::find(tensors, Role::kTokenEmbd, role_of);
  const auto vocab_size =
      embedding == tensors.end() ? 0 : static_cast<int64_t>(embedding->shape.rows());
  const bool has_second_norm = has(Role::kAttnNorm2) || (c.is_parallel && has(Role::kFfnNorm));
  const int64_t width = attention_width(c, has(Role::kAttnQkv), has_second_norm);
  const auto types = types_of(tensors, [](Role role) { return !role_row(role).is_stacked(); });
  const bool is_dense = c.experts == 0 || c.dense_layers > 0;
  const int64_t ffn = std::max(is_dense ? c.ffn : 0, c.shared_ffn);
  const bool is_gated = has(Role::kFfnGate) || has(Role::kFfnGateShared);
  const int64_t ffn_width = (is_gated ? 2 : c.arch->fuses_gate ? 3 : 1) * ffn;
  int64_t bytes = vocab_size * kFloat;
  bytes += tokens * (width + ffn_width + (c.shared_ffn > 0 ? c.hidden : 0)) * kFloat;
  bytes += activation_bytes(types, tokens,
                            std::max({c.hidden, c.attended_width(), c.query_latent, ffn}));
  if (c.latent > 0) {
    bytes += activation_bytes(types_of(tensors, is_of_heads), tokens * c.heads,
                              std::max(c.still_key_dim, c.latent));
  }
  if (c.experts > 0) {
    const int64_t rows = tokens * c.experts_used;
    bytes += rows * (c.hidden + 2 * c.expert_ffn) * kFloat;
    bytes +=
        activation_bytes(types_of(tensors, is_of_experts), rows, std::max(c.hidden, c.expert_ffn));
  }
  return static_cast<uint64_t>(bytes);
}

MemoryNeed predict_memory(const ModelConfig& config, std::span<const TensorInfo> tensors,
                          int64_t context, KvTypes kv_types, int threads, uint64_t program_bytes) {
  const WeightMemory weights = weight_memory(tensors, context);
  const auto types = types_of(tensors, [](Role) { return true; });
  const auto embedding = std::ranges::find(tensors, Role::kTokenEmbd, role_of);
  const int64_t vocab_size = static_cast<int64_t>(embedding->shape.rows());
  MemoryNeed need;
  need.weights = weights.running;
  need.kv_cache = kv_cache_bytes(config, context, kv_types);
  need.working = forward_bytes(config, tensors, std::min(context, Session::kBatch)) +
                 static_cast<uint64_t>(threads * thread_bytes(config, types));
  need.program = program_bytes + kRunningBytes + static_cast<uint64_t>(vocab_size * kBytesPerToken);
  need.peak =
      need.program + std::max(weights.running + need.kv_cache + need.working, weights.loading);
  return need;
}

int64_t context_to_use(int64_t asked, int64_t trained, const std::string& model) {
  constexpr int64_t kUsual = 8192;
  if (asked < 0 || asked > trained) {
    fail(ErrorCode::kUsage, "a context of {} tokens is not possible: {} was trained for {}", asked,
         model, trained);
  }
  return asked > 0 ? asked : std::min(kUsual, trained);
}

namespace {

uint64_t resident_memory_bytes() {
  std::ifstream file("/proc/self/status");
  for (std::string name; file >> name;) {
    uint64_t kib = 0;
    if (name == "VmRSS:" && file >> kib) return kib * 1024;
    std::getline(file, name);
  }
  return 0;
}

}  // namespace

uint64_t program_memory_bytes() {
  static const uint64_t bytes = resident_memory_bytes();
  return bytes;
}

}  // namespace nibble
