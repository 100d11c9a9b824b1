#include "flow/model_chat.h"

#include "base/error.h"
#include "flow/model.h"

namespace nibble {

ChatTemplate chat_template_of(const Model::Parts& model, const std::string& given) {
  const Vocabulary& vocabulary = model.tokenizer->vocabulary();
  if (given.empty() && vocabulary.chat_template.empty()) {
    fail(ErrorCode::kUsage,
         "{}: the model has no chat template (tokenizer.chat_template of a GGUF file; "
         "chat_template.jinja or tokenizer_config.json of a directory): ask without one, or ask a "
         "model that was trained to chat",
         model.path.string());
  }
  const auto text = [&](const std::optional<uint32_t>& id) {
    return id ? model.tokenizer->piece(*id) : std::string();
  };
  return ChatTemplate(
      given.empty() ? vocabulary.chat_template : given,
      given.empty() ? model.path.string() + ": chat template" : "the chat template given",
      {text(vocabulary.bos), text(vocabulary.eos), text(vocabulary.unk), text(vocabulary.pad)});
}

}  // namespace nibble
