#include "flow/tokenize.h"

namespace nibble {

ModelTokenizer::ModelTokenizer(const std::filesystem::path& path)
    : parts_(std::make_unique<const Parts>(open_vocabulary(path), path.string())) {}
ModelTokenizer::~ModelTokenizer() = default;
ModelTokenizer::ModelTokenizer(ModelTokenizer&&) noexcept = default;
ModelTokenizer& ModelTokenizer::operator=(ModelTokenizer&&) noexcept = default;

size_t ModelTokenizer::size() const { return parts_->tokenizer.vocabulary().size(); }

std::vector<uint32_t> ModelTokenizer::encode(std::string_view text,
                                             const TokenizeOptions& options) const {
  return parts_->tokenizer.encode(
      text, {.add_special = options.add_special, .parse_special = options.parse_special});
}

std::string ModelTokenizer::piece(uint32_t id) const { return parts_->tokenizer.piece(id); }

std::string ModelTokenizer::decode(const std::vector<uint32_t>& ids) const {
  return parts_->tokenizer.decode(ids, {.special = true});
}

}  // namespace nibble
