// A macro of the template, and the body of a call block, which its macro knows as caller().
#pragma once

#include <string_view>

#include "text/jinja/interpreter.h"

namespace nibble::jinja {

class Macro final : public Callable {
 public:
  // `scope`: what was visible where it was defined.
  Macro(Interpreter& interpreter, std::string_view name, const Signature& signature,
        const Block& body, ScopePointer scope)
      : interpreter_(interpreter),
        name_(name),
        signature_(signature),
        body_(body),
        scope_(std::move(scope)) {}

  std::string_view type_name() const override { return "Macro"; }
  Value call(Runtime&, const Arguments& arguments) const override {
    return interpreter_.run_macro(*this, arguments);
  }

  std::string_view name() const { return name_; }
  const Signature& signature() const { return signature_; }
  const Block& body() const { return body_; }
  const ScopePointer& scope() const { return scope_; }

 private:
  Interpreter& interpreter_;
  std::string_view name_;
  const Signature& signature_;
  const Block& body_;
  ScopePointer scope_;
};

}  // namespace nibble::jinja
