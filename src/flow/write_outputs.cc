#include "flow/write_outputs.h"

#include <algorithm>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"
#include "file/gguf_header.h"
#include "flow/lock_record.h"
#include "flow/output_work.h"
#include "flow/quantize_tensors.h"

namespace nibble {
namespace {

// Everything that the bytes of an output depend on; its header has the plan and, in its lock
// record, recipe, effort and importance.
std::string describe_work(const ModelSource& model, const PlannedOutput& output) {
  std::string work;
  for (const auto& file : model.files()) {
    work += fmt::format("source: {}, {} bytes, modified {}\n", file->name(), file->size(),
                        file->modified_ns());
  }
  work += output.record;
  const std::string header = gguf_header_bytes(output.metadata, output.tensors);
  return work + "header: " + hex(sha256(bytes_of(header))) + "\n";
}

bool is_finished(const ModelSource& model, const GgufPart& part) {
  const InputFile file(part.path);
  for (const auto& source : model.files()) {
    if (source->modified_ns() > file.modified_ns()) return false;
  }
  const GgufHeader header = parse_gguf_header(file.map(), file.name());
  return file.size() == gguf_file_bytes(part.metadata, part.tensors) &&
         header.tensors == part.tensors && same_but_hashes(header.metadata, part.metadata);
}

// Whether an earlier call finished this output: the headers of its files are those that would be
// written, but for the hashes, and no file of the source is newer.
bool is_finished(const ModelSource& model, const std::vector<GgufPart>& parts) {
  try {
    return std::ranges::all_of(parts, [&](const auto& part) { return is_finished(model, part); });
  } catch (const Error&) {
    return false;  // no such file, or another
  }
}

// Each sink looks at the room for its own file; together they must fit, too.
void check_room(const std::vector<std::vector<GgufPart>>& outputs) {
  std::vector<SpaceNeed> needs;
  for (const auto& parts : outputs) {
    for (const GgufPart& part : parts) {
      const uint64_t whole = gguf_file_bytes(part.metadata, part.tensors);
      needs.push_back({part.path, whole - std::min(whole, allocated_bytes(part_path(part.path)))});
    }
  }
  require_free_space(needs);
}

bool may_go_on_after(ErrorCode code) {
  return code == ErrorCode::kCancelled || code == ErrorCode::kNoSpace || code == ErrorCode::kIo;
}

// The outputs that are still to be written, and their work.
class Outputs {
 public:
  Outputs(const ModelSource& model, const std::vector<QuantizeTarget>& targets,
          const std::vector<PlannedOutput>& outputs, bool resume)
      : pieces_(cut_into_pieces(model.tensors().tensors(), outputs.front().plan)) {
    for (size_t i = 0; i < targets.size(); ++i) {
      auto parts = parts_of(outputs[i], targets[i].path);
      // Without a record a file does not say whether it is what is asked for.
      const bool says_what_it_is = outputs[i].is_locked || is_copy_type(outputs[i].type);
      if (resume && says_what_it_is && is_finished(model, parts)) {
        remove_left(targets[i].path);
        continue;
      }
      open_.push_back(i);
      planned_.push_back(outputs[i]);
      parts_.push_back(std::move(parts));
    }
    check_room(parts_);
    try {
      begin(model, resume);
    } catch (...) {  // nothing new stays when the work cannot begin
      discard();
      throw;
    }
  }

  const std::vector<size_t>& open() const { return open_; }  // their numbers among all outputs
  const std::vector<PlannedOutput>& planned() const { return planned_; }
  const std::vector<std::unique_ptr<OutputWork>>& works() const { return works_; }

  std::vector<OutputTarget> targets() const {
    std::vector<OutputTarget> result;
    for (const auto& work : works_) result.push_back({&work->sink(), work.get()});
    return result;
  }

  void check_left(ThreadPool& pool, const RunOptions& run) {
    for (const auto& work : works_) work->check_left(pool, run);
  }

  void finish() {
    for (size_t i = 0; i < works_.size(); ++i) {
      Metadata& metadata = parts_[i].front().metadata;
      if (planned_[i].is_locked) fill_hashes(*works_[i], metadata);
      works_[i]->finish(metadata);
    }
  }

  void discard() {
    for (const auto& work : works_) work->discard();
  }

 private:
  void begin(const ModelSource& model, bool resume) {
    for (size_t i = 0; i < parts_.size(); ++i) {
      works_.push_back(std::make_unique<OutputWork>(parts_[i], describe_work(model, planned_[i]),
                                                    pieces_, resume));
    }
  }

  void fill_hashes(const OutputWork& work, Metadata& metadata) const {
    std::vector<Sha256Digest> sources;
    for (size_t i = 0; i < pieces_.size(); ++i) sources.push_back(work.source(i));
    const size_t tensors = planned_.front().plan.size();
    set_tensor_hashes(metadata, tensor_hashes(pieces_, sources, tensors));
  }

  // What a process that was killed at the very end left beside a finished file.
  static void remove_left(const std::filesystem::path& target) {
    std::error_code ignored;
    if (std::filesystem::exists(part_path(target), ignored)) return;
    std::filesystem::remove(journal_path(target), ignored);
  }

  std::vector<Piece> pieces_;
  std::vector<size_t> open_;
  std::vector<PlannedOutput> planned_;
  std::vector<std::vector<GgufPart>> parts_;  // of each
  std::vector<std::unique_ptr<OutputWork>> works_;
};

}  // namespace

void write_outputs(const ModelSource& model, const EncodingRules& rules,
                   const std::vector<QuantizeTarget>& targets,
                   const std::vector<PlannedOutput>& outputs, const QuantizeOptions& options,
                   QuantizeResult& result) {
  ThreadPool pool(options.run.threads);
  Outputs work(model, targets, outputs, options.resume);
  for (QuantizedFile& file : result.files) file.bytes_resumed = file.bytes;
  if (work.open().empty()) return;
  try {
    work.check_left(pool, options.run);
    for (size_t i = 0; i < work.open().size(); ++i) {
      result.files[work.open()[i]].bytes_resumed = work.works()[i]->bytes_left_by_others();
    }
    const auto totals = quantize_tensors(model.tensors(), rules, work.planned(), work.targets(),
                                         options.memory_limit, pool, options.run);
    result.source_bytes = totals.source_bytes;
    result.peak_buffer_bytes = totals.peak_buffer_bytes;
    result.unusable_moments = totals.unusable_moments;
    work.finish();
  } catch (const Error& error) {
    if (may_go_on_after(error.code())) {
      fail(error.code(),
           "{}; what is done is kept beside the target as .part and .journal: the same call with "
           "--resume goes on from there",
           error.what());
    }
    work.discard();
    throw;
  }
}

}  // namespace nibble
