// The list of architectures.
#pragma once

#include <array>

#include "model/arch/bert.h"
#include "model/arch/bloom.h"
#include "model/arch/chatglm.h"
#include "model/arch/cohere2.h"
#include "model/arch/command_r.h"
#include "model/arch/deepseek.h"
#include "model/arch/deepseek2.h"
#include "model/arch/exaone.h"
#include "model/arch/exaone4.h"
#include "model/arch/falcon.h"
#include "model/arch/gemma.h"
#include "model/arch/gemma2.h"
#include "model/arch/gemma3.h"
#include "model/arch/glm4.h"
#include "model/arch/gpt2.h"
#include "model/arch/gpt_oss.h"
#include "model/arch/gptj.h"
#include "model/arch/gptneox.h"
#include "model/arch/granite.h"
#include "model/arch/granitemoe.h"
#include "model/arch/internlm2.h"
#include "model/arch/llama.h"
#include "model/arch/minicpm.h"
#include "model/arch/mpt.h"
#include "model/arch/nomic_bert.h"
#include "model/arch/olmo.h"
#include "model/arch/olmo2.h"
#include "model/arch/olmoe.h"
#include "model/arch/phi2.h"
#include "model/arch/phi3.h"
#include "model/arch/phimoe.h"
#include "model/arch/qwen2.h"
#include "model/arch/qwen2moe.h"
#include "model/arch/qwen3.h"
#include "model/arch/qwen3moe.h"
#include "model/arch/smollm3.h"
#include "model/arch/stablelm.h"
#include "model/arch/starcoder.h"
#include "model/arch/starcoder2.h"

namespace nibble {

inline constexpr std::array kArchs = {
    &kLlama,     &kBert,     &kBloom,     &kChatGlm,    &kCohere2,  &kCommandR, &kDeepSeek,
    &kDeepSeek2, &kExaone,   &kExaone4,   &kFalcon,     &kGemma,    &kGemma2,   &kGemma3,
    &kGlm4,      &kGpt2,     &kGptJ,      &kGptOss,     &kGptNeoX,  &kGranite,  &kGraniteMoe,
    &kInternLm2, &kMiniCpm,  &kMpt,       &kNomicBert,  &kOlmo,     &kOlmo2,    &kOlmoe,
    &kPhi2,      &kPhi3,     &kPhiMoe,    &kQwen2,      &kQwen2Moe, &kQwen3,    &kQwen3Moe,
    &kSmolLm3,   &kStableLm, &kStarCoder, &kStarCoder2,
};

}  // namespace nibble
