#include "model/pruned.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "model/roles.h"

namespace nibble {
namespace {

// Arrays of ARCH.* that are never a value for each layer, though they may be as long.
constexpr auto kNotOfLayers =
    std::to_array<std::string_view>({"rope.dimension_sections", "classifier.output_labels"});

}  // namespace

PrunedLayers::PrunedLayers(std::vector<uint64_t> layers, uint64_t layer_count)
    : layers_(std::move(layers)), layer_count_(layer_count) {
  std::ranges::sort(layers_);
  layers_.erase(std::unique(layers_.begin(), layers_.end()), layers_.end());
  if (!layers_.empty() && layers_.back() >= layer_count) {
    fail(ErrorCode::kUsage, "layer {} cannot be pruned: the model has {} layers, counted from 0",
         layers_.back(), layer_count);
  }
  if (!layers_.empty() && layers_.size() == layer_count) {
    fail(ErrorCode::kUsage, "all {} layers would be pruned; leave at least one", layer_count);
  }
}

bool PrunedLayers::contains(uint64_t layer) const {
  return std::ranges::binary_search(layers_, layer);
}

std::optional<std::string> PrunedLayers::rename(std::string_view name) const {
  const auto [layer, rest] = split_layer(name);
  if (!layer) return std::string(name);
  if (contains(*layer)) return std::nullopt;
  const auto before = std::ranges::lower_bound(layers_, *layer) - layers_.begin();
  return fmt::format("{}{}.{}", kGgufLayers, *layer - static_cast<uint64_t>(before), rest);
}

void PrunedLayers::apply_to(Metadata& metadata, std::string_view arch) const {
  const std::string prefix = std::string(arch) + ".";
  const auto prune = [&](auto& list) {
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(*layer));
    }
  };
  for (auto [key, value] : std::vector(metadata.entries())) {
    auto* array = std::get_if<MetadataArray>(&value);
    if (array == nullptr || !key.starts_with(prefix) || array->size() != layer_count_) continue;
    const auto name = std::string_view(key).substr(prefix.size());
    if (std::ranges::find(kNotOfLayers, name) != kNotOfLayers.end()) continue;
    std::visit(prune, array->items);
    metadata.set(std::move(key), std::move(value));
  }
  metadata.set(prefix + "block_count", static_cast<uint32_t>(layer_count_ - layers_.size()));
}

Pruned::Pruned(const TensorSource& source, const PrunedLayers& layers) : source_(source) {
  const auto& stored = source.tensors();
  for (size_t i = 0; i < stored.size(); ++i) {
    const auto name = layers.rename(stored[i].name);
    if (!name) continue;
    tensors_.push_back({*name, stored[i].type, stored[i].shape});
    origins_.push_back(i);
  }
}

}  // namespace nibble
