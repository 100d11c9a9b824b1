# cmake -DINPUT=FILE -DHEADER=eval/task_kinds.h -DFUNCTION=builtin_prompts -DOUTPUT=FILE.cc -P embed_text.cmake:
# a file as a C++ string that a function returns.
file(READ ${INPUT} text)
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [=[// Made by cmake/embed_text.cmake.
#include "@HEADER@"

namespace nibble {

std::string_view @FUNCTION@() {
  return R"embedded(@text@)embedded";
}

}  // namespace nibble
]=])
