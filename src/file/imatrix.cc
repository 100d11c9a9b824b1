#include "file/imatrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/input_file.h"
#include "codec/formats.h"
#include "file/byte_reader.h"
#include "file/gguf_header.h"

namespace nibble {
namespace {

constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";
constexpr const char* kDatasetsKey = "imatrix.datasets";
constexpr const char* kChunksKey = "imatrix.chunk_count";
constexpr const char* kChunkSizeKey = "imatrix.chunk_size";

void check_values(const std::string& file_name, std::string_view tensor,
                  std::span<const float> values, uint64_t columns) {
  const auto is_bad = [](float v) { return !std::isfinite(v) || v < 0; };
  const auto bad = std::ranges::find_if(values, is_bad);
  if (bad == values.end()) return;
  const auto index = static_cast<uint64_t>(bad - values.begin());
  const std::string expert =
      columns < values.size() ? fmt::format(" of expert {}", index / columns) : "";
  fail(ErrorCode::kInvalidFile,
       "{}: tensor {}: the importance of column {}{} is {}, expected a finite number >= 0: the "
       "file is damaged",
       file_name, printable(tensor), index % columns, expert, *bad);
}

void add_entry(ImportanceMatrix& matrix, const std::string& file_name, std::string name,
               ImportanceEntry values) {
  check_values(file_name, name, values.sums, values.sums.size() / values.counts.size());
  const auto [entry, is_new] = matrix.entries.emplace(std::move(name), std::move(values));
  if (!is_new) {
    fail(ErrorCode::kInvalidFile, "{}: tensor {}: has more than one entry", file_name,
         printable(entry->first));
  }
}

// ---- legacy .dat ----

// An i32 that counts items of `item_bytes` that follow.
uint64_t read_count(ByteReader& in, int32_t least, uint64_t item_bytes) {
  const auto count = in.read<int32_t>();
  if (count < least) {
    in.fail_here(ErrorCode::kInvalidFile, "found {}, expected at least {}: no importance matrix",
                 count, least);
  }
  in.require_items(static_cast<uint64_t>(count), item_bytes);
  return static_cast<uint64_t>(count);
}

std::string read_text(ByteReader& in, int32_t least) {
  std::string text(read_count(in, least, 1), '\0');
  in.read_into(std::span(text));
  return text;
}

void read_dat_entry(ByteReader& in, ImportanceMatrix& matrix) {
  std::string name = read_text(in, 1);
  in.set_field(fmt::format("calls of {}", printable(name)));
  const auto calls = in.read<int32_t>();
  if (calls < 0) in.fail_here(ErrorCode::kInvalidFile, "found {}, expected at least 0", calls);
  in.set_field(fmt::format("values of {}", printable(name)));
  std::vector<float> values(read_count(in, 1, sizeof(float)));
  in.read_into(std::span(values));
  const float count = calls > 0 ? static_cast<float>(calls) : 1.0f;
  add_entry(matrix, in.file_name(), std::move(name), {std::move(values), {count}});
}

ImportanceMatrix parse_dat(std::span<const std::byte> file, const std::string& file_name) {
  constexpr uint64_t kLeastEntryBytes = 3 * sizeof(int32_t) + 1 + sizeof(float);
  ByteReader in(file, file_name);
  ImportanceMatrix matrix;
  matrix.counts_calls = true;
  in.set_field("entry count");
  const uint64_t entries = read_count(in, 1, kLeastEntryBytes);
  for (uint64_t i = 0; i < entries; ++i) {
    in.set_field(fmt::format("entry {} of {}", i + 1, entries));
    read_dat_entry(in, matrix);
  }
  if (in.left() == 0) return matrix;  // as the first versions wrote it
  in.set_field("chunk count");
  matrix.chunks = static_cast<uint64_t>(std::max(in.read<int32_t>(), 0));
  in.set_field("data set");
  if (std::string dataset = read_text(in, 0); !dataset.empty()) {
    matrix.datasets.push_back(std::move(dataset));
  }
  return matrix;
}

// ---- GGUF ----

class GgufEntries {
 public:
  GgufEntries(std::span<const std::byte> file, const GgufHeader& header)
      : file_(file), header_(header) {
    for (size_t i = 0; i < header.tensors.size(); ++i) index_[header.tensors[i].name] = i;
  }

  void add_to(ImportanceMatrix& matrix) const {
    for (const TensorInfo& tensor : header_.tensors) {
      if (tensor.name.ends_with(kSums)) {
        add(matrix, tensor, tensor.name.substr(0, tensor.name.size() - kSums.size()));
      }
    }
  }

 private:
  const std::string& file_name() const { return header_.metadata.origin(); }

  void add(ImportanceMatrix& matrix, const TensorInfo& sums, std::string name) const {
    std::vector<float> counts = counts_of(name, sums.shape.rows());
    add_entry(matrix, file_name(), std::move(name), {floats_of(sums), std::move(counts)});
  }

  std::vector<float> counts_of(const std::string& name, uint64_t experts) const {
    const auto found = index_.find(name + std::string(kCounts));
    if (found == index_.end()) {
      fail(ErrorCode::kInvalidFile, "{}: tensor {}{} is there, but {}{} is missing", file_name(),
           printable(name), kSums, printable(name), kCounts);
    }
    const TensorInfo& tensor = header_.tensors[found->second];
    if (tensor.shape.count() != experts) {
      fail(ErrorCode::kInvalidFile, "{}: tensor {}: found {} counts, expected {}", file_name(),
           printable(tensor.name), tensor.shape.count(), experts);
    }
    std::vector<float> counts = floats_of(tensor);
    check_values(file_name(), tensor.name, counts, counts.size());
    const auto part = std::ranges::find_if(counts, [](float c) { return c > 0 && c < 1; });
    if (part != counts.end()) {
      fail(ErrorCode::kInvalidFile, "{}: tensor {}: found a count of {}, expected 0 or at least 1",
           file_name(), printable(tensor.name), *part);
    }
    return counts;
  }

  std::vector<float> floats_of(const TensorInfo& tensor) const {
    if (tensor.type != DType::kF32) {
      fail(ErrorCode::kInvalidFile, "{}: tensor {}: found {}, expected f32", file_name(),
           printable(tensor.name), dtype_name(tensor.type));
    }
    const uint64_t offset = header_.offsets[index_.at(tensor.name)];
    std::vector<float> values(tensor.shape.count());
    std::memcpy(values.data(), file_.data() + offset, tensor.bytes());
    return values;
  }

  std::span<const std::byte> file_;
  const GgufHeader& header_;
  std::map<std::string_view, size_t, std::less<>> index_;
};

ImportanceMatrix parse_gguf(std::span<const std::byte> file, const std::string& file_name) {
  const GgufHeader header = parse_gguf_header(file, file_name);
  ImportanceMatrix matrix;
  GgufEntries(file, header).add_to(matrix);
  if (matrix.entries.empty()) {
    fail(ErrorCode::kInvalidFile, "{}: holds no tensor NAME{}: no importance matrix", file_name,
         kSums);
  }
  matrix.chunks = header.metadata.find_uint(kChunksKey).value_or(0);
  matrix.chunk_size = header.metadata.find_uint(kChunkSizeKey).value_or(0);
  const auto* datasets = header.metadata.find_array<std::string>(kDatasetsKey);
  if (datasets != nullptr) matrix.datasets = *datasets;
  return matrix;
}

template <class T>
void put(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<int32_t>(text.size()));
  out += text;
}

uint32_t u32_of(uint64_t count) {
  return static_cast<uint32_t>(std::min<uint64_t>(count, std::numeric_limits<uint32_t>::max()));
}

}  // namespace

std::vector<float> ImportanceEntry::means() const {
  const size_t columns = sums.size() / counts.size();
  std::vector<double> pooled(columns);
  double rows = 0;
  for (size_t i = 0; i < sums.size(); ++i) pooled[i % columns] += static_cast<double>(sums[i]);
  for (const float count : counts) rows += static_cast<double>(count);
  if (rows == 0) return std::vector<float>(sums.size(), 1.0f);
  const double more = counts.size() > 1 ? kPooledRows : 0;
  std::vector<float> result(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    const double sum = static_cast<double>(sums[i]) + more * pooled[i % columns] / rows;
    const double mean = sum / (static_cast<double>(counts[i / columns]) + more);
    result[i] = static_cast<float>(std::min<double>(mean, std::numeric_limits<float>::max()));
  }
  return result;
}

std::string imatrix_sums_name(std::string_view tensor) { return std::string(tensor) += kSums; }

std::string imatrix_counts_name(std::string_view tensor) { return std::string(tensor) += kCounts; }

Metadata imatrix_metadata(const ImportanceMatrix& matrix) {
  Metadata metadata;
  metadata.set("general.type", std::string("imatrix"));
  metadata.set(kDatasetsKey, MetadataArray{matrix.datasets});
  metadata.set(kChunksKey, u32_of(matrix.chunks));
  metadata.set(kChunkSizeKey, u32_of(matrix.chunk_size));
  return metadata;
}

std::string imatrix_dat_bytes(const ImportanceMatrix& matrix) {
  std::string out;
  const auto calls = static_cast<int32_t>(std::clamp<uint64_t>(matrix.chunks, 1, 1 << 30));
  put(out, static_cast<int32_t>(matrix.entries.size()));
  for (const auto& [name, entry] : matrix.entries) {
    put_text(out, name);
    put(out, calls);
    put(out, static_cast<int32_t>(entry.sums.size()));
    for (const float mean : entry.means()) put(out, mean * static_cast<float>(calls));
  }
  put(out, calls);
  put_text(out, matrix.datasets.empty() ? "" : matrix.datasets.front());
  return out;
}

ImportanceMatrix parse_imatrix(std::span<const std::byte> file, const std::string& file_name) {
  constexpr std::string_view kMagic = "GGUF";
  const bool is_gguf =
      file.size() >= kMagic.size() && std::memcmp(file.data(), kMagic.data(), kMagic.size()) == 0;
  return is_gguf ? parse_gguf(file, file_name) : parse_dat(file, file_name);
}

ImportanceMatrix read_imatrix(const std::filesystem::path& path) {
  const InputFile file(path);
  return parse_imatrix(file.map(), file.name());
}

}  // namespace nibble
