// Arch: one row of data for each model family, the only place that knows what is special about it.
// A new family is a new row (model/arch/NAME.h, one line in model/archs.h); behaviour that no row
// has yet is a new field here and a branch where it acts. Every field has the value that Llama has.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kernel/nonlinearity.h"
#include "kernel/rope.h"
#include "model/checkpoint_names.h"
#include "model/roles.h"

namespace nibble {

class JsonObject;
class Metadata;
struct ModelConfig;

// A field of config.json that becomes a key of GGUF as it is, where it is there and not null.
struct ConfigKey {
  enum class Kind : uint8_t { kUint, kFloat, kBool };
  const char* hf;
  std::string_view gguf;  // without "ARCH."
  Kind kind = Kind::kFloat;
};

enum class NormKind : uint8_t { kRms, kLayer };

enum class PositionKind : uint8_t { kRope, kLearned, kAlibi };

// What norms of queries and keys go over, where there are some.
enum class QkNorm : uint8_t {
  kHead,    // each head, all with the same weights
  kOfHead,  // each head, with weights of its own
  kRow,     // all heads together
};

// How a token's weights of experts come from the router's logits.
enum class Gating : uint8_t {
  kSoftmax,          // over all experts
  kSigmoid,          // of each by itself
  kSoftmaxOfChosen,  // over those with the largest logits
  kSparseMixer,      // of two, each beside those that come near it (arXiv:2310.00811)
};

inline constexpr std::string_view kSiluNames[] = {"silu", "swish"};
inline constexpr std::string_view kGeluNames[] = {"gelu"};
inline constexpr std::string_view kGeluTanhNames[] = {"gelu_pytorch_tanh", "gelu_new", "gelu_fast"};

struct Arch {
  std::string_view name;  // GGUF's general.architecture, and the prefix of its keys
  std::span<const std::string_view> hf_classes = {};  // what config.json's "architectures" may name
  std::span<const std::string_view> hf_model_types = {};  // likewise its "model_type"

  // ---- Checkpoints -----------------------------------------------------------------------------

  // Hugging Face stores q and k for RoPE on the pairs (i, i + n/2) of a head, GGUF for the pairs
  // (2i, 2i + 1): conversion reorders their rows.
  bool permutes_qk = false;
  // Tensors that are no weights of the language model, by the end or the beginning of their names.
  std::span<const std::string_view> ignored_suffixes = {};
  std::span<const std::string_view> ignored_prefixes = {};
  std::span<const CheckpointName> names = {};  // searched before kCommonNames
  bool has_later_layers = false;               // that are no part of the language model
  bool norms_lack_one = false;                 // the checkpoint's weights of norms are less by 1
  std::span<const ConfigKey> keys = {};        // besides those that all have
  // What neither says: more keys, after all others.
  void (*add_keys)(const JsonObject& config, Metadata& metadata) = nullptr;
  // What transformers takes where config.json says nothing, as JSON.
  std::string_view config_defaults = {};
  int ffn_ratio = 0;  // a feed-forward network is so many times as wide as the residual stream
                      // where config.json does not say how wide
  // Names of `nonlinearity` in config.json.
  std::span<const std::string_view> hf_activations = kSiluNames;

  // ---- Tensors ---------------------------------------------------------------------------------

  // Beside Llama's: which are there, which may be, and which are not.
  std::span<const Role> added = {}, optional = {}, left_out = {};
  std::span<const Role> biased = {};  // those with a bias; others may have one

  // ---- Arithmetic ------------------------------------------------------------------------------

  NormKind norm = NormKind::kRms;
  QkNorm qk_norm = QkNorm::kHead;
  bool norms_lack_weights = false;  // those that are left out are there, without weights
  PositionKind positions = PositionKind::kRope;
  RopePairs rope_pairs = RopePairs::kNeighbours;
  Nonlinearity nonlinearity = Nonlinearity::kSilu;
  // ffn_up holds what is gated behind what gates it, so it has twice the rows. Without this, where
  // there is no ffn_gate nothing is gated.
  bool fuses_gate = false;
  // The norm before the feed-forward network.
  Role ffn_norm = Role::kFfnNorm;
  // An encoder: tokens see those behind them, too, so a text is read at once. It makes embeddings
  // (nibble/embed.h), no next tokens.
  bool is_encoder = false;
  // Attention and the feed-forward network read the same residual stream.
  bool is_parallel = false;
  // Multi-head latent attention, see ModelConfig::latent.
  bool is_latent = false;
  // The embedding is scaled by sqrt(hidden) unless the file says otherwise.
  bool scales_embedding = false;
  // What the file calls logit_scale divides logits.
  bool divides_logits = false;
  // Where there is a window, the last layer of each such period sees all positions nevertheless; 0:
  // none does.
  int64_t window_period = 0;
  double local_rope_base = 0;  // of layers that see a window; 0: that of the others
  // The last layer of each such period does not turn queries and keys = {}; 0: all do.
  int64_t no_rope_period = 0;
  bool only_windows_rotate = false;  // layers without a window do not
  bool rounds_yarn = true;           // pairs between which YaRN blends, to whole ones
  float epsilon = 1e-5f;             // of norms, if the file does not say

  Gating gating = Gating::kSoftmax;
  bool normalizes_experts = true;  // weights of a token's experts are scaled to 1 in all

  // What only numbers tell: called when everything has been read.
  void (*adjust)(ModelConfig& config) = nullptr;
};

const Arch* find_arch(std::string_view gguf_name);  // nullptr: not supported
const Arch* find_arch_of_hf_class(std::string_view hf_class);
const Arch* find_arch_of_hf_model_type(std::string_view model_type);
std::string supported_archs();  // "llama, ...", for messages

}  // namespace nibble
