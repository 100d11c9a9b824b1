#include "flow/vocabulary_source.h"

#include "base/error.h"
#include "base/json.h"
#include "file/gguf.h"
#include "file/hf_directory.h"
#include "text/conformance.h"

namespace nibble {
namespace {

// How many rows the embedding has, where the directory says it; multimodal models say it of the
// part that reads text.
std::optional<uint64_t> vocab_size_of(const std::filesystem::path& folder) {
  const auto path = folder / "config.json";
  const auto text = find_text_file(path);
  if (!text) return std::nullopt;
  const Json json = parse_json(*text, path.string());
  const JsonObject config(json, path.string());
  if (const auto size = config.find_uint("vocab_size")) return size;
  const Json* inner = config.find("text_config");
  return inner == nullptr ? std::nullopt
                          : JsonObject(*inner, path.string()).find_uint("vocab_size");
}

}  // namespace

HfTokenizerFiles tokenizer_files(const std::filesystem::path& folder) {
  HfTokenizerFiles files;
  files.folder = folder.string();
  files.tokenizer_json = find_text_file(folder / "tokenizer.json");
  files.tokenizer_model = find_text_file(folder / "tokenizer.model");
  files.tokenizer_config = find_text_file(folder / "tokenizer_config.json");
  files.special_tokens_map = find_text_file(folder / "special_tokens_map.json");
  files.added_tokens = find_text_file(folder / "added_tokens.json");
  files.chat_template = find_text_file(folder / "chat_template.jinja");
  return files;
}

OpenedVocabulary open_vocabulary(const std::filesystem::path& path) {
  if (is_missing(path)) {
    fail(ErrorCode::kNotFound, "{}: there is no such file or directory", path.string());
  }
  std::error_code ignored;  // false then, and opening says why
  if (std::filesystem::is_directory(path, ignored))
    return {vocabulary_from_hf(tokenizer_files(path), vocab_size_of(path)), {}};
  HfTokenizerFiles files;
  files.folder = path.has_parent_path() ? path.parent_path().string() : ".";
  if (path.extension() == ".json") {
    files.tokenizer_json = find_text_file(path);
    return {vocabulary_from_hf(files, std::nullopt), {}};
  }
  if (path.extension() == ".model") {
    files.tokenizer_model = find_text_file(path);
    return {vocabulary_from_hf(files, std::nullopt), {}};
  }
  const GgufFile file(path);
  return {vocabulary_from_metadata(file.metadata()), conformance_keys(file.metadata())};
}

}  // namespace nibble
