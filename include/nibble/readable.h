// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace nibble {

// "512 B", "4.13 MiB": two digits behind the point from KiB on, TiB at most.
std::string readable_bytes(uint64_t bytes);

}  // namespace nibble
