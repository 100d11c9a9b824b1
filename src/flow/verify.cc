// nibble::verify: encode the source again and compare.
#include "nibble/verify.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/bytes.h"
#include "base/error.h"
#include "base/parse_number.h"
#include "base/random.h"
#include "base/threads.h"
#include "file/byte_reader.h"
#include "flow/column_scales.h"
#include "flow/encode_rows.h"
#include "flow/kept_blocks.h"
#include "flow/lock_record.h"
#include "flow/pieces.h"
#include "flow/quantize_request.h"
#include "flow/run_support.h"
#include "plan/builtin.h"

namespace nibble {
namespace {

std::vector<uint64_t> parse_layers(const std::string& text, const std::string& origin) {
  std::vector<uint64_t> layers;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const auto layer = parse_number<uint64_t>(std::string_view(text).substr(at, end - at));
    if (!layer) {
      fail(ErrorCode::kInvalidFile, "{}: nibble.lock.prune_layers: found \"{}\", expected numbers",
           origin, printable(text));
    }
    layers.push_back(*layer);
    at = end + 1;
  }
  return layers;
}

Effort effort_of(const LockRecord& record, const std::string& origin) {
  if (const auto effort = effort_from_name(record.effort)) return *effort;
  fail(ErrorCode::kInvalidFile,
       "{}: nibble.lock.effort: found \"{}\", expected fast, default or best", origin,
       printable(record.effort));
}

Method method_of(const LockRecord& record, const std::string& origin) {
  if (record.method.empty()) return Method::kAuto;
  if (const auto method = method_from_name(record.method)) return *method;
  fail(ErrorCode::kInvalidFile, "{}: nibble.lock.method: found \"{}\", expected gptq", origin,
       printable(record.method));
}

Scaling scaling_of(const LockRecord& record, const std::string& origin) {
  if (record.scaling.empty()) return Scaling::kNone;
  if (const auto scaling = scaling_from_name(record.scaling)) return *scaling;
  fail(ErrorCode::kInvalidFile, "{}: nibble.lock.scaling: found \"{}\", expected awq", origin,
       printable(record.scaling));
}

ColumnOrder order_of(const LockRecord& record, const std::string& origin) {
  if (record.order.empty()) return ColumnOrder::kNatural;
  if (const auto order = column_order_from_name(record.order)) return *order;
  fail(ErrorCode::kInvalidFile, "{}: nibble.lock.order: found \"{}\", expected activation", origin,
       printable(record.order));
}

QuantizeOptions options_of(const LockRecord& record, const VerifyOptions& options,
                           const std::string& origin) {
  QuantizeOptions result;
  result.conformance = false;  // metadata are not compared
  result.imatrix = options.imatrix;
  if (!options.imatrix.empty()) {
    result.include_weights = record.include_weights;
    result.exclude_weights = record.exclude_weights;
  }
  result.prune_layers = parse_layers(record.prune_layers, origin);
  result.effort = effort_of(record, origin);
  result.method = method_of(record, origin);
  result.scaling = scaling_of(record, origin);
  result.order = order_of(record, origin);
  if (result.method == Method::kAuto && !options.imatrix.empty()) result.method = Method::kWeighted;
  return result;
}

// Differences between now and then that may explain others.
std::vector<std::string> notes_on(const LockRecord& record, const std::string& imatrix_sha256) {
  std::vector<std::string> notes;
  if (record.nibble != NIBBLE_VERSION) {
    notes.push_back(fmt::format("it was made by nibble {}, this is {}", printable(record.nibble),
                                NIBBLE_VERSION));
  }
  const BuiltinRecipe* recipe = find_builtin_recipe(record.recipe);
  if (record.recipe_text.empty() && recipe != nullptr) {
    if (hex(sha256(bytes_of(recipe->text))) != record.recipe_sha256) {
      notes.push_back(fmt::format("its recipe {} was another one; types are taken from the file",
                                  printable(record.recipe)));
    }
  }
  if (imatrix_sha256 != record.imatrix_sha256) {
    notes.push_back(record.imatrix_sha256.empty() ? "it was made without an importance matrix"
                                                  : "its importance matrix was another file");
  }
  return notes;
}

struct Comparison {
  GgufFile file;
  ModelSource source;
  EncodingRules rules;
  std::vector<size_t> tensors;  // of the file, those that the source has, too
  std::vector<PlannedTensor> plan;
};

// As they were scaled before they were rounded.
void scale_columns(Comparison& comparison, const RunOptions& run) {
  const auto& stored = comparison.source.tensors().tensors();
  std::vector<DType> types;
  for (const TensorInfo& tensor : stored) types.push_back(tensor.type);
  for (const PlannedTensor& planned : comparison.plan) types[planned.source_index] = planned.type;
  ThreadPool pool(run.threads);
  const auto scales = find_column_scales(comparison.source, types, comparison.rules, pool, run);
  apply_column_scales(scales, comparison.source, comparison.rules);
}

// Whole pieces: all, or a sample.
std::vector<size_t> choose(size_t count, const VerifyOptions& options) {
  if (!(options.sample > 0 && options.sample <= 1)) {
    fail(ErrorCode::kUsage, "the share to compare is {}, expected more than 0 and at most 1",
         options.sample);
  }
  std::vector<size_t> numbers(count);
  for (size_t i = 0; i < count; ++i) numbers[i] = i;
  const auto wanted = static_cast<size_t>(std::ceil(options.sample * static_cast<double>(count)));
  if (wanted == count) return numbers;
  Random random(options.seed);
  for (size_t i = 0; i < wanted; ++i) {
    std::swap(numbers[i], numbers[i + random.next() % (count - i)]);
  }
  numbers.resize(wanted);
  std::ranges::sort(numbers);
  return numbers;
}

// Finds the file's tensors in the source; what does not fit is a problem.
void match_tensors(Comparison& comparison, VerifyResult& result) {
  const auto& stored = comparison.source.tensors().tensors();
  const auto& made = comparison.file.tensors();
  for (size_t i = 0; i < made.size(); ++i) {
    const auto found = std::ranges::find(stored, made[i].name, &TensorInfo::name);
    if (found == stored.end()) {
      result.problems.push_back({made[i].name, "the source has no such tensor"});
    } else if (found->shape != made[i].shape) {
      result.problems.push_back(
          {made[i].name, fmt::format("is {}, in the source {}", to_string(made[i].shape),
                                     to_string(found->shape))});
    } else {
      comparison.tensors.push_back(i);
      const auto index = static_cast<size_t>(found - stored.begin());
      comparison.plan.push_back({index, made[i].type, made[i].type});
    }
  }
}

// The types that the source's tensors have in the file, where it has them.
std::vector<PlannedTensor> types_in(const GgufFile& file, const ModelSource& source) {
  std::vector<PlannedTensor> plan;
  const auto& stored = source.tensors().tensors();
  for (size_t i = 0; i < stored.size(); ++i) {
    const auto found = std::ranges::find(file.tensors(), stored[i].name, &TensorInfo::name);
    if (found != file.tensors().end()) plan.push_back({i, found->type, found->type});
  }
  return plan;
}

class Comparing {
 public:
  explicit Comparing(const Comparison& comparison)
      : comparison_(comparison), differing_rows_(comparison.plan.size()) {}

  struct Buffers {
    RowEncoder rows;
    std::vector<std::byte> made;
  };

  // What the pieces that follow were rounded with (TensorFeedback).
  void use(std::vector<std::optional<FeedbackFactor>> factors) { factors_ = std::move(factors); }

  // Returns the hash of the piece's source.
  Sha256Digest run(const Piece& piece, Buffers& buffers) {
    const PlannedTensor& planned = comparison_.plan[piece.tensor];
    const auto& source = comparison_.source.tensors();
    const uint64_t step = rows_at_once(source.tensors()[planned.source_index], !factors_.empty());
    Sha256 hash;
    for_rows_of(piece, source, planned.source_index, step, buffers.rows, &hash,
                [&](uint64_t row, uint64_t count) { compare(piece.tensor, row, count, buffers); });
    return hash.finish();
  }

  void report(VerifyResult& result) const {
    result.bytes_compared = bytes_;
    for (size_t i = 0; i < differing_rows_.size(); ++i) {
      if (differing_rows_[i] == 0) continue;
      const TensorInfo& tensor = comparison_.file.tensors()[comparison_.tensors[i]];
      result.problems.push_back(
          {tensor.name,
           fmt::format("{} of its {} rows are not what the source gives as {}", differing_rows_[i],
                       tensor.shape.rows(), dtype_name(tensor.type))});
    }
  }

 private:
  void compare(size_t planned, uint64_t first, uint64_t count, Buffers& buffers) {
    const size_t tensor = comparison_.tensors[planned];
    const PlannedTensor& plan = comparison_.plan[planned];
    const RowEncoding how = {comparison_.rules.importance.of(plan.source_index),
                             comparison_.rules.effort, factors_};
    const auto expected = buffers.rows.encode(plan.type, how);
    buffers.made.resize(expected.size());
    comparison_.file.read_rows(tensor, first, count, buffers.made);
    const uint64_t row_bytes = expected.size() / count;
    uint64_t differing = 0;
    for (uint64_t at = 0; at < expected.size(); at += row_bytes) {
      const auto made = std::span(buffers.made).subspan(at, row_bytes);
      if (!std::ranges::equal(expected.subspan(at, row_bytes), made)) ++differing;
    }
    const std::lock_guard lock(mutex_);
    differing_rows_[planned] += differing;
    bytes_ += expected.size();
  }

  const Comparison& comparison_;
  std::vector<std::optional<FeedbackFactor>> factors_;
  std::mutex mutex_;
  std::vector<uint64_t> differing_rows_;  // of each planned tensor
  uint64_t bytes_ = 0;
};

void compare_hashes(const Comparison& comparison, const LockRecord& record,
                    const std::vector<std::string>& hashes, VerifyResult& result) {
  const auto& made = comparison.file.tensors();
  if (record.tensor_sha256.size() != made.size()) {
    fail(ErrorCode::kInvalidFile, "{}: nibble.lock.source.sha256: found {} hashes for {} tensors",
         comparison.file.metadata().origin(), record.tensor_sha256.size(), made.size());
  }
  for (size_t i = 0; i < hashes.size(); ++i) {
    const size_t tensor = comparison.tensors[i];
    if (hashes[i] == record.tensor_sha256[tensor]) continue;
    std::erase_if(result.problems,  // rows that differ: this is why
                  [&](const auto& problem) { return problem.tensor == made[tensor].name; });
    result.problems.push_back({made[tensor].name, "it was made from another source tensor"});
  }
}

// Compares the chosen pieces; returns the hashes of the source, of no use unless all were chosen.
std::vector<std::string> compare_pieces(const Comparison& comparison, const VerifyOptions& options,
                                        const std::vector<Piece>& pieces,
                                        const std::vector<size_t>& chosen, VerifyResult& result) {
  ThreadPool pool(options.run.threads);
  Phase phase(options.run, "verifying", "pieces", chosen.size());
  Comparing comparing(comparison);
  std::vector<Comparing::Buffers> buffers(static_cast<size_t>(pool.count()));
  std::vector<Sha256Digest> digests(pieces.size());
  const TensorFeedback& feedback = comparison.rules.feedback;
  for (size_t group = 0; group < feedback.groups(); ++group) {
    std::vector<size_t> numbers;
    std::ranges::copy_if(chosen, std::back_inserter(numbers), [&](size_t number) {
      const size_t source = comparison.plan[pieces[number].tensor].source_index;
      return feedback.group_of(source) == group;
    });
    if (numbers.empty()) continue;
    comparing.use(feedback.factors(group, comparison.rules.effort, pool));
    pool.run(static_cast<int64_t>(numbers.size()), 1, [&](int64_t i, int64_t, int worker) {
      const size_t number = numbers[static_cast<size_t>(i)];
      digests[number] = comparing.run(pieces[number], buffers[static_cast<size_t>(worker)]);
      phase.advance(1);
    });
  }
  comparing.report(result);
  return tensor_hashes(pieces, digests, comparison.plan.size());
}

}  // namespace

VerifyResult verify(const std::filesystem::path& path, const std::filesystem::path& source,
                    const VerifyOptions& options) {
  VerifyResult result;
  GgufFile file(path);
  const std::string origin = path.string();
  auto record = find_lock_record(file.metadata());
  const bool has_record = record.has_value();
  if (!has_record) {
    record = LockRecord{};
    record->effort = effort_name(Effort::kDefault);
    result.notes.emplace_back("it has no lock record: encoded as by default, with its own types");
  } else if (!record->imatrix_sha256.empty() && options.imatrix.empty()) {
    fail(ErrorCode::kUsage,
         "{}: it was made with an importance matrix (SHA-256 {}); name that with --imatrix", origin,
         printable(record->imatrix_sha256));
  }
  const QuantizeOptions made_with = options_of(*record, options, origin);
  ModelSource model = open_model(source);
  QuantizeRequest request = read_request(made_with, model);
  if (const auto names = names_to_decode(model, types_in(file, model)); !names.empty()) {
    model = decoded(std::move(model), names);
    request = read_request(made_with, model);
  }
  if (has_record) result.notes = notes_on(*record, request.imatrix_sha256);
  Comparison comparison = {std::move(file), std::move(model), std::move(request.rules), {}, {}};
  result.tensors = comparison.file.tensors().size();
  for (const TensorInfo& tensor : comparison.file.tensors()) result.bytes += tensor.bytes();
  match_tensors(comparison, result);
  if (scaling_of(*record, origin) == Scaling::kAwq) scale_columns(comparison, options.run);
  const auto pieces = cut_into_pieces(comparison.source.tensors().tensors(), comparison.plan);
  const auto chosen = choose(pieces.size(), options);
  const auto hashes = compare_pieces(comparison, options, pieces, chosen, result);
  if (has_record && chosen.size() == pieces.size()) {
    compare_hashes(comparison, *record, hashes, result);
  }
  return result;
}

}  // namespace nibble
