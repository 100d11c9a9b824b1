#include "model/pruned.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/error.h"

namespace nibble {
namespace {

constexpr std::string_view kLayerPrefix = "blk.";

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
  if (!name.starts_with(kLayerPrefix)) return std::string(name);
  uint64_t layer = 0;
  const char* begin = name.data() + kLayerPrefix.size();
  const auto [end, error] = std::from_chars(begin, name.data() + name.size(), layer);
  const std::string_view digits(begin, static_cast<size_t>(end - begin));
  if (error != std::errc() || digits != std::to_string(layer)) return std::string(name);
  if (contains(layer)) return std::nullopt;
  const auto before = std::ranges::lower_bound(layers_, layer) - layers_.begin();
  const auto rest = name.substr(static_cast<size_t>(end - name.data()));
  return std::string(kLayerPrefix) + std::to_string(layer - static_cast<uint64_t>(before)) +
         std::string(rest);
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
