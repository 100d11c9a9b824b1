#include "text/jinja/filters.h"

namespace nibble::jinja {

Filter find_filter(std::string_view name) {
  for (const auto rows : {text_filters(), number_filters(), item_filters(), choosing_filters()}) {
    for (const FilterRow& row : rows) {
      if (row.name == name) return row.filter;
    }
  }
  return nullptr;
}

}  // namespace nibble::jinja
