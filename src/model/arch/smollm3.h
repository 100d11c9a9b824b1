// SmolLM 3: Llama, but every fourth layer does not turn queries and keys (arXiv:2501.18795).
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/metadata.h"
#include "model/arch.h"

namespace nibble {

inline constexpr std::string_view kSmolLm3Classes[] = {"SmolLM3ForCausalLM"};
inline constexpr std::string_view kSmolLm3ModelTypes[] = {"smollm3"};
inline constexpr int64_t kSmolLm3NoRopePeriod = 4;

// GGUF has no key for another period.
inline void check_smollm3(const JsonObject& config, Metadata&) {
  const Json* layers = config.find("no_rope_layers");  // 1 for those that do turn
  for (size_t i = 0; layers != nullptr && layers->is_array() && i < layers->size(); ++i) {
    const bool is_turned = (i + 1) % static_cast<size_t>(kSmolLm3NoRopePeriod) != 0;
    const Json& turned = (*layers)[i];
    if (turned.is_number_unsigned() && (turned.get<uint64_t>() != 0) == is_turned) continue;
    fail(ErrorCode::kUnsupported, "{}: \"no_rope_layers\": only every fourth layer can go without",
         config.file_name());
  }
}

inline constexpr Arch kSmolLm3 = {
    .name = "smollm3",
    .hf_classes = kSmolLm3Classes,
    .hf_model_types = kSmolLm3ModelTypes,
    .permutes_qk = true,
    .add_keys = check_smollm3,
    .config_defaults = R"({"tie_word_embeddings": true})",
    .no_rope_period = kSmolLm3NoRopePeriod,
};

}  // namespace nibble
