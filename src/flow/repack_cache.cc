#include "flow/repack_cache.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/output_file.h"
#include "kernel/operations.h"

namespace nibble {
namespace {

constexpr uint64_t kPanelsBegin = 4096;
constexpr int kLayout = 1;  // counts changes of what interleaving.h describes

using Header = std::array<std::byte, 48>;

Header header_of(const Sha256Digest& made_from, uint64_t bytes) {
  Header header;
  std::memcpy(header.data(), "NIBREPK1", 8);
  std::memcpy(header.data() + 8, made_from.data(), made_from.size());
  std::memcpy(header.data() + 40, &bytes, sizeof bytes);
  return header;
}

Sha256Digest digest_of(const std::string& text) { return sha256(std::as_bytes(std::span(text))); }

}  // namespace

RepackCache::RepackCache(const std::filesystem::path& folder, const ModelSource& model,
                         uint64_t bytes)
    : bytes_(bytes) {
  const std::string layout = fmt::format("{} {}\n", kLayout, operations().panel_zero);
  const std::string path = std::filesystem::absolute(model.path).lexically_normal().string();
  const std::string hash = hex(digest_of(layout + path)).substr(0, 16);
  path_ = folder / fmt::format("{}-{}.repacked", model.path.stem().string(), hash);
  std::string source = layout;
  for (const auto& file : model.files())
    source += fmt::format("{} {} {}\n", file->name(), file->size(), file->modified_ns());
  made_from_ = digest_of(source);
}

std::unique_ptr<InputFile> RepackCache::find() const {
  if (is_missing(path_)) return nullptr;
  auto file = std::make_unique<InputFile>(path_);
  if (file->size() != kPanelsBegin + bytes_) return nullptr;
  Header header;
  file->read(0, header);
  return header == header_of(made_from_, bytes_) ? std::move(file) : nullptr;
}

std::span<const std::byte> RepackCache::copy_in(const InputFile& file) const {
  return file.map().subspan(kPanelsBegin, bytes_);
}

void RepackCache::store(std::span<const std::byte> copy) const {
  std::error_code error;
  std::filesystem::create_directories(path_.parent_path(), error);
  if (error) {
    fail(ErrorCode::kIo, "{}: cannot make this folder: {}; choose another --repack-cache",
         path_.parent_path().string(), error.message());
  }
  OutputFile file(path_, kPanelsBegin + bytes_);
  file.write_at(0, header_of(made_from_, bytes_));
  file.write_at(kPanelsBegin, copy);
  file.commit();
}

}  // namespace nibble
