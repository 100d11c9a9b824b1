// The loop of quantization: every tensor of a source, read once, into the sinks of all outputs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/threads.h"
#include "flow/encoding_rules.h"
#include "flow/output_work.h"
#include "flow/plan_outputs.h"
#include "nibble/progress.h"
#include "tensor/sink.h"

namespace nibble {

struct QuantizeTotals {
  uint64_t source_bytes = 0;                  // read
  uint64_t peak_buffer_bytes = 0;             // of the rows in flight
  std::vector<std::string> unusable_moments;  // see QuantizeResult
};

struct OutputTarget {
  TensorSink* sink;
  OutputWork* work = nullptr;  // whose sink it is, when the output has a journal
};

// targets[k] gets outputs[k]; they are not finished. Each thread reads, encodes and writes pieces
// of its own, so that all of it overlaps. At most `memory_limit` bytes of rows are in flight (but
// always one row). A type that several outputs give to a tensor is encoded once; pieces that an
// output has already are left out. With a journal, the source's bytes
// are hashed as they are read.
QuantizeTotals quantize_tensors(const TensorSource& source, const EncodingRules& rules,
                                const std::vector<PlannedOutput>& outputs,
                                std::span<const OutputTarget> targets, uint64_t memory_limit,
                                ThreadPool& pool, const RunOptions& run);

}  // namespace nibble
