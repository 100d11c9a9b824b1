#include "calib/checkpoint.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/output_file.h"
#include "base/xxh64.h"
#include "file/byte_reader.h"

namespace nibble {
namespace {

constexpr std::string_view kMagic = "NIBCALC1";
constexpr uint64_t kWord = sizeof(uint64_t);

uint64_t size_of(const std::vector<InputStatistics>& inputs) {
  uint64_t words = 1;
  for (const InputStatistics& input : inputs) {
    words += 4 + input.roles.size() + input.sums.size() + input.counts.size();
    for (const auto& moments : input.moments) words += 1 + moments.size();
  }
  return words * kWord;
}

class Writer {
 public:
  Writer(const std::filesystem::path& path, uint64_t bytes)
      : file_(path, bytes, Unfinished::kKeep) {}

  void put(std::span<const std::byte> bytes) {
    file_.write_at(offset_, bytes);
    checksum_.update(bytes);
    offset_ += bytes.size();
  }
  void put(uint64_t number) { put(std::as_bytes(std::span(&number, 1))); }
  void put(const std::vector<double>& numbers) { put(std::as_bytes(std::span(numbers))); }
  void put(std::string_view text) { put(bytes_of(text)); }

  void put(const std::vector<InputStatistics>& inputs) {
    put(uint64_t{inputs.size()});
    for (const InputStatistics& input : inputs) {
      put(static_cast<uint64_t>(input.layer));
      put(static_cast<uint64_t>(input.columns));
      put(uint64_t{input.counts.size()});
      put(uint64_t{input.roles.size()});
      for (const Role role : input.roles) put(static_cast<uint64_t>(role));
      put(input.sums);
      put(input.counts);
      for (const auto& moments : input.moments) {
        put(uint64_t{moments.size()});
        put(moments);
      }
    }
  }

  void finish() {
    put(checksum_.finish());
    file_.commit();
  }

 private:
  OutputFile file_;
  uint64_t offset_ = 0;
  Xxh64 checksum_;
};

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& file_name) : in_(bytes, file_name) {}

  CalibrationCheckpoint read() {
    CalibrationCheckpoint result;
    in_.set_field("description");
    result.work = in_.read_string();
    in_.set_field("progress");
    result.progress.passes = in_.read<uint64_t>();
    result.progress.chunks = in_.read<uint64_t>();
    result.progress.measured = read_inputs();
    result.inputs = read_inputs();
    return result;
  }

 private:
  // A count of numbers that follow.
  uint64_t read_count() {
    const auto count = in_.read<uint64_t>();
    in_.require_items(count, kWord);
    return count;
  }

  std::vector<double> read_numbers(uint64_t count) {
    in_.require_items(count, kWord);
    std::vector<double> numbers(count);
    in_.read_into(std::span(numbers));
    return numbers;
  }

  std::vector<InputStatistics> read_inputs() {
    in_.set_field("inputs");
    std::vector<InputStatistics> inputs(read_count());
    for (size_t i = 0; i < inputs.size(); ++i) {
      in_.set_field(fmt::format("input {} of {}", i + 1, inputs.size()));
      read_input(inputs[i]);
    }
    return inputs;
  }

  void read_input(InputStatistics& input) {
    input.layer = static_cast<int64_t>(read_up_to(kMostLayers));
    const uint64_t columns = read_up_to(kMostColumns), experts = read_up_to(kMostExperts);
    input.columns = static_cast<int64_t>(columns);
    for (uint64_t roles = read_count(); roles > 0; --roles)
      input.roles.push_back(static_cast<Role>(read_up_to(kRoleCount - 1)));
    if (input.roles.empty()) in_.fail_here(ErrorCode::kInvalidFile, "no matrix multiplies it");
    input.sums = read_numbers(columns * experts);
    input.counts = read_numbers(experts);
    for (uint64_t e = 0; e < experts; ++e) {
      const uint64_t moments = read_count();
      if (moments != 0 && moments != triangle_size(input.columns)) {
        in_.fail_here(ErrorCode::kInvalidFile, "found {} moments of {} columns", moments, columns);
      }
      input.moments.push_back(read_numbers(moments));
    }
  }

  uint64_t read_up_to(uint64_t most) {
    const auto number = in_.read<uint64_t>();
    if (number > most) {
      in_.fail_here(ErrorCode::kInvalidFile, "found {}, expected at most {}", number, most);
    }
    return number;
  }

  // So that no product of two of them overflows.
  static constexpr uint64_t kMostLayers = 1 << 20, kMostExperts = 1 << 20, kMostColumns = 1 << 30;

  ByteReader in_;
};

}  // namespace

std::filesystem::path checkpoint_path(const std::filesystem::path& output) {
  return output.string() + ".checkpoint";
}

void write_checkpoint(const std::filesystem::path& path, const std::string& work,
                      const CalibrationProgress& progress,
                      const std::vector<InputStatistics>& inputs) {
  Writer out(
      path, kMagic.size() + work.size() + 4 * kWord + size_of(progress.measured) + size_of(inputs));
  out.put(kMagic);
  out.put(uint64_t{work.size()});
  out.put(std::string_view(work));
  out.put(progress.passes);
  out.put(progress.chunks);
  out.put(progress.measured);
  out.put(inputs);
  out.finish();
}

CalibrationCheckpoint parse_checkpoint(std::span<const std::byte> file,
                                       const std::string& file_name) {
  const auto refuse = [&](const char* why) {
    fail(ErrorCode::kInvalidFile,
         "{}: {}: there is nothing to go on with; leave --resume out to begin anew", file_name,
         why);
  };
  const auto magic = bytes_of(kMagic);
  if (file.size() < kMagic.size() + kWord ||
      !std::ranges::equal(file.first(kMagic.size()), magic)) {
    refuse("is no checkpoint of a calibration");
  }
  const auto content = file.first(file.size() - kWord);
  uint64_t checksum = 0;
  ByteReader(file.last(kWord), file_name).read_into(std::span(&checksum, 1));
  if (checksum != xxh64(content)) refuse("is damaged, its checksum is not that of its bytes");
  return Reader(content.subspan(kMagic.size()), file_name).read();
}

}  // namespace nibble
