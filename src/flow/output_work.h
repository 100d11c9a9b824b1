// OutputWork: one output being written, and the journal of the pieces that are in it already, so
// that work which was interrupted can go on.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/threads.h"
#include "file/gguf_sink.h"
#include "file/journal.h"
#include "flow/pieces.h"
#include "nibble/progress.h"

namespace nibble {

class OutputWork {
 public:
  // Begins anew, or with `resume` goes on with what an earlier process left (if anything). `work`
  // describes everything that the bytes depend on, "name: value" a line. Errors: those of GgufSink;
  // kUsage when what was left is other work, naming what differs.
  OutputWork(std::vector<GgufPart> parts, const std::string& work, const std::vector<Piece>& pieces,
             bool resume);

  GgufSink& sink() { return sink_; }

  // Reads the pieces that the journal names and keeps those whose bytes are what they were: a crash
  // of the machine may have lost some. Error kCancelled when the caller asked for it.
  void check_left(ThreadPool& pool, const RunOptions& run);

  bool has(size_t piece) const { return done_[piece] != 0; }
  const Sha256Digest& source(size_t piece) const { return sources_[piece]; }
  uint64_t bytes_left_by_others() const { return bytes_left_; }

  // The piece's bytes are in the sink. Thread-safe for different pieces.
  void complete(size_t piece, uint64_t checksum, const Sha256Digest& source);

  // Writes the metadata's final values (of the same size), gives the file its name and removes the
  // journal.
  void finish(const Metadata& metadata);
  // Nothing of it shall be kept, unless an earlier process left some of it.
  void discard();

 private:
  bool is_whole(const JournalRecord& record) const;
  uint64_t bytes(const JournalRecord& record) const;
  uint64_t row_bytes(const Piece& piece) const { return tensors_[piece.tensor].row_bytes(); }

  const std::vector<Piece>& pieces_;
  std::vector<TensorInfo> tensors_;
  std::optional<JournalContents> left_;
  GgufSink sink_;
  std::unique_ptr<Journal> journal_;
  std::vector<uint8_t> done_;
  std::vector<Sha256Digest> sources_;
  uint64_t bytes_left_ = 0;
};

}  // namespace nibble
