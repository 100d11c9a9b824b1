// NIBBLE_INLINE: for everything that files compiled with -m flags may use. A plain `inline`
// function could be emitted there as a weak symbol holding wide instructions, and the linker may
// then pick that copy for the baseline path; an always-inlined one leaves no symbol behind.
// tools/check_isa_symbols.py checks the result.
//
// Builds with sanitizers, which only run on machines that have every ISA they use, leave it to the
// compiler: inlining instrumented code would take it minutes a file.
#pragma once

#if defined(__has_feature)  // Clang
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NIBBLE_IS_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)  // GCC
#define NIBBLE_IS_SANITIZED 1
#endif

#ifdef NIBBLE_IS_SANITIZED
#define NIBBLE_INLINE inline
#else
#define NIBBLE_INLINE __attribute__((always_inline)) inline
#endif
