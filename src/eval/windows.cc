#include "eval/windows.h"

#include <algorithm>

namespace nibble {
namespace {

// Of the logits that are there at a time: 16 MiB. Fewer rows would read the output matrix more
// often than its products pay for.
constexpr int64_t kMostLogits = int64_t{4} << 20;
constexpr int64_t kLeastRows = 32;

int64_t rows_at_a_time(int64_t vocab_size) {
  return std::clamp(kMostLogits / vocab_size, kLeastRows, Session::kBatch);
}

int64_t limited(int64_t available, int64_t most) {
  return most == 0 ? available : std::min(most, available);
}

}  // namespace

std::vector<uint32_t> Windows::window(int64_t index) const {
  const auto from = tokens.subspan(static_cast<size_t>(index * step), static_cast<size_t>(length));
  std::vector<uint32_t> window(from.begin(), from.end());
  if (first_token) window[0] = *first_token;
  return window;
}

Windows windows_side_by_side(std::span<const uint32_t> tokens, int64_t context, int64_t most) {
  const auto available = static_cast<int64_t>(tokens.size()) / context;
  return {tokens, context, context, context / 2, limited(available, most), std::nullopt};
}

Windows windows_with_stride(std::span<const uint32_t> tokens, int64_t context, int64_t stride,
                            int64_t most) {
  constexpr int64_t kUnit = 32;  // llama.cpp rounds the contexts up that it creates
  const int64_t length = (context + stride / 2 + kUnit - 1) / kUnit * kUnit;
  const int64_t rest = std::max<int64_t>(static_cast<int64_t>(tokens.size()) - length, 0);
  const int64_t available = (rest + stride - 1) / stride;
  return {tokens, length, stride, length - stride - 1, limited(available, most), std::nullopt};
}

void read_window(Session& session, int64_t vocab_size, const Windows& windows, int64_t index,
                 const WindowVisitor& visitor) {
  const int64_t most_rows = rows_at_a_time(vocab_size);
  const std::vector<uint32_t> window = windows.window(index);
  const std::span<const uint32_t> tokens(window);
  session.rewind();
  // Nobody asks what follows the last token.
  for (int64_t begin = 0; begin < windows.length - 1; begin += Session::kBatch) {
    const int64_t end = std::min(begin + Session::kBatch, windows.length - 1);
    const auto batch = tokens.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
    const int64_t wanted = std::clamp<int64_t>(end - windows.first, 0, end - begin);
    session.read(batch, wanted);
    if (visitor.on_read) visitor.on_read(batch, begin, wanted);
    for (int64_t row = 0; row < wanted; row += most_rows) {
      const int64_t count = std::min(most_rows, wanted - row);
      const int64_t position = end - wanted + row;
      visitor.on_rows(
          {index, position - windows.first,
           tokens.subspan(static_cast<size_t>(position + 1), static_cast<size_t>(count)),
           session.logits(row, count).data(), vocab_size});
    }
  }
}

void read_windows(Session& session, int64_t vocab_size, const Windows& windows,
                  const WindowVisitor& visitor) {
  for (int64_t w = 0; w < windows.count; ++w) {
    read_window(session, vocab_size, windows, w, visitor);
    visitor.on_window(w + 1);
  }
}

}  // namespace nibble
