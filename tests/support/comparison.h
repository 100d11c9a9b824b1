// A comparison made of numbers, for tests of reports.
#pragma once

#include "nibble/compare.h"

namespace nibble {

inline ComparedModel made_up_model(const std::string& name, uint64_t bytes, double kl) {
  ComparedModel model;
  model.name = name;
  model.path = "models/" + name + ".gguf";
  model.fingerprint = "0123456789abcdef";
  model.type = "q4_k";
  model.bytes = bytes;
  model.weights = 8 * bytes / 5;
  model.bits_per_weight = 5;
  model.perplexity = {6.25, 0.05, 6.15, 6.35};
  model.divergence.emplace();
  model.divergence->kl_divergence = {kl, kl / 20, kl * 0.9, kl * 1.1};
  model.divergence->kl_percentiles.values = {9 * kl, 8 * kl, 7 * kl, 6 * kl, 5 * kl, 2 * kl, kl / 2,
                                             0,      0,      0,      0,      0,      0};
  model.divergence->agreement = {0.95, 0.001, 0.948, 0.952};
  model.divergence->rms_delta_p = {0.01, 0.0001, 0.0098, 0.0102};
  model.divergence->ratio = {1.01, 0.001, 1.008, 1.012};
  model.layers.tokens = 128;
  model.layers.layers = {{0, 0.999, 0.02}, {1, 0.998, 0.04}};
  model.layers.tensors = {
      {"output.weight", *dtype_from_name("q6_k"), *dtype_from_name("f16"), 840, 0.01, 0.009},
      {"token_embd.weight", *dtype_from_name("q4_k"), *dtype_from_name("f16"), 576, 0.07, NAN}};
  model.continuations = {{"and then ", "she", " went <home>", 3}};
  model.tasks = {{"mc", "acc", 0.5, 0.05, 100, 0.9}};
  model.speed = {{500, 50, 1 << 30, 512, 64}};
  return model;
}

// Three files, of which the middle one is beaten by the smallest.
inline Comparison made_up_comparison() {
  Comparison comparison;
  comparison.version = "1.2.3";
  comparison.machine = {"A CPU", "avx2", 2};
  comparison.threads = 2;
  comparison.text_name = "text.txt";
  comparison.text_sha256 = std::string(64, 'a');
  comparison.protocol = std::string(64, 'b');
  comparison.context = 512;
  comparison.windows = 10;
  comparison.scored_tokens = 2550;
  comparison.prompts = {"Once \"upon\" & a"};
  comparison.reference = made_up_model("reference", 16 << 20, 0);
  comparison.reference.divergence.reset();
  comparison.reference.layers = {};
  comparison.models = {made_up_model("small", 4 << 20, 0.01), made_up_model("worse", 5 << 20, 0.02),
                       made_up_model("large", 8 << 20, 0.001)};
  return comparison;
}

}  // namespace nibble
