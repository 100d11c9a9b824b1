// The filters of Jinja: what may follow a |. Each file filters_*.cc has a table of its filters.
#pragma once

#include <span>
#include <string_view>

#include "text/jinja/callable.h"

namespace nibble::jinja {

using Filter = Value (*)(Runtime& runtime, const Value& value, const Arguments& arguments);

struct FilterRow {
  std::string_view name;
  Filter filter;
};

Filter find_filter(std::string_view name);  // nullptr: there is none of this name

// The tables, for filters.cc.
std::span<const FilterRow> text_filters();
std::span<const FilterRow> number_filters();
std::span<const FilterRow> item_filters();
std::span<const FilterRow> choosing_filters();

}  // namespace nibble::jinja
