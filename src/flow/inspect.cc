#include "nibble/inspect.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/threads.h"
#include "codec/codec.h"
#include "flow/encode_rows.h"
#include "flow/model_source.h"
#include "flow/run_support.h"
#include "model/config.h"
#include "model/weights.h"
#include "text/conformance.h"
#include "text/tokenizer.h"

namespace nibble {
namespace {

constexpr size_t kShownItems = 8;
constexpr size_t kShownBytes = 200;

std::string cut(std::string text) {
  if (text.size() <= kShownBytes) return text;
  size_t end = kShownBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;  // between characters
  return text.substr(0, end) + "...";
}

std::string as_text(const std::string& value) { return cut(value); }
std::string as_text(bool value) { return value ? "true" : "false"; }
template <class Number>
std::string as_text(Number value) {
  return fmt::format("{}", value);
}
std::string as_text(const MetadataArray& array);

template <class Item>
std::string list_as_text(const std::vector<Item>& items) {
  std::string text = "[";
  for (size_t i = 0; i < std::min(items.size(), kShownItems); ++i) {
    text += (i > 0 ? ", " : "") + as_text(static_cast<const Item&>(items[i]));
  }
  return text + (items.size() > kShownItems ? ", ...]" : "]");
}

std::string as_text(const MetadataArray& array) {
  return std::visit([](const auto& items) { return list_as_text(items); }, array.items);
}

MetadataRow describe(const Metadata::Entry& entry) {
  MetadataRow row;
  row.key = entry.first;
  row.type = metadata_type_name(entry.second);
  if (const auto* array = std::get_if<MetadataArray>(&entry.second)) {
    row.type = fmt::format("array of {}", array->size());
  }
  row.value = std::visit([](const auto& value) { return as_text(value); }, entry.second);
  return row;
}

void scan_weights(const ModelSource& model, const RunOptions& run,
                  std::vector<std::string>& problems) {
  const TensorSource& source = model.tensors();
  uint64_t total = 0;
  for (const TensorInfo& tensor : source.tensors()) total += tensor.shape.count();
  Phase phase(run, "validating", "weights", total);
  ThreadPool pool(run.threads);
  std::vector<RowEncoder> readers(static_cast<size_t>(pool.count()));
  for (size_t i = 0; i < source.tensors().size(); ++i) {
    const TensorInfo& tensor = source.tensors()[i];
    try {
      pool.run(static_cast<int64_t>(tensor.shape.rows()),
               static_cast<int64_t>(rows_at_once(tensor)),
               [&](int64_t begin, int64_t end, int worker) {
                 readers[static_cast<size_t>(worker)].read(source, i, static_cast<uint64_t>(begin),
                                                           static_cast<uint64_t>(end - begin));
               });
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
    phase.advance(tensor.shape.count());
  }
}

std::vector<std::string> problems_of_conformance(const ModelSource& model) {
  if (conformance_keys(model.metadata).entries().empty()) return {};
  try {
    const Tokenizer tokenizer(vocabulary_from_metadata(model.metadata), model.path.string());
    return conformance_problems(model.metadata, tokenizer);
  } catch (const Error&) {  // then there is nothing to compare
    return {};
  }
}

}  // namespace

Inspection inspect(const std::filesystem::path& path) {
  const ModelSource model = open_model(path);
  Inspection result;
  result.format = model.format;
  result.architecture = model.metadata.find_string("general.architecture").value_or("");
  result.name = model.metadata.find_string("general.name").value_or("");
  result.file_bytes = model.file_bytes();
  uint64_t bytes = 0;
  for (const TensorInfo& tensor : model.tensors().tensors()) {
    const auto* dims = tensor.shape.dims.data();
    result.tensors.push_back(
        {tensor.name, tensor.type, {dims, dims + tensor.shape.rank}, tensor.bytes()});
    result.weights += tensor.shape.count();
    bytes += tensor.bytes();
  }
  if (result.weights > 0)
    result.bits_per_weight = 8.0 * static_cast<double>(bytes) / static_cast<double>(result.weights);
  for (const auto& entry : model.metadata.entries()) result.metadata.push_back(describe(entry));
  result.conformance_problems = problems_of_conformance(model);
  return result;
}

std::vector<std::string> validate(const std::filesystem::path& path, const RunOptions& run) {
  std::vector<std::string> problems;
  const auto attempt = [&](const auto& check) {
    try {
      check();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kCancelled) throw;
      problems.emplace_back(error.what());
    }
  };
  const ModelSource model = open_model(path);
  attempt([&] { check_vocabulary_size(model, vocabulary_from_metadata(model.metadata)); });
  attempt(
      [&] { check_tensors(model.tensors(), config_from_metadata(model.metadata), path.string()); });
  scan_weights(model, run, problems);
  return problems;
}

}  // namespace nibble
