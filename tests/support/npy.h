// Expected numbers from NumPy's files.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "support/files.h"

namespace nibble {

// The values of a .npy file of little-endian float32 in C order.
inline std::vector<float> read_npy(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  const size_t header =
      10 + static_cast<unsigned char>(bytes[8]) + 256 * static_cast<unsigned char>(bytes[9]);
  EXPECT_NE(bytes.substr(0, header).find("'<f4'"), std::string::npos) << path;
  std::vector<float> values((bytes.size() - header) / sizeof(float));
  std::memcpy(values.data(), bytes.data() + header, values.size() * sizeof(float));
  return values;
}

inline float largest_difference(std::span<const float> found, std::span<const float> expected) {
  EXPECT_EQ(found.size(), expected.size());
  float largest = 0;
  for (size_t i = 0; i < found.size(); ++i)
    largest = std::max(largest, std::fabs(found[i] - expected[i]));
  return largest;
}

}  // namespace nibble
