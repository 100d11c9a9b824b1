#include "flow/calibration_texts.h"

#include <algorithm>
#include <optional>

#include "eval/conversations.h"
#include "flow/model.h"
#include "flow/model_chat.h"
#include "flow/same_text.h"

namespace nibble {
namespace {

// One line after another. What the template makes of messages has its own control tokens; a text
// begins as texts do.
std::vector<uint32_t> tokens_of_lines(const Model::Parts& model, const CalibrationText& text,
                                      bool parse_special) {
  std::optional<ChatTemplate> chat;
  std::vector<uint32_t> tokens;
  for (const Conversation& line : parse_conversations(text.text, text.name)) {
    if (line.is_chat() && !chat) chat.emplace(chat_template_of(model));
    const auto more = line.is_chat()
                          ? model.tokenizer->encode(render(line, *chat),
                                                    {.add_special = false, .parse_special = true})
                          : model.tokenizer->encode(line.text, {.parse_special = parse_special});
    tokens.insert(tokens.end(), more.begin(), more.end());
  }
  return tokens;
}

}  // namespace

CalibrationChunks::CalibrationChunks(const Model::Parts& model,
                                     const std::vector<CalibrationText>& texts,
                                     const CalibrateOptions& options) {
  check_windows(options.context, options.chunks);
  for (const CalibrationText& text : texts) {
    tokens_.push_back(text.is_jsonl ? tokens_of_lines(model, text, options.parse_special)
                                    : model.tokenizer->encode(
                                          text.text, {.parse_special = options.parse_special}));
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    Windows windows = windows_for(model, tokens_[i], options.context, 0, 0, texts[i].name);
    if (options.chunks > 0) windows.count = std::min(windows.count, options.chunks - count_);
    count_ += windows.count;
    windows_.push_back(windows);
  }
}

std::vector<uint32_t> CalibrationChunks::chunk(int64_t index) const {
  auto windows = windows_.begin();
  for (; index >= windows->count; ++windows) index -= windows->count;
  return windows->window(index);
}

}  // namespace nibble
