// An application with spilled tensors, as far as the Python package of TensorFlow Lite Micro does not do its part.

#include <cstring>

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tinymo_spill.h"

namespace {

size_t copied_bytes = 0;

bool CountingCopy(tinymo::SpillDirection direction, void* to, const void* from, size_t size) {
  copied_bytes += size;
  return COPY_WORKS && tinymo::SpillWithMemcpy(direction, to, from, size);
}

alignas(16) uint8_t storage[STORAGE];
tinymo::SpillMemory memories[] = {
    {"unused", nullptr, 0},
    {"psram", storage, sizeof(storage), USE_MEMCPY ? tinymo::SpillWithMemcpy : CountingCopy, WEARS_OUT},
};

}  // namespace

extern "C" size_t application_copied_bytes() { return copied_bytes; }

extern "C" bool application_register(tflite::MicroMutableOpResolver<200>* resolver) {
  return tinymo::AddSpillOps<memories>(*resolver) == kTfLiteOk;
}
