// A small Mixtral as a Hugging Face checkpoint, its weights random but always the same:
// tests/golden/mixtral/make_logits.py makes the same ones.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/numeric.h"
#include "codec/formats.h"
#include "file/safetensors_sink.h"
#include "support/files.h"
#include "support/random.h"

namespace nibble {

struct MixtralShape {
  uint64_t hidden = 64, ffn = 96, layers = 2, heads = 4, kv_heads = 2, experts = 4, used = 2,
           vocab = 96;
};

// A tensor and how far its weights spread; norms around 1.
struct MixtralTensor {
  TensorInfo info;
  float spread;
};

inline std::vector<MixtralTensor> mixtral_tensors(const MixtralShape& s) {
  const uint64_t kv_width = s.hidden / s.heads * s.kv_heads;
  std::vector<MixtralTensor> tensors;
  const auto add = [&](const std::string& name, uint64_t rows, uint64_t columns, float spread) {
    tensors.push_back({{name + ".weight", DType::kF16, {{columns, rows, 1, 1}, 2}}, spread});
  };
  const auto add_norm = [&](const std::string& name) {
    tensors.push_back({{name + ".weight", DType::kF16, {{s.hidden, 1, 1, 1}, 1}}, 0.25f});
  };
  add("model.embed_tokens", s.vocab, s.hidden, 1.0f);
  add_norm("model.norm");
  add("lm_head", s.vocab, s.hidden, 0.5f);
  for (uint64_t l = 0; l < s.layers; ++l) {
    const std::string layer = "model.layers." + std::to_string(l) + ".";
    add_norm(layer + "input_layernorm");
    add(layer + "self_attn.q_proj", s.hidden, s.hidden, 0.25f);
    add(layer + "self_attn.k_proj", kv_width, s.hidden, 0.25f);
    add(layer + "self_attn.v_proj", kv_width, s.hidden, 0.25f);
    add(layer + "self_attn.o_proj", s.hidden, s.hidden, 0.25f);
    add_norm(layer + "post_attention_layernorm");
    add(layer + "block_sparse_moe.gate", s.experts, s.hidden, 0.5f);
    for (uint64_t e = 0; e < s.experts; ++e) {
      const std::string expert = layer + "block_sparse_moe.experts." + std::to_string(e) + ".";
      add(expert + "w1", s.ffn, s.hidden, 0.25f);
      add(expert + "w2", s.hidden, s.ffn, 0.25f);
      add(expert + "w3", s.ffn, s.hidden, 0.25f);
    }
  }
  return tensors;
}

inline Json mixtral_config(const MixtralShape& s) {
  return {{"architectures", {"MixtralForCausalLM"}},
          {"model_type", "mixtral"},
          {"hidden_size", s.hidden},
          {"intermediate_size", s.ffn},
          {"num_hidden_layers", s.layers},
          {"num_attention_heads", s.heads},
          {"num_key_value_heads", s.kv_heads},
          {"num_local_experts", s.experts},
          {"num_experts_per_tok", s.used},
          {"vocab_size", s.vocab},
          {"max_position_embeddings", 512},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 1e6},
          {"hidden_act", "silu"},
          {"tie_word_embeddings", false}};
}

// The folder lacks a tokenizer. Each tensor's seed is its number; `leave_out` is a name.
inline void write_mixtral(const std::filesystem::path& folder, const MixtralShape& shape,
                          const std::string& leave_out = "") {
  std::filesystem::create_directories(folder);
  write_file(folder / "config.json", mixtral_config(shape).dump());
  auto tensors = mixtral_tensors(shape);
  std::erase_if(tensors, [&](const MixtralTensor& t) { return t.info.name == leave_out; });
  std::vector<TensorInfo> infos;
  for (const auto& [info, spread] : tensors) infos.push_back(info);
  SafetensorsSink sink(folder / "model.safetensors", {{"format", "pt"}}, infos);
  for (size_t i = 0; i < tensors.size(); ++i) {
    std::vector<uint16_t> weights;
    const float center = infos[i].shape.rank == 1 ? 1.0f : 0.0f;
    for (const float x :
         random_floats(infos[i].shape.count(), tensors[i].spread, static_cast<uint32_t>(i)))
      weights.push_back(f16_from_f32(center + x));
    sink.write(i, 0, std::as_bytes(std::span(weights)));
  }
  sink.finish();
}

}  // namespace nibble
