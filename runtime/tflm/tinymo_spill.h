// The operators TINYMO_SPILL and TINYMO_RELOAD for applications of TensorFlow Lite Micro.
//
// A model that `tinymo optimize --spill` has written keeps tensors in a second memory while nothing needs them. The
// application states that memory once and adds both operators; README.md in this folder shows how.

#ifndef TINYMO_SPILL_H_
#define TINYMO_SPILL_H_

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "tensorflow/lite/micro/kernels/kernel_util.h"
#include "tensorflow/lite/micro/micro_common.h"

namespace tinymo {

// Where TensorFlow Lite Micro keeps its types depends on its version.
using namespace tflite;
using namespace tflite::micro;

enum class SpillDirection : uint8_t {
  kSpill,   // into the second memory
  kReload,  // back into the arena
};

// Copies `size` bytes and returns whether they are there. The address in the second memory is a multiple of 16 bytes
// from the start of the storage, the other one a multiple of 16 bytes in the arena. A cache line at either end of the
// tensor may hold bytes of its neighbours in the arena: clean before invalidating.
using SpillCopy = bool (*)(SpillDirection direction, void* to, const void* from, size_t size);

bool SpillWithMemcpy(SpillDirection direction, void* to, const void* from, size_t size);

// One memory. Every inference writes to it, so it has to be RAM, or like RAM: a memory that wears out is used only where
// the application says so. What it holds need not outlive a call of `Invoke`, so interpreters that do not run at the
// same time may share it.
struct SpillMemory {
  const char* name;                  // as in `tinymo optimize --spill NAME`
  void* data;                        // the application's storage, aligned as `copy` needs it
  size_t size;                       // its bytes; the optimizer's report says how many a model needs
  SpillCopy copy = SpillWithMemcpy;  // DMA, cache maintenance, or a driver
  bool wears_out = false;            // flash or the like, on purpose; refused without a `copy` of its own
};

namespace spill_internal {

TfLiteStatus Prepare(TfLiteContext* context, TfLiteNode* node, SpillDirection direction, const SpillMemory* memories,
                     size_t count);
TfLiteStatus Invoke(TfLiteContext* context, TfLiteNode* node, SpillDirection direction, const SpillMemory* memories,
                    size_t count);

template <auto& kMemories, SpillDirection kDirection>
TfLiteStatus PrepareFor(TfLiteContext* context, TfLiteNode* node) {
  return Prepare(context, node, kDirection, std::data(kMemories), std::size(kMemories));
}

template <auto& kMemories, SpillDirection kDirection>
TfLiteStatus InvokeFor(TfLiteContext* context, TfLiteNode* node) {
  return Invoke(context, node, kDirection, std::data(kMemories), std::size(kMemories));
}

template <auto& kMemories, SpillDirection kDirection>
TFLMRegistration Registration() {
  return tflite::micro::RegisterOp(nullptr, PrepareFor<kMemories, kDirection>, InvokeFor<kMemories, kDirection>);
}

}  // namespace spill_internal

// Adds both operators to a MicroMutableOpResolver, which needs room for two. `kMemories` is an array of `SpillMemory`
// with static storage duration; what it says is read when a model is prepared and when it runs.
template <auto& kMemories, typename Resolver>
TfLiteStatus AddSpillOps(Resolver& resolver) {
  auto spill = spill_internal::Registration<kMemories, SpillDirection::kSpill>();
  auto reload = spill_internal::Registration<kMemories, SpillDirection::kReload>();
  const TfLiteStatus status = resolver.AddCustom("TINYMO_SPILL", &spill);
  return status == kTfLiteOk ? resolver.AddCustom("TINYMO_RELOAD", &reload) : status;
}

}  // namespace tinymo

#endif  // TINYMO_SPILL_H_
