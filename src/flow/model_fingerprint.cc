#include "flow/model_fingerprint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/xxh64.h"

namespace nibble {
namespace {

constexpr uint64_t kPiece = 64 << 10;
constexpr uint64_t kPieces = 64;

void add_number(Xxh64& hash, uint64_t number) {
  std::array<std::byte, sizeof number> bytes;
  std::memcpy(bytes.data(), &number, sizeof number);
  hash.update(bytes);
}

void add_piece(Xxh64& hash, const InputFile& file, uint64_t begin) {
  std::vector<std::byte> bytes(std::min(kPiece, file.size() - begin));
  file.read(begin, bytes);
  hash.update(bytes);
}

void add_file(Xxh64& hash, const InputFile& file) {
  add_number(hash, file.size());
  if (file.size() <= kPieces * kPiece) {
    for (uint64_t begin = 0; begin < file.size(); begin += kPiece) add_piece(hash, file, begin);
    return;
  }
  const uint64_t last = file.size() - kPiece, distance = last / (kPieces - 1);
  for (uint64_t i = 0; i + 1 < kPieces; ++i) add_piece(hash, file, i * distance);
  add_piece(hash, file, last);
}

}  // namespace

std::string model_fingerprint(const std::vector<std::unique_ptr<InputFile>>& files) {
  Xxh64 hash;
  for (const auto& file : files) add_file(hash, *file);
  return fmt::format("{:016x}", hash.finish());
}

}  // namespace nibble
