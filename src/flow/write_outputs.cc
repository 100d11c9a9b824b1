#include "flow/write_outputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/error.h"
#include "file/gguf_header.h"
#include "flow/lock_record.h"
#include "flow/output_work.h"
#include "flow/quantize_tensors.h"

namespace nibble {
namespace {

int64_t modified_ns(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return 0;
  return int64_t{status.st_mtim.tv_sec} * 1000000000 + status.st_mtim.tv_nsec;
}

// Everything that the bytes of an output depend on; its header has the plan and, in its lock
// record, recipe, effort and importance.
std::string describe_work(const ModelSource& model, const PlannedOutput& output) {
  std::string work;
  for (const auto& file : model.files()) {
    work += fmt::format("source: {}, {} bytes, modified {}\n", file->name(), file->size(),
                        modified_ns(file->path()));
  }
  work += describe_lock_record(output.metadata);
  const std::string header = gguf_header_bytes(output.metadata, output.tensors);
  return work + "header: " + hex(sha256(std::as_bytes(std::span(header)))) + "\n";
}

// Whether an earlier call finished this output: its header is the one that would be written, but
// for the hashes, and no file of the source is newer.
bool is_finished(const ModelSource& model, const QuantizeTarget& target,
                 const PlannedOutput& output) {
  for (const auto& file : model.files()) {
    if (modified_ns(file->path()) > modified_ns(target.path)) return false;
  }
  try {
    const InputFile file(target.path);
    const GgufHeader header = parse_gguf_header(file.map(), file.name());
    return file.size() == gguf_file_bytes(output.metadata, output.tensors) &&
           header.tensors == output.tensors && same_but_hashes(header.metadata, output.metadata);
  } catch (const Error&) {
    return false;  // no such file, or another
  }
}

// Each sink looks at the room for its own file; together they must fit, too.
void check_room(const std::vector<QuantizeTarget>& targets,
                const std::vector<PlannedOutput>& outputs) {
  std::map<dev_t, uint64_t> needed;
  for (size_t i = 0; i < targets.size(); ++i) {
    const auto folder = std::filesystem::absolute(targets[i].path).parent_path();
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) {
      fail(ErrorCode::kIo, "{}: its folder does not exist", targets[i].path.string());
    }
    const uint64_t whole = gguf_file_bytes(outputs[i].metadata, outputs[i].tensors);
    uint64_t& bytes = needed[status.st_dev];
    bytes += whole - std::min(whole, allocated_bytes(part_path(targets[i].path)));
    require_free_space(targets[i].path, bytes);
  }
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
      if (resume && is_finished(model, targets[i], outputs[i])) {
        remove_left(targets[i].path);
        continue;
      }
      open_.push_back(i);
      planned_.push_back(outputs[i]);
      targets_.push_back(targets[i]);
    }
    check_room(targets_, planned_);
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
      if (!is_copy_type(planned_[i].type)) fill_hashes(*works_[i], planned_[i]);
      works_[i]->finish(parts_of(planned_[i], targets_[i].path).front().metadata);
    }
  }

  void discard() {
    for (const auto& work : works_) work->discard();
  }

 private:
  void begin(const ModelSource& model, bool resume) {
    for (size_t i = 0; i < targets_.size(); ++i) {
      works_.push_back(std::make_unique<OutputWork>(parts_of(planned_[i], targets_[i].path),
                                                    describe_work(model, planned_[i]), pieces_,
                                                    resume));
    }
  }

  void fill_hashes(const OutputWork& work, PlannedOutput& output) const {
    std::vector<Sha256Digest> sources;
    for (size_t i = 0; i < pieces_.size(); ++i) sources.push_back(work.source(i));
    LockRecord record = find_lock_record(output.metadata).value();
    record.tensor_sha256 = tensor_hashes(pieces_, sources, output.tensors.size());
    set_lock_record(output.metadata, record);
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
  std::vector<QuantizeTarget> targets_;
  std::vector<std::unique_ptr<OutputWork>> works_;
};

}  // namespace

void add_lock_record(const ModelSource& model, const QuantizeOptions& options,
                     PlannedOutput& output) {
  if (is_copy_type(output.type)) return;  // it keeps what it has
  set_lock_record(output.metadata,
                  make_lock_record(model.path, output.type, options, output.tensors.size()));
}

void write_outputs(const ModelSource& model, const TensorImportance& importance,
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
    const auto totals = quantize_tensors(model.tensors(), importance, work.planned(),
                                         work.targets(), options.memory_limit, pool, options.run);
    result.source_bytes = totals.source_bytes;
    result.peak_buffer_bytes = totals.peak_buffer_bytes;
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

std::vector<std::filesystem::path> find_unfinished(const std::vector<QuantizeTarget>& targets) {
  std::vector<std::filesystem::path> found;
  for (const QuantizeTarget& target : targets) {
    if (std::filesystem::exists(part_path(target.path)) &&
        std::filesystem::exists(journal_path(target.path))) {
      found.push_back(target.path);
    }
  }
  return found;
}

}  // namespace nibble
