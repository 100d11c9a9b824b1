// nibble::split and nibble::join: the same tensors in other files.
#include "nibble/split.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "file/gguf.h"
#include "file/gguf_split.h"
#include "file/tensor_files.h"
#include "flow/pieces.h"
#include "flow/run_support.h"

namespace nibble {
namespace {

std::vector<size_t> tensors_in_parts(const GgufFile& model, const SplitOptions& options) {
  if ((options.max_bytes > 0) == (options.max_tensors > 0)) {
    fail(ErrorCode::kUsage, "say the most bytes or the most tensors of a file, one of the two");
  }
  if (options.max_tensors > 0) {
    return split_by_count(model.tensors().size(), options.max_tensors, options.first_empty);
  }
  return split_by_bytes(model.metadata(), model.tensors(), options.max_bytes, options.first_empty);
}

std::vector<GgufFileSize> sizes_of(const std::vector<GgufPart>& parts) {
  std::vector<GgufFileSize> sizes;
  for (const GgufPart& part : parts) {
    sizes.push_back({part.path, part.tensors.size(), gguf_file_bytes(part.metadata, part.tensors)});
  }
  return sizes;
}

void check_targets(const std::vector<GgufFileSize>& files, const GgufFile& model, bool overwrite) {
  uint64_t bytes = 0;
  for (const GgufFileSize& file : files) {
    bytes += file.bytes;
    require_other_file(file.path, model.files());
    if (!overwrite && !is_missing(file.path)) {
      fail(ErrorCode::kUsage, "{}: exists; choose another name, or replace it with --force",
           file.path.string());
    }
  }
  require_free_space(files.front().path, bytes);
}

void copy(const GgufFile& model, std::vector<GgufPart> parts, const RunOptions& run) {
  std::vector<PlannedTensor> plan;
  for (size_t i = 0; i < model.tensors().size(); ++i) {
    plan.push_back({i, model.tensors()[i].type, model.tensors()[i].type});
  }
  const auto pieces = cut_into_pieces(model.tensors(), plan);
  GgufSink sink(std::move(parts), Unfinished::kRemove);
  uint64_t total = 0;
  for (const TensorInfo& tensor : model.tensors()) total += tensor.bytes();
  Phase phase(run, "copying", "bytes", total);
  ThreadPool pool(run.threads);
  std::vector<std::vector<std::byte>> buffers(static_cast<size_t>(pool.count()));
  pool.run(static_cast<int64_t>(pieces.size()), 1, [&](int64_t i, int64_t, int worker) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    const uint64_t row_bytes = model.tensors()[piece.tensor].row_bytes();
    auto& buffer = buffers[static_cast<size_t>(worker)];
    buffer.resize(piece.rows * row_bytes);
    model.read_rows(piece.tensor, piece.first_row, piece.rows, buffer);
    sink.write(piece.tensor, piece.first_row * row_bytes, buffer);
    phase.advance(buffer.size());
  });
  sink.finish();
}

}  // namespace

std::vector<GgufFileSize> split(const std::filesystem::path& gguf,
                                const std::filesystem::path& prefix, const SplitOptions& options) {
  const GgufFile model(gguf);
  auto parts =
      split_into_parts(prefix, model.metadata(), model.tensors(), tensors_in_parts(model, options));
  auto files = sizes_of(parts);
  check_targets(files, model, options.overwrite);
  if (!options.dry_run) copy(model, std::move(parts), options.run);
  return files;
}

GgufFileSize join(const std::filesystem::path& first, const std::filesystem::path& target,
                  const JoinOptions& options) {
  const GgufFile model(first);
  if (model.files().size() == 1) {
    fail(ErrorCode::kUsage, "{}: is one file already; name the first file of a split",
         first.string());
  }
  std::vector<GgufPart> parts = {{target, model.metadata(), model.tensors()}};
  const auto files = sizes_of(parts);
  check_targets(files, model, options.overwrite);
  if (!options.dry_run) copy(model, std::move(parts), options.run);
  return files.front();
}

}  // namespace nibble
