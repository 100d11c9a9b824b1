#include "flow/quantize_tensors.h"

#include <algorithm>

#include "flow/encode_rows.h"
#include "flow/run_support.h"

namespace nibble {
namespace {

// What one tensor becomes: its types without repetition, and which of them each output takes.
struct TensorTypes {
  std::vector<DType> types;
  std::vector<size_t> of_output;
};

TensorTypes types_of(const std::vector<PlannedOutput>& outputs, size_t tensor) {
  TensorTypes result;
  for (const PlannedOutput& output : outputs) {
    const auto found = std::ranges::find(result.types, output.plan[tensor].type);
    result.of_output.push_back(static_cast<size_t>(found - result.types.begin()));
    if (found == result.types.end()) result.types.push_back(output.plan[tensor].type);
  }
  return result;
}

// Bytes that a row of the tensor takes in all its forms.
uint64_t bytes_in_flight(const TensorInfo& tensor, const std::vector<DType>& types) {
  const uint64_t columns = tensor.shape.columns();
  uint64_t bytes = tensor.row_bytes() + columns * sizeof(float);
  for (const DType type : types) bytes += columns / block_weights(type) * block_bytes(type);
  return std::max<uint64_t>(bytes, 1);
}

}  // namespace

QuantizeTotals quantize_tensors(const TensorSource& source, const TensorImportance& importance,
                                const std::vector<PlannedOutput>& outputs,
                                std::span<TensorSink* const> sinks, uint64_t memory_limit,
                                ThreadPool& pool, const RunOptions& run) {
  constexpr uint64_t kEnough = 64 << 20;  // more in flight does not make it faster
  const auto& tensors = source.tensors();
  uint64_t all_weights = 0;
  for (const TensorInfo& tensor : tensors) all_weights += tensor.shape.count();
  QuantizeTotals totals;
  Phase phase(run, "quantizing", "weights", all_weights);
  uint64_t done = 0;
  std::vector<std::vector<std::byte>> encoded;
  for (size_t i = 0; i < outputs.front().plan.size(); ++i) {
    const size_t tensor = outputs.front().plan[i].source_index;
    const TensorInfo& info = tensors[tensor];
    const TensorTypes types = types_of(outputs, i);
    const RowEncoding encoding = {types.types, importance.of(tensor)};
    const uint64_t row_bytes = bytes_in_flight(info, types.types);
    const uint64_t step =
        std::clamp<uint64_t>(std::min(memory_limit, kEnough) / row_bytes, 1, info.shape.rows());
    for (uint64_t first = 0; first < info.shape.rows(); first += step) {
      const uint64_t count = std::min(step, info.shape.rows() - first);
      encode_rows(source, tensor, first, count, encoding, pool, encoded);
      for (size_t k = 0; k < sinks.size(); ++k) sinks[k]->write(i, encoded[types.of_output[k]]);
      done += count * info.shape.columns();
      totals.source_bytes += count * info.row_bytes();
      totals.peak_buffer_bytes = std::max(totals.peak_buffer_bytes, count * row_bytes);
      phase.advance_to(done);
    }
  }
  return totals;
}

}  // namespace nibble
