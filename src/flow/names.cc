// Names of what options choose among.
#include "nibble/quantize.h"

namespace nibble {

std::string_view method_name(Method method) {
  switch (method) {
    case Method::kAuto:
      break;
    case Method::kNearest:
      return "nearest";
    case Method::kWeighted:
      return "weighted";
    case Method::kGptq:
      return "gptq";
  }
  return "auto";
}

std::optional<Method> method_from_name(std::string_view name) {
  for (const Method method : {Method::kAuto, Method::kNearest, Method::kWeighted, Method::kGptq}) {
    if (name == method_name(method)) return method;
  }
  return std::nullopt;
}

std::string_view effort_name(Effort effort) {
  switch (effort) {
    case Effort::kFast:
      return "fast";
    case Effort::kBest:
      return "best";
    case Effort::kDefault:
      break;
  }
  return "default";
}

std::optional<Effort> effort_from_name(std::string_view name) {
  for (const Effort effort : {Effort::kFast, Effort::kDefault, Effort::kBest}) {
    if (name == effort_name(effort)) return effort;
  }
  return std::nullopt;
}

std::string_view column_order_name(ColumnOrder order) {
  return order == ColumnOrder::kActivation ? "activation" : "natural";
}

std::optional<ColumnOrder> column_order_from_name(std::string_view name) {
  for (const ColumnOrder order : {ColumnOrder::kNatural, ColumnOrder::kActivation}) {
    if (name == column_order_name(order)) return order;
  }
  return std::nullopt;
}

std::string_view scaling_name(Scaling scaling) { return scaling == Scaling::kAwq ? "awq" : "none"; }

std::optional<Scaling> scaling_from_name(std::string_view name) {
  for (const Scaling scaling : {Scaling::kNone, Scaling::kAwq}) {
    if (name == scaling_name(scaling)) return scaling;
  }
  return std::nullopt;
}

}  // namespace nibble
