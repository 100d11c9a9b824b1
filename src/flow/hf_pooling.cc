#include "flow/hf_pooling.h"

#include <string>

#include "base/error.h"
#include "base/input_file.h"
#include "base/json.h"

namespace nibble {
namespace {

constexpr uint64_t kLargest = 1 << 20;

// Of "sentence_transformers.models.Pooling".
std::string_view last_part(std::string_view type) { return type.substr(type.rfind('.') + 1); }

}  // namespace

std::optional<std::filesystem::path> pooling_folder_of(std::string_view modules,
                                                       const std::string& file_name) {
  const Json json = parse_json(modules, file_name);
  if (!json.is_array()) fail(ErrorCode::kInvalidFile, "{}: expected a list", file_name);
  std::optional<std::filesystem::path> found;
  for (const Json& item : json) {
    const JsonObject module(item, file_name);
    const std::string type = module.require_string("type");
    const std::filesystem::path place = module.find_string("path").value_or("");
    if (last_part(type) == "Pooling") {
      if (!place.is_relative() || place.string().find("..") != std::string::npos) {
        fail(ErrorCode::kInvalidFile, "{}: \"path\": found \"{}\", expected a folder beside it",
             file_name, place.string());
      }
      found = place;
    } else if (last_part(type) != "Transformer" && last_part(type) != "Normalize") {
      fail(ErrorCode::kUnsupported,
           "{}: the module \"{}\" is not supported; this version knows Transformer, Pooling and "
           "Normalize",
           file_name, type);
    }
  }
  return found;
}

Pooling pooling_of_config(std::string_view text, const std::string& file_name) {
  const Json json = parse_json(text, file_name);
  const JsonObject config(json, file_name);
  constexpr struct {
    const char* key;
    Pooling pooling;
  } kModes[] = {{"pooling_mode_cls_token", Pooling::kCls},
                {"pooling_mode_mean_tokens", Pooling::kMean},
                {"pooling_mode_lasttoken", Pooling::kLast}};
  std::optional<Pooling> found;
  int modes = 0;
  for (const auto& [key, value] : json.items()) {
    if (!key.starts_with("pooling_mode_") || !config.find_bool(key.c_str()).value_or(false))
      continue;
    ++modes;
    for (const auto& mode : kModes) {
      if (key == mode.key) found = mode.pooling;
    }
  }
  if (found && modes == 1) return *found;
  fail(ErrorCode::kUnsupported,
       "{}: found {} of the pooling modes switched on, expected one of pooling_mode_cls_token, "
       "pooling_mode_mean_tokens and pooling_mode_lasttoken",
       file_name, modes);
}

std::optional<Pooling> pooling_of_hf(const std::filesystem::path& folder) {
  const auto modules = folder / "modules.json";
  std::error_code ignored;  // then there is none
  if (!std::filesystem::exists(modules, ignored)) return std::nullopt;
  const auto place = pooling_folder_of(read_text_file(modules, kLargest), modules.string());
  if (!place) return std::nullopt;
  const auto config = folder / *place / "config.json";
  return pooling_of_config(read_text_file(config, kLargest), config.string());
}

}  // namespace nibble
