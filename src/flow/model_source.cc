#include "flow/model_source.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "model/hf_config.h"
#include "text/hf_tokenizer.h"

namespace nibble {
namespace {

bool starts_with_gguf_magic(const std::filesystem::path& path) {
  const InputFile file(path);
  std::array<std::byte, 4> magic{};
  if (file.size() < magic.size()) return false;
  file.read(0, magic);
  return std::memcmp(magic.data(), "GGUF", magic.size()) == 0;
}

void check_unsupported(const HfDirectory& hf, const Arch& arch) {
  for (const UnsupportedTensor& tensor : hf.unsupported()) {
    const bool ignored = std::ranges::any_of(arch.ignored_suffixes, [&](std::string_view suffix) {
      return tensor.name.ends_with(suffix);
    });
    if (ignored) continue;
    fail(ErrorCode::kUnsupported, "{}: tensor {} has {}; this version converts F32, F16 and BF16",
         hf.folder().string(), tensor.name, tensor.reason);
  }
}

HfTokenizerFiles tokenizer_files(const HfDirectory& hf) {
  HfTokenizerFiles files;
  files.folder = hf.folder().string();
  files.tokenizer_json = hf.find_text("tokenizer.json");
  files.tokenizer_model = hf.find_text("tokenizer.model");
  files.tokenizer_config = hf.find_text("tokenizer_config.json");
  files.special_tokens_map = hf.find_text("special_tokens_map.json");
  files.added_tokens = hf.find_text("added_tokens.json");
  files.chat_template = hf.find_text("chat_template.jinja");
  return files;
}

ModelSource open_gguf(const std::filesystem::path& path) {
  ModelSource model;
  model.path = path;
  model.gguf = std::make_unique<GgufFile>(path);
  model.format = "GGUF " + std::to_string(model.gguf->version());
  model.metadata = model.gguf->metadata();
  return model;
}

std::string model_name(const HfDirectory& hf) {
  const auto folder = std::filesystem::weakly_canonical(hf.folder());
  return folder.filename().empty() ? folder.parent_path().filename().string()
                                   : folder.filename().string();
}

ModelSource open_hf(const std::filesystem::path& path) {
  ModelSource model;
  model.path = path;
  model.format = "Hugging Face directory";
  model.hf = std::make_unique<HfDirectory>(path);
  const JsonObject& config = model.hf->config();
  const Arch& arch = arch_from_hf_config(config);
  check_unsupported(*model.hf, arch);
  model.metadata = metadata_from_hf_config(arch, config, model_name(*model.hf));
  RenamedOptions options;
  const std::string prefix = std::string(arch.name) + ".";
  options.heads = model.metadata.require_uint(prefix + "attention.head_count");
  options.kv_heads = model.metadata.require_uint(prefix + "attention.head_count_kv");
  options.experts = model.metadata.find_uint(prefix + "expert_count").value_or(0);
  options.tied_output = config.find_bool("tie_word_embeddings").value_or(false);
  options.rope_factors = rope_factors_from_hf_config(config);
  options.origin = model.hf->folder().string();
  model.renamed = std::make_unique<Renamed>(*model.hf, arch, std::move(options));
  const auto vocabulary =
      vocabulary_from_hf(tokenizer_files(*model.hf), config.require_uint("vocab_size"));
  check_vocabulary_size(model, vocabulary);
  add_vocabulary(vocabulary, model.metadata);
  return model;
}

}  // namespace

uint64_t ModelSource::file_bytes() const {
  uint64_t bytes = 0;
  for (const auto& file : files()) bytes += file->size();
  return bytes;
}

std::vector<size_t> ModelSource::tensors_in_files() const {
  if (gguf == nullptr) {
    fail(ErrorCode::kUsage, "{}: is no GGUF, so there is no split to keep; see nibble split",
         path.string());
  }
  std::vector<size_t> counts(gguf->files().size());
  for (size_t i = 0; i < tensors().tensors().size(); ++i) {
    ++counts[gguf->file_of(pruned ? pruned->origin(i) : i)];
  }
  return counts;
}

ModelSource open_model(const std::filesystem::path& path) {
  if (is_missing(path)) {
    fail(ErrorCode::kNotFound, "{}: there is no such file or directory", path.string());
  }
  std::error_code ignored;  // false then, and opening says why
  if (std::filesystem::is_directory(path, ignored) || path.extension() == ".safetensors")
    return open_hf(path);
  if (starts_with_gguf_magic(path)) return open_gguf(path);
  fail(ErrorCode::kInvalidFile,
       "{}: not a model: expected a GGUF file (it does not begin with \"GGUF\"), a .safetensors "
       "file with config.json "
       "beside it, or a Hugging Face directory",
       path.string());
}

PrunedLayers prune_model(ModelSource& model, const std::vector<uint64_t>& layers) {
  const std::string arch(model.metadata.require_string("general.architecture"));
  const PrunedLayers pruned(layers, model.metadata.require_uint(arch + ".block_count"));
  model.pruned = std::make_unique<Pruned>(model.tensors(), pruned);
  pruned.apply_to(model.metadata, arch);
  return pruned;
}

void check_vocabulary_size(const ModelSource& model, const Vocabulary& vocabulary) {
  const auto& tensors = model.tensors().tensors();
  const auto embedding =
      std::ranges::find(tensors, gguf_name({Role::kTokenEmbd}), &TensorInfo::name);
  if (embedding == tensors.end() || embedding->shape.rows() == vocabulary.size()) return;
  fail(ErrorCode::kInvalidFile,
       "{}: the vocabulary has {} tokens, but the embedding {} has {} rows", model.path.string(),
       vocabulary.size(), embedding->name, embedding->shape.rows());
}

}  // namespace nibble
