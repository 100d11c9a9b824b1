// nibble::compare_layers: both models over the same batches, then their weights.
#include "nibble/layers.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "eval/layer_error.h"
#include "eval/weight_error.h"
#include "flow/model.h"
#include "flow/run_support.h"
#include "flow/same_text.h"
#include "infer/session.h"
#include "model/tensor_shapes.h"

namespace nibble {
namespace {

constexpr int64_t kRecordedBytes = 64 << 20;  // of all layers' outputs of a batch
constexpr int64_t kLogitsAtOnce = 32;         // tokens

void check_same_shape(const Model::Parts& model, const Model::Parts& reference) {
  const ModelConfig &a = model.config, &b = reference.config;
  if (a.arch == b.arch && a.layers == b.layers && a.hidden == b.hidden && a.ffn == b.ffn &&
      a.experts == b.experts && a.q_width() == b.q_width() && a.kv_width() == b.kv_width() &&
      model.weights->vocab_size() == reference.weights->vocab_size())
    return;
  fail(ErrorCode::kUsage,
       "{}: the reference has {} layers of {} columns, {} has {} of {}; only models of one shape "
       "can be compared layer by layer",
       reference.path.string(), b.layers, b.hidden, model.path.string(), a.layers, a.hidden);
}

Session make_session(const Model::Parts& model, int64_t context) {
  return Session(model.config, *model.weights, *model.pool, context, DType::kF16);
}

// What each model's layers make of the windows.
void read_both(const Model::Parts& model, const Model::Parts& reference, const Windows& windows,
               RecordedLayers& recorded, ComparedLayers& compared, Phase& phase) {
  Session session = make_session(model, windows.length);
  Session other = make_session(reference, windows.length);
  session.observe(&compared);
  other.observe(&recorded);
  const int64_t bytes_a_token =
      model.config.layers * model.config.hidden * static_cast<int64_t>(sizeof(float));
  const int64_t batch = std::clamp<int64_t>(kRecordedBytes / bytes_a_token, 16, Session::kBatch);
  for (int64_t w = 0; w < windows.count; ++w) {
    const std::vector<uint32_t> window = windows.window(w);
    session.rewind();
    other.rewind();
    for (int64_t begin = 0; begin < windows.length; begin += batch) {
      const int64_t count = std::min(batch, windows.length - begin);
      const auto tokens =
          std::span(window).subspan(static_cast<size_t>(begin), static_cast<size_t>(count));
      other.read(tokens, count);
      for (int64_t i = 0; i < count; i += kLogitsAtOnce)  // for the output matrix's input
        other.logits(i, std::min(kLogitsAtOnce, count - i));
      session.read(tokens, 0);
      phase.advance(static_cast<uint64_t>(count));
    }
  }
}

WeightError error_of(const Model::Parts& model, const Model::Parts& reference, TensorPlace place,
                     const RecordedLayers& recorded, bool is_output) {
  const auto layer = static_cast<int64_t>(place.layer);
  const Role input_of = is_output ? Role::kOutput : place.role;
  const int64_t matrices =
      role_row(place.role).is_stacked() ? model.config.matrices_of(place.role) : 1;
  WeightError sum;
  for (int64_t m = 0; m < matrices; ++m) {
    sum += weight_error(model.weights->of(place.role, layer, m),
                        reference.weights->of(place.role, layer, m),
                        recorded.mean_squares(input_of, layer, m), *model.pool);
  }
  return sum;
}

std::vector<TensorDifference> compare_tensors(const Model::Parts& model,
                                              const Model::Parts& reference,
                                              const RecordedLayers& recorded) {
  const TensorSource& source = model.quantized ? *model.quantized : model.source.tensors();
  const bool tied = is_tied(source.tensors());
  std::vector<TensorDifference> differences;
  for (const TensorInfo& tensor : source.tensors()) {
    const TensorPlace place = *place_from_gguf_name(tensor.name);
    const auto layer = static_cast<int64_t>(place.layer);
    // Norms and biases are kept as they are.
    if (place.is_bias || place.is_scale() || role_row(place.role).kind == RoleKind::kVector)
      continue;
    const bool is_output = tied && place.role == Role::kTokenEmbd;
    const WeightError error = error_of(model, reference, place, recorded, is_output);
    differences.push_back({tensor.name, tensor.type, reference.weights->of(place.role, layer).type,
                           tensor.bytes(), error.relative(), error.weighted()});
  }
  return differences;
}

}  // namespace

LayerView compare_layers(const Model& model, const Model& reference, std::string_view text,
                         const LayerOptions& options, const RunOptions& run) {
  const Model::Parts &ours = model.parts(), &theirs = reference.parts();
  check_windows(options.context, options.windows);
  check_same_shape(ours, theirs);
  const auto tokens = common_tokens(ours, theirs, text);
  const Windows windows = windows_for(ours, tokens, options.context, options.windows);
  LayerView view;
  view.tokens = windows.count * windows.length;
  Phase phase(run, "comparing layers", "tokens", static_cast<uint64_t>(view.tokens));
  RecordedLayers recorded(ours.config);
  ComparedLayers compared(ours.config, recorded);
  read_both(ours, theirs, windows, recorded, compared, phase);
  for (int64_t layer = 0; layer < ours.config.layers; ++layer)
    view.layers.push_back({layer, compared.cosine(layer), compared.relative_error(layer)});
  view.tensors = compare_tensors(ours, theirs, recorded);
  view.seconds = phase.seconds();
  return view;
}

}  // namespace nibble
