#include "flow/work_description.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"

namespace nibble {
namespace {

std::string key_of(std::string_view line) { return std::string(line.substr(0, line.find(':'))); }

bool has_key(std::string_view lines, const std::string& key) {
  return lines.starts_with(key + ":") || lines.find("\n" + key + ":") != std::string_view::npos;
}

// The first line, "KEY: VALUE", that is not the same in both or that one of them lacks.
std::pair<std::string, std::string> first_difference(std::string_view then, std::string_view now) {
  const auto take_line = [](std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
  };
  for (auto a = then, b = now; !a.empty() || !b.empty();) {
    const auto left = take_line(a);
    const auto right = take_line(b);
    if (left == right) continue;
    if (!has_key(then, key_of(right))) return {"no " + key_of(right), std::string(right)};
    if (!has_key(now, key_of(left))) return {std::string(left), "no " + key_of(left)};
    return {std::string(left), std::string(right)};
  }
  return {};
}

}  // namespace

void check_same_work(const std::filesystem::path& target, std::string_view then,
                     std::string_view now) {
  if (then == now) return;
  const auto [old_line, new_line] = first_difference(then, now);
  fail(ErrorCode::kUsage,
       "{}: the unfinished work beside it is not what is asked for now: then \"{}\", now \"{}\". "
       "Ask as then, or leave --resume out to begin anew",
       target.string(), old_line, new_line);
}

}  // namespace nibble
