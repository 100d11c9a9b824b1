#include "flow/model_source.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "codec/formats.h"
#include "flow/hf_pooling.h"
#include "flow/vocabulary_source.h"
#include "model/config.h"
#include "model/hf_config.h"
#include "model/tensor_shapes.h"

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
    if (is_ignored(arch, tensor.name)) continue;
    fail(ErrorCode::kUnsupported, "{}: tensor {} has {}; this version converts F32, F16 and BF16",
         hf.folder().string(), tensor.name, tensor.reason);
  }
}

// Names and shapes.
class Outline final : public TensorSource {
 public:
  Outline(std::vector<TensorInfo> tensors, std::string origin)
      : tensors_(std::move(tensors)), origin_(std::move(origin)) {}

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  void read_rows(size_t tensor, uint64_t, uint64_t, std::span<std::byte>) const override {
    fail(ErrorCode::kNotFound, "{}: there are no weights beside it, so {} cannot be read", origin_,
         tensors_[tensor].name);
  }
  std::span<const std::byte> view(size_t) const override { return {}; }

 private:
  std::vector<TensorInfo> tensors_;
  std::string origin_;
};

ModelSource open_gguf(const std::filesystem::path& path) {
  ModelSource model;
  model.path = path;
  model.gguf = std::make_unique<GgufFile>(path);
  model.format = "GGUF " + std::to_string(model.gguf->version());
  model.metadata = model.gguf->metadata();
  return model;
}

std::string model_name(const std::filesystem::path& path) {
  const auto folder = std::filesystem::weakly_canonical(path);
  return folder.filename().empty() ? folder.parent_path().filename().string()
                                   : folder.filename().string();
}

void add_pooling(const Arch& arch, const std::filesystem::path& folder, Metadata& metadata) {
  if (const auto pooling = pooling_of_hf(folder))
    metadata.set(std::string(arch.name) + ".pooling_type", static_cast<uint32_t>(*pooling));
}

// Of a checkpoint's name. Tables, and what is laid out anew, come as f32.
bool keeps_blocks(const Arch& arch, const KeepBlocks& keep, std::string_view name) {
  const auto places = places_from_hf_name(name, arch.names);
  return !places.empty() && std::ranges::all_of(places, [&](const CheckpointPlace& found) {
    return is_multiplied(found.place) && takes_whole_rows(found.take) &&
           keep(gguf_name(found.place));
  });
}

ModelSource open_hf(const std::filesystem::path& path, const KeepBlocks& keep) {
  ModelSource model;
  model.path = path;
  model.format = "Hugging Face directory";
  model.hf = std::make_unique<HfDirectory>(path);
  const JsonObject& config = model.hf->config();
  const Arch& arch = arch_from_hf_config(config);
  check_unsupported(*model.hf, arch);
  model.hf->keep_blocks([&](std::string_view name) { return keeps_blocks(arch, keep, name); });
  model.metadata = metadata_from_hf_config(arch, config, model_name(model.hf->folder()));
  add_pooling(arch, model.hf->folder(), model.metadata);
  const Json fields = language_model_config(arch, config);
  RenamedOptions options = renamed_options(arch, config, model.metadata);
  options.origin = model.hf->folder().string();
  model.renamed = std::make_unique<Renamed>(*model.hf, arch, std::move(options));
  const auto vocabulary =
      vocabulary_from_hf(tokenizer_files(model.hf->folder()),
                         JsonObject(fields, config.file_name()).require_uint("vocab_size"));
  check_vocabulary_size(model, vocabulary);
  add_vocabulary(vocabulary, model.metadata);
  return model;
}

// What weights of Hugging Face are stored as; most newer checkpoints are bf16.
DType checkpoint_type(const JsonObject& config) {
  std::string name = config.find_string("torch_dtype").value_or("");
  if (const auto newer = config.find_string("dtype")) name = *newer;
  if (name == "float32") return DType::kF32;
  return name == "float16" ? DType::kF16 : DType::kBF16;
}

// The vocabulary where it can be had: planning can do without.
void try_to_add_vocabulary(const std::filesystem::path& folder, uint64_t size, Metadata& metadata) {
  try {
    add_vocabulary(vocabulary_from_hf(tokenizer_files(folder), size), metadata);
  } catch (const Error&) {
  }
}

ModelSource open_config(const std::filesystem::path& path, const std::filesystem::path& file) {
  constexpr uint64_t kLargest = 16 << 20;
  const Json json = parse_json(read_text_file(file, kLargest), file.string());
  const JsonObject config(json, file.string());
  const Arch& arch = arch_from_hf_config(config);
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  ModelSource model;
  model.path = path;
  model.format = "Hugging Face config";
  model.metadata = metadata_from_hf_config(arch, config, model_name(folder));
  add_pooling(arch, folder, model.metadata);
  const Json fields = language_model_config(arch, config);
  const uint64_t vocab_size = JsonObject(fields, config.file_name()).require_uint("vocab_size");
  const RenamedOptions options = renamed_options(arch, config, model.metadata);
  std::vector<Role> made;
  for (const auto& [role, factors] : options.made) made.push_back(role);
  model.outline =
      std::make_unique<Outline>(tensors_of(config_from_metadata(model.metadata),
                                           {.vocab_size = static_cast<int64_t>(vocab_size),
                                            .has_output = !options.tied_output,
                                            .made = std::move(made),
                                            .type = checkpoint_type(config)}),
                                file.string());
  try_to_add_vocabulary(folder, vocab_size, model.metadata);
  return model;
}

bool has_weights(const std::filesystem::path& folder) {
  std::error_code ignored;  // then there are none
  for (std::filesystem::directory_iterator entry(folder, ignored), end; entry != end;
       entry.increment(ignored)) {
    if (is_weight_file(entry->path())) return true;
  }
  return false;
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

const std::string& ModelSource::stored_name(size_t tensor) const {
  if (!pruned) return tensors().tensors()[tensor].name;
  const size_t origin = pruned->origin(tensor);
  return (gguf ? gguf->tensors() : renamed->tensors())[origin].name;
}

ModelSource open_model(const std::filesystem::path& path, const KeepBlocks& keep) {
  if (is_missing(path)) {
    fail(ErrorCode::kNotFound, "{}: there is no such file or directory", path.string());
  }
  std::error_code ignored;  // false then, and opening says why
  if (std::filesystem::is_directory(path, ignored) || is_weight_file(path))
    return open_hf(path, keep);
  if (starts_with_gguf_magic(path)) return open_gguf(path);
  fail(ErrorCode::kInvalidFile,
       "{}: not a model: expected a GGUF file (it does not begin with \"GGUF\"), a file of weights "
       "(.safetensors, .bin, .pt, .pth) with config.json beside it, or a Hugging Face directory",
       path.string());
}

ModelSource open_model_outline(const std::filesystem::path& path) {
  std::error_code ignored;  // false then, and open_model() says why
  if (path.extension() == ".json" && !is_missing(path)) return open_config(path, path);
  const auto config = path / "config.json";
  if (std::filesystem::is_directory(path, ignored) && std::filesystem::exists(config, ignored) &&
      !has_weights(path))
    return open_config(path, config);
  return open_model(path, keep_no_blocks);
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
