// Tensor element types: one per GGUF type that this version reads and writes. The enumerators stand
// in src/codec/formats.h, the one list of formats; users of the library go by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace nibble {

enum class DType : uint32_t;  // the value is GGUF's type id

std::string_view dtype_name(DType type);                      // "q4_k"
std::optional<DType> dtype_from_name(std::string_view name);  // any letter case
std::optional<DType> dtype_from_gguf_id(uint32_t id);
std::vector<DType> all_dtypes();  // in the order of the list

uint32_t block_weights(DType type);  // weights in one block
uint32_t block_bytes(DType type);    // bytes of one block
double bits_per_weight(DType type);

}  // namespace nibble
