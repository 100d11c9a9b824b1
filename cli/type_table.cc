#include "cli/type_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "nibble/readable.h"

namespace nibble::cli {

void TypeTable::add(DType type, uint64_t bytes, std::optional<double> loss) {
  auto share = std::ranges::find(shares_, type, &Share::type);
  if (share == shares_.end()) share = shares_.insert(share, {type});
  ++share->tensors;
  share->bytes += bytes;
  if (loss) share->loss = share->loss.value_or(0) + *loss;
}

void TypeTable::print() const {
  auto shares = shares_;
  std::ranges::stable_sort(shares, std::ranges::greater(), &Share::bytes);
  for (const Share& share : shares) {
    fmt::print("  {:<8} {:>5} tensors {:>12}{}\n", dtype_name(share.type), share.tensors,
               readable_bytes(share.bytes),
               share.loss ? fmt::format("  expected loss {:.2g}", *share.loss) : "");
  }
}

}  // namespace nibble::cli
