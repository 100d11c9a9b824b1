#include "flow/model.h"

#include <array>
#include <optional>

#include "base/error.h"
#include "base/huge_pages.h"
#include "flow/kept_blocks.h"
#include "flow/memory_tensors.h"
#include "flow/quantize_tensors.h"
#include "flow/repack_cache.h"
#include "flow/run_support.h"

namespace nibble {
namespace {

std::unique_ptr<TensorSource> quantize_in_memory(const ModelSource& source,
                                                 const LoadOptions& options, ThreadPool& pool) {
  std::vector<PlannedOutput> outputs;
  outputs.push_back(plan_output(source, options.type, {}));
  auto memory = std::make_unique<MemoryTensors>(outputs.front().tensors);
  const std::array<OutputTarget, 1> targets = {{{memory.get()}}};
  quantize_tensors(source.tensors(), {}, outputs, targets, QuantizeOptions{}.memory_limit, pool,
                   options.run);
  memory->finish();
  return memory;
}

// With a tenth to spare for everything else.
bool fits_memory(uint64_t bytes) { return bytes <= available_memory() / 10 * 9; }

void repack(Model::Parts& parts, const TensorSource& tensors,
            const std::filesystem::path& cache_folder) {
  const uint64_t bytes = parts.weights->interleaved_bytes();
  if (bytes == 0) return;
  std::optional<RepackCache> cache;
  if (!cache_folder.empty()) cache.emplace(cache_folder, parts.source, bytes);
  if (cache) parts.repacked = cache->find();
  if (parts.repacked) {
    parts.weights->use_interleaved(tensors, cache->copy_in(*parts.repacked));
  } else if (fits_memory(bytes)) {
    parts.weights->interleave(tensors, *parts.pool);
    if (cache) cache->store(parts.weights->interleaved());
  }
  parts.is_repacked = !parts.weights->interleaved().empty();
}

}  // namespace

Model::Model(const std::filesystem::path& path, const LoadOptions& options)
    : parts_(std::make_unique<Parts>()) {
  const Stopwatch watch;
  if (!options.type.empty() && !options.repack_cache.empty()) {
    fail(ErrorCode::kUsage,
         "a model that is quantized in memory has no place in a repack cache; quantize it to a "
         "file first, or leave one of the two out");
  }
  Parts& parts = *parts_;
  parts.path = path;
  parts.pool = std::make_unique<ThreadPool>(options.run.threads);
  parts.source = options.type.empty() ? open_model(path) : open_model_for(path, options.type);
  parts.config = config_from_metadata(parts.source.metadata);
  check_tensors(parts.source.tensors(), parts.config, path.string());
  Vocabulary vocabulary = vocabulary_from_metadata(parts.source.metadata);
  check_vocabulary_size(parts.source, vocabulary);
  parts.tokenizer = std::make_unique<Tokenizer>(std::move(vocabulary), path.string());
  if (!options.type.empty())
    parts.quantized = quantize_in_memory(parts.source, options, *parts.pool);
  const TensorSource& tensors = parts.quantized ? *parts.quantized : parts.source.tensors();
  parts.weights = std::make_unique<Weights>(tensors, parts.config, options.activations);
  if (options.repack) repack(parts, tensors, options.repack_cache);
  parts.load_seconds = watch.seconds();
}

Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

const std::filesystem::path& Model::path() const { return parts_->path; }
uint64_t Model::weight_bytes() const { return parts_->weights->bytes(); }
bool Model::is_repacked() const { return parts_->is_repacked; }
int64_t Model::context_length() const { return parts_->config.context_length; }
double Model::load_seconds() const { return parts_->load_seconds; }

std::vector<uint32_t> Model::tokenize(std::string_view text, bool add_special,
                                      bool parse_special) const {
  return parts_->tokenizer->encode(text,
                                   {.add_special = add_special, .parse_special = parse_special});
}

std::string Model::detokenize(const std::vector<uint32_t>& ids) const {
  return parts_->tokenizer->decode(ids);
}

}  // namespace nibble
