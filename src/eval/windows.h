// The windows that a text is evaluated in, and a model's way through them. Protocols:
// nibble/evaluate.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "infer/session.h"

namespace nibble {

struct Windows {
  std::span<const uint32_t> tokens;
  int64_t length = 0;  // tokens in a window, >= 2
  int64_t step = 0;    // from the begin of a window to that of the next
  int64_t first = 0;   // of a window: from here on, the token that follows is scored
  int64_t count = 0;
  std::optional<uint32_t> first_token;  // is put in place of each window's first one

  int64_t scored() const { return length - 1 - first; }  // in a window
  std::vector<uint32_t> window(int64_t index) const;
};

// As many windows as the tokens have room for, at most `most` unless that is 0.
Windows windows_side_by_side(std::span<const uint32_t> tokens, int64_t context, int64_t most);
Windows windows_with_stride(std::span<const uint32_t> tokens, int64_t context, int64_t stride,
                            int64_t most);

// Logits at scored positions that follow each other.
struct ScoredRows {
  int64_t window;
  int64_t begin;                   // the first one's number among those of its window
  std::span<const uint32_t> next;  // the token that came after each
  const float* logits;             // next.size() rows
  int64_t vocab_size;

  int64_t count() const { return static_cast<int64_t>(next.size()); }
  const float* row(int64_t i) const { return logits + i * vocab_size; }
};

struct WindowVisitor {
  // The model has read these tokens, from `position` of the window on; the rows after the last
  // `wanted` of them come next.
  std::function<void(std::span<const uint32_t> tokens, int64_t position, int64_t wanted)> on_read;
  std::function<void(const ScoredRows& rows)> on_rows;
  std::function<void(int64_t windows_done)> on_window;
};

// One window, of which on_window is not told.
void read_window(Session& session, int64_t vocab_size, const Windows& windows, int64_t index,
                 const WindowVisitor& visitor);

// All windows. Rows come in order and in pieces of some MiB, whatever the window: memory does not
// depend on the text. What the visitor throws passes through.
void read_windows(Session& session, int64_t vocab_size, const Windows& windows,
                  const WindowVisitor& visitor);

}  // namespace nibble
