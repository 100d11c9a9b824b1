#include "file/logits_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "file/reference_header.h"

namespace nibble {
namespace {

constexpr uint64_t kFixedBytes = kLogitsMagic.size() + 3 * sizeof(int32_t);
constexpr uint64_t kRowStart = 2 * sizeof(float);  // of the codes
constexpr float kLargestCode = 65535.0f;
constexpr float kRange = 16.0f;

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

uint64_t LogitsLayout::header_bytes() const {
  return kFixedBytes + static_cast<uint64_t>(windows) * static_cast<uint64_t>(context) * 4;
}

uint64_t LogitsLayout::row_bytes() const {
  return kRowStart + (static_cast<uint64_t>(vocab_size) + 1) / 2 * 2 * sizeof(uint16_t);
}

uint64_t LogitsLayout::offset(int64_t window, int64_t row) const {
  return header_bytes() + static_cast<uint64_t>(window * scored() + row) * row_bytes();
}

LogitsFile::LogitsFile(std::span<const std::byte> file, std::string name)
    : file_(file), name_(std::move(name)) {
  ByteReader in(file, name_);
  in.set_field("signature");
  std::string magic(kLogitsMagic.size(), '\0');
  in.read_into(std::span(magic));
  if (magic != kLogitsMagic) {
    in.fail_here(ErrorCode::kInvalidFile, "found \"{}\", expected \"{}\"", printable(magic),
                 kLogitsMagic);
  }
  layout_.context = read_number(in, "context", kLeastReferenceContext);
  layout_.vocab_size = read_number(in, "vocabulary size", 1);
  layout_.windows = read_number(in, "windows", 1);
  if (!has_windows(file.size(), kFixedBytes, layout_.windows, layout_.context, layout_.scored(),
                   layout_.row_bytes())) {
    fail(ErrorCode::kInvalidFile,
         "{}: {} bytes are not what {} windows of {} tokens and a vocabulary of {} take: it is cut "
         "off or damaged; make it again",
         name_, file.size(), layout_.windows, layout_.context, layout_.vocab_size);
  }
  check_tokens(in, layout_.windows * layout_.context, layout_.vocab_size);
}

std::vector<uint32_t> LogitsFile::tokens() const {
  std::vector<uint32_t> tokens(static_cast<size_t>(layout_.windows * layout_.context));
  std::memcpy(tokens.data(), file_.data() + kFixedBytes, tokens.size() * sizeof(uint32_t));
  return tokens;
}

void LogitsFile::read(int64_t window, int64_t row, float* log_probabilities) const {
  const uint64_t offset = layout_.offset(window, row);
  const std::byte* bytes = file_.data() + offset;
  const auto scale = load<float>(bytes);
  const auto least = load<float>(bytes + sizeof scale);
  constexpr float kRounding = 0.01f;
  const float most = least + kLargestCode * scale;
  const float uniform = -std::log(static_cast<float>(layout_.vocab_size));
  if (!(scale >= 0) || !(most <= kRounding) || !(most >= uniform - kRounding)) {
    fail(ErrorCode::kInvalidFile,
         "{}: offset {}: found log-probabilities from {} in steps of {}; the largest, {}, is "
         "expected from {} to 0: the file is damaged",
         name_, offset, least, scale, most, uniform);
  }
  for (int64_t i = 0; i < layout_.vocab_size; ++i) {
    const auto code = load<uint16_t>(bytes + kRowStart + i * 2);
    log_probabilities[i] = scale * static_cast<float>(code) + least;
  }
}

std::vector<std::byte> encode_logits(const LogitsLayout& layout, const float* logits,
                                     double log_sum) {
  const auto [smallest, largest] = std::minmax_element(logits, logits + layout.vocab_size);
  const float low = std::max(*smallest, *largest - kRange);
  const float scale = (*largest - low) / kLargestCode;
  const auto least = static_cast<float>(static_cast<double>(low) - log_sum);
  std::vector<std::byte> bytes(layout.row_bytes());
  std::memcpy(bytes.data(), &scale, sizeof scale);
  std::memcpy(bytes.data() + sizeof scale, &least, sizeof least);
  if (!(scale > 0)) return bytes;
  const float inverse = 1 / scale;
  for (int64_t i = 0; i < layout.vocab_size; ++i) {
    // Above 2^23 floats are whole numbers: the sum is rounded to one, to even when halfway, and has
    // it in its lowest bits.
    const float steps = std::max(inverse * (logits[i] - low), 0.0f);
    const auto code = static_cast<uint16_t>(std::bit_cast<uint32_t>(steps + 0x1p23f));
    std::memcpy(bytes.data() + kRowStart + i * 2, &code, sizeof code);
  }
  return bytes;
}

LogitsFileWriter::LogitsFileWriter(const std::filesystem::path& path, const LogitsLayout& layout,
                                   std::span<const uint32_t> tokens)
    : layout_(layout), file_(path, layout.file_bytes()) {
  std::vector<std::byte> header(kFixedBytes);
  const int32_t numbers[] = {static_cast<int32_t>(layout.context),
                             static_cast<int32_t>(layout.vocab_size),
                             static_cast<int32_t>(layout.windows)};
  std::memcpy(header.data(), kLogitsMagic.data(), kLogitsMagic.size());
  std::memcpy(header.data() + kLogitsMagic.size(), numbers, sizeof numbers);
  file_.write_at(0, header);
  file_.write_at(kFixedBytes, std::as_bytes(tokens));
}

void LogitsFileWriter::write(int64_t window, int64_t row, const float* logits, double log_sum) {
  file_.write_at(layout_.offset(window, row), encode_logits(layout_, logits, log_sum));
}

}  // namespace nibble
