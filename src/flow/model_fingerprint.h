// What tells a model's files apart without reading all of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/input_file.h"

namespace nibble {

// XXH64, as 16 hexadecimal digits, of each file's size and of up to 64 pieces of 64 KiB of it, the
// first and the last among them and the others at equal distances: all of a file of up to 4 MiB,
// and 4 MiB of any other, however large. Names and times have no part in it. Files quantized in two
// ways differ nearly everywhere, and so in this; files that differ only between the pieces do not.
std::string model_fingerprint(const std::vector<std::unique_ptr<InputFile>>& files);

}  // namespace nibble
