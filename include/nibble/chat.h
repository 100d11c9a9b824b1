// A conversation with a model, in the words of its own chat template.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nibble/generate.h"
#include "nibble/model.h"

namespace nibble {

struct ChatOptions {
  // max_tokens bounds each answer, context the whole conversation (0: what the model was trained
  // for, at most 8192).
  GenerateOptions generate;
  std::string system;         // what the model is told before the conversation; empty: nothing
  std::string chat_template;  // in Jinja; empty: the model's own
};

struct ChatMessage {
  std::string role;  // "system", "user", "assistant"
  std::string text;
};

struct ChatAnswer {
  std::string text;
  std::string stop;           // "end", "length" (max_tokens or the context), "cancelled"
  int64_t prompt_tokens = 0;  // the conversation so far, as the template writes it
  int64_t reused_tokens = 0;  // of these, what the KV cache held already
  int64_t answer_tokens = 0;
  int64_t forgotten = 0;  // oldest messages that were left out to make room
  double prompt_seconds = 0, answer_seconds = 0;
};

class Chat {
 public:
  // The model must outlive the chat. Error kUsage when there is no chat template, or for options
  // out of range; kInvalidFile, naming the line, for a template that is none.
  Chat(const Model& model, ChatOptions options);
  ~Chat();
  Chat(Chat&&) noexcept;
  Chat& operator=(Chat&&) noexcept;

  // Says something and gets the answer; both join the conversation. What was read before stays in
  // the KV cache as far as the prompt begins with it. `on_text` gets the answer piece by piece.
  // When the generate options' `cancelled` is set, the answer ends there and stays. Errors: kUsage
  // when even this message alone does not fit the context, or the template refuses it; the
  // conversation is then as before.
  ChatAnswer say(std::string_view text, const std::function<void(std::string_view)>& on_text = {});

  // Another answer to the last message, with other random numbers. Error kUsage when there is none.
  ChatAnswer regenerate(const std::function<void(std::string_view)>& on_text = {});

  void clear();                       // forgets the conversation, not the system's message
  void set_system(std::string text);  // for what follows; the conversation stays
  const std::vector<ChatMessage>& messages() const;  // without the system's

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace nibble
