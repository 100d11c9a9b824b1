#include "file/hf_directory.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/input_file.h"
#include "file/safetensors.h"
#include "file/torch_file.h"

namespace nibble {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxTextBytes = uint64_t{256} << 20;
constexpr const char* kIndexName = "model.safetensors.index.json";
constexpr const char* kTorchIndexName = "pytorch_model.bin.index.json";

fs::path find_folder(const fs::path& path) {
  std::error_code ignored;  // false then, and opening says why
  if (fs::is_directory(path, ignored)) return path;
  if (!fs::exists(path, ignored)) {
    fail(ErrorCode::kNotFound, "{}: no such file or folder", path.string());
  }
  if (!is_weight_file(path)) {
    fail(ErrorCode::kUnsupported,
         "{}: is neither a folder nor a file of weights (.safetensors, .bin, .pt, .pth)",
         path.string());
  }
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// The names of the folder's files that end so, sorted.
std::vector<std::string> list_files(const fs::path& folder, std::string_view ending) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (std::string name = entry->path().filename().string(); name.ends_with(ending)) {
      names.push_back(std::move(name));
    }
  }
  if (error) {
    fail(ErrorCode::kIo, "{}: cannot list the folder: {}", folder.string(), error.message());
  }
  std::ranges::sort(names);
  return names;
}

// Models as one .gguf file lie in folders too, and a folder is what people then name.
void point_to_gguf(const fs::path& folder) {
  if (const auto names = list_files(folder, ".gguf"); !names.empty()) {
    fail(ErrorCode::kNotFound, "{}: is no Hugging Face model; open {} by its own name",
         folder.string(), names.front());
  }
}

Json read_config(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    point_to_gguf(folder);
    fail(ErrorCode::kNotFound,
         "{}: the file is missing; a Hugging Face model needs it, download it into this folder",
         path.string());
  }
  return parse_json(read_text_file(path, kMaxTextBytes), path.string());
}

[[noreturn]] void fail_no_weights(const fs::path& folder) {
  point_to_gguf(folder);
  fail(ErrorCode::kNotFound,
       "{}: holds no weights; download model.safetensors, or {} and the files that it names",
       folder.string(), kIndexName);
}

// What training leaves beside the weights.
bool is_of_training(std::string_view name) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"training_args", "optimizer", "scheduler", "scaler", "rng_state"});
  return std::ranges::any_of(kNames,
                             [&](std::string_view other) { return name.starts_with(other); });
}

// The only file of that ending, if any.
std::optional<fs::path> find_only(const fs::path& folder, std::string_view ending) {
  auto names = list_files(folder, ending);
  std::erase_if(names, is_of_training);
  if (names.empty()) return std::nullopt;
  if (names.size() > 1) {
    fail(ErrorCode::kNotFound,
         "{}: holds {} {} files ({}, ...), but no {} that says which belong together; "
         "download it, or name one file",
         folder.string(), names.size(), ending, names.front(),
         ending == ".safetensors" ? kIndexName : kTorchIndexName);
  }
  return folder / names.front();
}

fs::path find_weights_in(const fs::path& folder) {
  std::error_code ignored;
  for (const char* name : {"model.safetensors", kIndexName}) {
    if (fs::exists(folder / name, ignored)) return folder / name;
  }
  if (const auto file = find_only(folder, ".safetensors")) return *file;
  for (const char* name : {"pytorch_model.bin", kTorchIndexName}) {
    if (fs::exists(folder / name, ignored)) return folder / name;
  }
  for (const char* ending : {".bin", ".pth", ".pt"}) {
    if (const auto file = find_only(folder, ending)) return *file;
  }
  fail_no_weights(folder);
}

// A single file by its own name must not be one shard of many: most of the model would be missing.
void check_no_shard(const fs::path& file) {
  const fs::path index =
      file.parent_path() / (file.extension() == ".safetensors" ? kIndexName : kTorchIndexName);
  std::error_code ignored;
  if (file.filename().string().find("-of-") != std::string::npos && fs::exists(index, ignored)) {
    fail(ErrorCode::kUsage, "{}: is one of the files that {} names; open the folder instead",
         file.string(), index.string());
  }
}

fs::path find_weights(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return find_weights_in(path);
  check_no_shard(path);
  return path;
}

std::unique_ptr<WeightFiles> open_weights(const fs::path& path) {
  const bool safe = path.extension() == ".safetensors" || path.filename() == kIndexName;
  if (safe) return std::make_unique<SafetensorsFile>(path);
  return std::make_unique<TorchFile>(path);
}

}  // namespace

HfDirectory::HfDirectory(const fs::path& path)
    : folder_(find_folder(path)),
      config_json_(read_config(folder_)),
      config_(config_json_, (folder_ / "config.json").string()),
      weights_(open_weights(find_weights(path))) {
  keep_blocks(nullptr);
  const std::string name = (folder_ / "generation_config.json").string();
  if (const auto text = find_text_file(name)) {
    generation_config_json_ = parse_json(*text, name);
    generation_config_.emplace(generation_config_json_, name);
  }
}

void HfDirectory::keep_blocks(KeepBlocks keep) {
  const Json* quantization = find_quantization(config_);
  if (quantization == nullptr) return;
  quantized_ = std::make_unique<QuantizedWeights>(
      *weights_,
      JsonObject(*quantization, (folder_ / "config.json").string() + ": quantization_config"),
      std::move(keep));
}

bool is_weight_file(const fs::path& path) {
  constexpr auto kEndings =
      std::to_array<std::string_view>({".safetensors", ".bin", ".pt", ".pth"});
  return std::ranges::count(kEndings, path.extension().string()) > 0;
}

std::optional<std::string> find_text_file(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  return read_text_file(path, kMaxTextBytes);
}

}  // namespace nibble
