// Writes a Hugging Face directory of a Llama or, with experts, a Mixtral of any size with random
// weights: N(0, 0.02), f16, the same bits for the same seed. Its tokenizer spells bytes. For
// measuring speed and memory; it says nothing about quality.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numbers>

#include "base/error.h"
#include "base/numeric.h"
#include "base/random.h"
#include "codec/formats.h"
#include "file/safetensors_sink.h"

namespace nibble {
namespace {

struct Dimensions {
  uint64_t hidden = 2048, ffn = 5632, layers = 22, heads = 32, kv_heads = 4, vocab = 32000,
           seed = 1;
  uint64_t experts = 0, experts_used = 2;
};

TensorInfo matrix(const std::string& name, uint64_t rows, uint64_t columns) {
  return {name + ".weight", DType::kF16, Shape{{columns, rows, 1, 1}, 2}};
}
TensorInfo norm(const std::string& name, uint64_t width) {
  return {name + ".weight", DType::kF16, Shape{{width, 1, 1, 1}, 1}};
}

void add_feed_forward(const Dimensions& d, const std::string& layer,
                      std::vector<TensorInfo>& tensors) {
  const auto add = [&](const std::string& prefix, const char* gate, const char* up,
                       const char* down) {
    tensors.push_back(matrix(prefix + gate, d.ffn, d.hidden));
    tensors.push_back(matrix(prefix + up, d.ffn, d.hidden));
    tensors.push_back(matrix(prefix + down, d.hidden, d.ffn));
  };
  if (d.experts == 0) return add(layer + "mlp.", "gate_proj", "up_proj", "down_proj");
  tensors.push_back(matrix(layer + "block_sparse_moe.gate", d.experts, d.hidden));
  for (uint64_t e = 0; e < d.experts; ++e)
    add(fmt::format("{}block_sparse_moe.experts.{}.", layer, e), "w1", "w3", "w2");
}

std::vector<TensorInfo> tensors_of(const Dimensions& d) {
  const uint64_t kv_width = d.hidden / d.heads * d.kv_heads;
  std::vector<TensorInfo> tensors = {matrix("model.embed_tokens", d.vocab, d.hidden),
                                     norm("model.norm", d.hidden),
                                     matrix("lm_head", d.vocab, d.hidden)};
  for (uint64_t layer = 0; layer < d.layers; ++layer) {
    const std::string prefix = fmt::format("model.layers.{}.", layer);
    tensors.push_back(norm(prefix + "input_layernorm", d.hidden));
    tensors.push_back(matrix(prefix + "self_attn.q_proj", d.hidden, d.hidden));
    tensors.push_back(matrix(prefix + "self_attn.k_proj", kv_width, d.hidden));
    tensors.push_back(matrix(prefix + "self_attn.v_proj", kv_width, d.hidden));
    tensors.push_back(matrix(prefix + "self_attn.o_proj", d.hidden, d.hidden));
    tensors.push_back(norm(prefix + "post_attention_layernorm", d.hidden));
    add_feed_forward(d, prefix, tensors);
  }
  return tensors;
}

void write_json(const std::filesystem::path& path, const nlohmann::ordered_json& json) {
  std::ofstream(path) << json.dump(1) << "\n";
}

void write_config(const std::filesystem::path& folder, const Dimensions& d) {
  const bool is_mixtral = d.experts > 0;
  nlohmann::ordered_json config = {
      {"architectures", {is_mixtral ? "MixtralForCausalLM" : "LlamaForCausalLM"}},
      {"model_type", is_mixtral ? "mixtral" : "llama"},
      {"hidden_size", d.hidden},
      {"intermediate_size", d.ffn},
      {"num_hidden_layers", d.layers},
      {"num_attention_heads", d.heads},
      {"num_key_value_heads", d.kv_heads},
      {"vocab_size", d.vocab},
      {"max_position_embeddings", 8192},
      {"rms_norm_eps", 1e-5},
      {"rope_theta", 10000.0},
      {"hidden_act", "silu"},
      {"tie_word_embeddings", false}};
  if (is_mixtral) {
    config["num_local_experts"] = d.experts;
    config["num_experts_per_tok"] = d.experts_used;
  }
  write_json(folder / "config.json", config);
}

void write_tokenizer(const std::filesystem::path& folder) {
  nlohmann::ordered_json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  nlohmann::ordered_json added = nlohmann::ordered_json::array();
  for (int id = 0; id < 3; ++id) {
    added.push_back({{"id", id},
                     {"content", id == 0   ? "<unk>"
                                 : id == 1 ? "<s>"
                                           : "</s>"},
                     {"special", true}});
  }
  for (int byte = 0; byte < 256; ++byte) vocab[fmt::format("<0x{:02X}>", byte)] = 3 + byte;
  const nlohmann::ordered_json normalizers = {
      {{"type", "Prepend"}, {"prepend", "\u2581"}},
      {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}}};
  write_json(folder / "tokenizer.json",
             {{"version", "1.0"},
              {"added_tokens", added},
              {"normalizer", {{"type", "Sequence"}, {"normalizers", normalizers}}},
              {"pre_tokenizer", nullptr},
              {"model",
               {{"type", "BPE"},
                {"unk_token", "<unk>"},
                {"fuse_unk", true},
                {"byte_fallback", true},
                {"vocab", vocab},
                {"merges", nlohmann::ordered_json::array()}}}});
}

// Normal numbers from a table of quantiles: fast, and exactly the same everywhere.
class Normal {
 public:
  explicit Normal(uint64_t seed) : random_(seed) {
    for (size_t i = 0; i < table_.size(); ++i) {
      const double u1 = (static_cast<double>(random_.next() >> 11) + 0.5) * 0x1p-53;
      const double u2 = static_cast<double>(random_.next() >> 11) * 0x1p-53;
      table_[i] = f16_from_f32(static_cast<float>(0.02 * std::sqrt(-2 * std::log(u1)) *
                                                  std::cos(2 * std::numbers::pi * u2)));
    }
  }
  void fill(std::span<uint16_t> out) {
    for (size_t i = 0; i < out.size(); i += 4) {
      uint64_t bits = random_.next();
      for (size_t k = i; k < std::min(i + 4, out.size()); ++k, bits >>= 16)
        out[k] = table_[bits & 0xffff];
    }
  }

 private:
  Random random_;
  std::array<uint16_t, 65536> table_{};
};

void write_model(const std::filesystem::path& folder, const Dimensions& d) {
  std::filesystem::create_directories(folder);
  write_config(folder, d);
  write_tokenizer(folder);
  const auto tensors = tensors_of(d);
  SafetensorsSink sink(folder / "model.safetensors", {{"format", "pt"}}, tensors);
  Normal normal(d.seed);
  std::vector<uint16_t> row;
  for (size_t i = 0; i < tensors.size(); ++i) {
    row.resize(tensors[i].shape.columns());
    for (uint64_t r = 0; r < tensors[i].shape.rows(); ++r) {
      if (tensors[i].shape.rank == 1) {
        std::ranges::fill(row, f16_from_f32(1.0f));
      } else {
        normal.fill(row);
      }
      sink.write(i, r * tensors[i].row_bytes(), std::as_bytes(std::span(row)));
    }
  }
  sink.finish();
}

}  // namespace
}  // namespace nibble

int main(int argc, char** argv) {
  nibble::Dimensions d;
  std::filesystem::path folder;
  CLI::App app(
      "Write a random Llama model as a Hugging Face directory (default: 1.1 billion weights)");
  app.add_option("FOLDER", folder)->required();
  app.add_option("--hidden", d.hidden);
  app.add_option("--ffn", d.ffn);
  app.add_option("--layers", d.layers);
  app.add_option("--heads", d.heads);
  app.add_option("--kv-heads", d.kv_heads);
  app.add_option("--vocab", d.vocab);
  app.add_option("--experts", d.experts, "feed-forward networks of a layer; 0: one, no router");
  app.add_option("--experts-used", d.experts_used, "by each token");
  app.add_option("--seed", d.seed);
  CLI11_PARSE(app, argc, argv);
  try {
    nibble::write_model(folder, d);
  } catch (const nibble::Error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
  return 0;
}
