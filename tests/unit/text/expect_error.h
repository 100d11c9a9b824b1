// EXPECT that something throws nibble::Error of a code, with a message that holds some words.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "nibble/error.h"

namespace nibble {

template <class F>
void expect_error(ErrorCode code, std::initializer_list<std::string> words, F&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (const std::string& word : words) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos)
          << "\"" << word << "\" is not in: " << error.what();
    }
    return;
  }
  ADD_FAILURE() << "expected an error";
}

}  // namespace nibble
