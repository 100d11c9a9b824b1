#include "model/config.h"

#include <cmath>
#include <string>

#include "base/error.h"

namespace nibble {
namespace {

// Reads ARCH.NAME keys and refuses numbers that no model has, before anything is allocated by them.
class Reader {
 public:
  Reader(const Metadata& metadata, std::string_view arch) : metadata_(metadata), arch_(arch) {}

  std::string key(std::string_view name) const { return arch_ + "." + std::string(name); }

  int64_t size(std::string_view name, uint64_t largest) const {
    return checked(name, metadata_.require_uint(key(name)), largest);
  }
  int64_t size_or(std::string_view name, uint64_t largest, int64_t otherwise) const {
    const auto value = metadata_.find_uint(key(name));
    return value ? checked(name, *value, largest) : otherwise;
  }
  double positive(std::string_view name, double otherwise) const {
    const double value = metadata_.find_float(key(name)).value_or(otherwise);
    if (!(value > 0.0) || !std::isfinite(value)) {
      fail(ErrorCode::kInvalidFile, "{}: {}: found {}, expected a number above 0",
           metadata_.origin(), key(name), value);
    }
    return value;
  }

 private:
  int64_t checked(std::string_view name, uint64_t value, uint64_t largest) const {
    if (value == 0 || value > largest) {
      fail(ErrorCode::kInvalidFile, "{}: {}: found {}, expected 1 to {}", metadata_.origin(),
           key(name), value, largest);
    }
    return static_cast<int64_t>(value);
  }

  const Metadata& metadata_;
  std::string arch_;
};

const Arch& read_arch(const Metadata& metadata) {
  const auto name = metadata.require_string("general.architecture");
  const Arch* arch = find_arch(name);
  if (arch == nullptr) {
    fail(ErrorCode::kUnsupported, "{}: architecture \"{}\" is not supported; this version runs: {}",
         metadata.origin(), name, supported_archs());
  }
  return *arch;
}

double read_position_scale(const Metadata& metadata, const Reader& reader) {
  const auto type = metadata.find_string(reader.key("rope.scaling.type")).value_or("none");
  if (type == "none") return 1.0;
  if (type == "linear") return 1.0 / reader.positive("rope.scaling.factor", 1.0);
  fail(ErrorCode::kUnsupported,
       "{}: {}: RoPE scaling \"{}\" is not supported; this version knows none, linear and llama3",
       metadata.origin(), reader.key("rope.scaling.type"), type);
}

// Either both numbers are there, or none (an explicit 0 is none).
void read_experts(const Metadata& metadata, const Reader& reader, ModelConfig& c) {
  constexpr uint64_t kMaxExperts = 4096;
  const auto is_there = [&](std::string_view name) {
    return metadata.find_uint(reader.key(name)).value_or(0) > 0;
  };
  if (is_there("expert_count")) {
    c.experts = reader.size("expert_count", kMaxExperts);
    c.experts_used = reader.size("expert_used_count", static_cast<uint64_t>(c.experts));
  } else if (is_there("expert_used_count")) {
    fail(ErrorCode::kInvalidFile, "{}: {}: found {} without {}, which says how many there are",
         metadata.origin(), reader.key("expert_used_count"),
         metadata.require_uint(reader.key("expert_used_count")), reader.key("expert_count"));
  }
}

void check_heads(const ModelConfig& c, const Metadata& metadata) {
  if (c.heads % c.kv_heads != 0) {
    fail(ErrorCode::kInvalidFile, "{}: {} query heads cannot share {} key-value heads evenly",
         metadata.origin(), c.heads, c.kv_heads);
  }
  if (c.rope_dimensions > c.head_dim || c.rope_dimensions % 2 != 0) {
    fail(ErrorCode::kInvalidFile,
         "{}: {} RoPE dimensions, expected an even number up to the head size {}",
         metadata.origin(), c.rope_dimensions, c.head_dim);
  }
}

}  // namespace

ModelConfig config_from_metadata(const Metadata& metadata) {
  constexpr uint64_t kMaxWidth = 1u << 20;
  ModelConfig c;
  c.arch = &read_arch(metadata);
  const Reader reader(metadata, c.arch->name);
  c.layers = reader.size("block_count", 4096);
  c.context_length = reader.size("context_length", uint64_t{1} << 31);
  c.hidden = reader.size("embedding_length", kMaxWidth);
  c.ffn = reader.size("feed_forward_length", kMaxWidth);
  c.heads = reader.size("attention.head_count", 65536);
  c.kv_heads = reader.size_or("attention.head_count_kv", 65536, c.heads);
  c.head_dim = reader.size_or("attention.key_length", 65536, c.hidden / c.heads);
  if (c.head_dim == 0 ||
      (c.hidden % c.heads != 0 && !metadata.contains(reader.key("attention.key_length")))) {
    fail(ErrorCode::kInvalidFile, "{}: a hidden size of {} cannot be divided among {} heads",
         metadata.origin(), c.hidden, c.heads);
  }
  if (reader.size_or("attention.value_length", 65536, c.head_dim) != c.head_dim) {
    fail(ErrorCode::kUnsupported, "{}: keys and values of different sizes are not supported",
         metadata.origin());
  }
  read_experts(metadata, reader, c);
  c.rope_dimensions = reader.size_or("rope.dimension_count", 65536, c.head_dim);
  c.rope_base = reader.positive("rope.freq_base", 10000.0);
  c.rope_position_scale = read_position_scale(metadata, reader);
  c.rms_epsilon = static_cast<float>(reader.positive("attention.layer_norm_rms_epsilon", 1e-5));
  check_heads(c, metadata);
  return c;
}

}  // namespace nibble
