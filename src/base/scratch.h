// A place in the folder for temporary files that is gone with the object.
#pragma once

#include <filesystem>
#include <string>

namespace nibble {

class Scratch {
 public:
  // Nothing is there yet: make a file or a folder of it. `name` stands in the name, to be known by
  // whoever looks what fills the disk.
  explicit Scratch(const std::string& name);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace nibble
