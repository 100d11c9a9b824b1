// NIBBLE_INLINE: for everything that files compiled with -m flags may use. A plain `inline`
// function could be emitted there as a weak symbol holding wide instructions, and the linker may
// then pick that copy for the baseline path; an always-inlined one leaves no symbol behind.
// tools/check_isa_symbols.py checks the result.
#pragma once

#define NIBBLE_INLINE __attribute__((always_inline)) inline
