// SensitivityFile: lines of JSON, the first about the rest.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/input_file.h"
#include "base/json.h"
#include "base/output_file.h"
#include "flow/sensitivity.h"

namespace nibble {
namespace {

constexpr uint64_t kLargest = 256 << 20;

DType type_of(const JsonObject& object, const std::string& name) {
  const auto type = dtype_from_name(name);
  if (!type) fail(ErrorCode::kInvalidFile, "{}: there is no type {}", object.file_name(), name);
  return *type;
}

TensorSensitivity parse(const std::string& line, const std::string& where) {
  const Json json = parse_json(line, where, DuplicateKeys::kRefuse);
  const JsonObject object(json, where);
  TensorSensitivity sensitivity;
  sensitivity.tensor = object.require_string("tensor");
  sensitivity.probe = type_of(object, object.require_string("probe"));
  sensitivity.kl = object.require_float("kl");
  const JsonObject errors(object.require("errors"), where);
  bool has_probe = false;
  for (const auto& [name, unused] : object.require("errors").items()) {
    const TensorSensitivity::TypeError error = {type_of(object, name),
                                                errors.require_float(name.c_str())};
    if (!(error.error >= 0))
      fail(ErrorCode::kInvalidFile, "{}: the error of {} is {}", where, name, error.error);
    has_probe |= error.type == sensitivity.probe;
    sensitivity.errors.push_back(error);
  }
  if (!has_probe || !(sensitivity.kl >= 0)) {
    fail(ErrorCode::kInvalidFile,
         "{}: expected a divergence of at least 0 and an error of the type that it was measured "
         "with",
         where);
  }
  return sensitivity;
}

std::string line_of(const TensorSensitivity& sensitivity) {
  nlohmann::ordered_json errors;
  for (const auto& [type, error] : sensitivity.errors)
    errors[std::string(dtype_name(type))] = error;
  const nlohmann::ordered_json json = {{"tensor", sensitivity.tensor},
                                       {"probe", dtype_name(sensitivity.probe)},
                                       {"kl", sensitivity.kl},
                                       {"errors", errors}};
  return json.dump() + "\n";
}

}  // namespace

SensitivityFile::SensitivityFile(const std::filesystem::path& path, const std::string& about)
    : path_(path) {
  if (path.empty()) return;
  std::error_code ignored;
  const bool is_begun = std::filesystem::exists(path, ignored) && read(about);
  out_.open(path, std::ios::binary | std::ios::app);
  if (!out_) fail_write(path, errno);
  if (!is_begun) write_line(about + "\n");
}

// A line without its end is what an interrupt left of it: the file goes on in its place. False when
// that is all there is.
bool SensitivityFile::read(const std::string& about) {
  std::string text = read_text_file(path_, kLargest);
  const size_t whole = text.rfind('\n') + 1;  // 0 when there is none
  int number = 1;
  for (size_t at = 0; at < whole; ++number) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (number == 1 && line != about) {
      fail(ErrorCode::kInvalidFile,
           "{}: was measured with another model, other texts, statistics or options:\n  found    "
           "{}\n  expected {}\nName another file, or remove it to measure anew",
           path_.string(), line, about);
    }
    if (number > 1)
      known_.push_back(parse(line, fmt::format("{}, line {}", path_.string(), number)));
  }
  if (whole < text.size()) std::filesystem::resize_file(path_, whole);
  return whole > 0;
}

const TensorSensitivity* SensitivityFile::find(const std::string& tensor) const {
  const auto found = std::ranges::find(known_, tensor, &TensorSensitivity::tensor);
  return found == known_.end() ? nullptr : &*found;
}

void SensitivityFile::add(TensorSensitivity sensitivity) {
  if (out_.is_open()) write_line(line_of(sensitivity));
  known_.push_back(std::move(sensitivity));
}

void SensitivityFile::write_line(const std::string& line) {
  out_ << line << std::flush;
  if (!out_) fail_write(path_, errno);
}

}  // namespace nibble
