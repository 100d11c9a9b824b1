// What nibble quantize says of its work.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "nibble/quantize.h"

namespace nibble::cli {

nlohmann::ordered_json quantized_json(const QuantizeResult& result, bool dry_run);
void print_quantized(const QuantizeResult& result, bool dry_run);
void print_warnings(const QuantizeResult& result);  // on stderr

}  // namespace nibble::cli
