# Writes one source for each row of src/codec/formats.h and each ISA into FOLDER (small files compile side by side, and
# one changed format is compiled alone), and every_format.h. Sets `sources` to their paths.
function(nibble_codec_sources folder isas sources)
  set(list ${CMAKE_CURRENT_SOURCE_DIR}/src/codec/formats.h)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  file(READ ${list} text)
  string(REGEX MATCHALL "X\\(k[^)]*\\)" rows "${text}")
  set(paths "")
  set(includes "")
  foreach(row ${rows})
    if(NOT row MATCHES "\"([a-z0-9_]+)\", *([A-Za-z0-9_]+), *([0-9]+), *([0-9]+)")
      message(FATAL_ERROR "${list}: cannot read the row ${row}")
    endif()
    set(name ${CMAKE_MATCH_1})
    set(format ${CMAKE_MATCH_2})
    set(sizes "${CMAKE_MATCH_3}, ${CMAKE_MATCH_4}")
    string(APPEND includes "#include \"codec/${name}.h\"\n")
    foreach(isa ${isas})
      string(SUBSTRING ${isa} 0 1 first)
      string(SUBSTRING ${isa} 1 -1 rest)
      string(TOUPPER ${first} first)
      set(type ${first}${rest})  # the vector type
      file(CONFIGURE OUTPUT ${folder}/codec/${name}_${isa}.cc @ONLY CONTENT [=[// Made by cmake/codecs.cmake.
#include "codec/@name@.h"
#include "codec/make_codec.h"
#include "simd/@isa@.h"

namespace nibble {

extern const Codec kCodec_@format@_@isa@;
constexpr Codec kCodec_@format@_@isa@ = make_codec<@type@, @format@, @sizes@>();

}  // namespace nibble
]=])
      list(APPEND paths ${folder}/codec/${name}_${isa}.cc)
    endforeach()
  endforeach()
  file(CONFIGURE OUTPUT ${folder}/codec/every_format.h CONTENT "// Made by cmake/codecs.cmake.\n#pragma once\n\n${includes}")
  set(${sources} ${paths} PARENT_SCOPE)
endfunction()
