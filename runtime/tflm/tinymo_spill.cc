#include "tinymo_spill.h"

#include <cstring>

#include "tensorflow/lite/micro/memory_helpers.h"
#include "tensorflow/lite/micro/micro_log.h"

namespace tinymo {

namespace {

// The custom options, little-endian: uint8 version, uint8 length of the name, uint16 zero, uint32 offset, uint32 size of
// the tensor, uint32 size of the storage that the model needs, the name.
constexpr uint8_t kVersion = 1;
constexpr size_t kHeaderSize = 16;

// A token holds this and the offset, so that a reload notices when its token was overwritten.
constexpr uint32_t kTokenMark = 0x54534D54;

constexpr size_t kLongestLoggedName = 31;

struct Place {
  const char* name;  // not terminated
  size_t name_size;
  uint32_t offset;
  uint32_t size;
  uint32_t storage;
};

const char* OperatorName(SpillDirection direction) {
  return direction == SpillDirection::kSpill ? "TINYMO_SPILL" : "TINYMO_RELOAD";
}

uint32_t ReadNumber(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0]) | static_cast<uint32_t>(bytes[1]) << 8 |
         static_cast<uint32_t>(bytes[2]) << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

bool ReadPlace(const TfLiteNode* node, Place* place) {
  const auto* bytes = static_cast<const uint8_t*>(node->custom_initial_data);
  if (bytes == nullptr || node->custom_initial_data_size <= static_cast<int>(kHeaderSize) || bytes[0] != kVersion) {
    return false;
  }
  place->name = reinterpret_cast<const char*>(bytes + kHeaderSize);
  place->name_size = static_cast<size_t>(node->custom_initial_data_size) - kHeaderSize;
  place->offset = ReadNumber(bytes + 4);
  place->size = ReadNumber(bytes + 8);
  place->storage = ReadNumber(bytes + 12);
  return bytes[1] == place->name_size && place->size <= place->storage &&
         place->offset <= place->storage - place->size;
}

const SpillMemory* FindMemory(const Place& place, const SpillMemory* memories, size_t count) {
  for (const SpillMemory* memory = memories; memory != memories + count; ++memory) {
    if (std::strlen(memory->name) == place.name_size && std::memcmp(memory->name, place.name, place.name_size) == 0) {
      return memory;
    }
  }
  return nullptr;
}

TfLiteStatus CheckMemory(const char* name, const SpillMemory& memory, const Place& place) {
  if (memory.data == nullptr || memory.size < place.storage) {
    MicroPrintf("%s: the memory '%s' has %u bytes, the model needs %u", name, memory.name,
                static_cast<unsigned>(memory.data == nullptr ? 0 : memory.size),
                static_cast<unsigned>(place.storage));
    return kTfLiteError;
  }
  if (memory.copy == nullptr || (memory.wears_out && memory.copy == SpillWithMemcpy)) {
    MicroPrintf("%s: the memory '%s' needs a copy function of its own", name, memory.name);
    return kTfLiteError;
  }
  return kTfLiteOk;
}

void LogUnknownMemory(const char* name, const Place& place) {
  char text[kLongestLoggedName + 1] = {};
  std::memcpy(text, place.name, place.name_size < kLongestLoggedName ? place.name_size : kLongestLoggedName);
  MicroPrintf("%s: the application states no memory '%s'", name, text);
}

}  // namespace

bool SpillWithMemcpy(SpillDirection, void* to, const void* from, size_t size) {
  std::memcpy(to, from, size);
  return true;
}

namespace spill_internal {

TfLiteStatus Prepare(TfLiteContext* context, TfLiteNode* node, SpillDirection direction, const SpillMemory* memories,
                     size_t count) {
  const char* name = OperatorName(direction);
  Place place;
  if (node->inputs->size != 1 || node->outputs->size != 1 || !ReadPlace(node, &place)) {
    MicroPrintf("%s: the options are of another version than %u", name, static_cast<unsigned>(kVersion));
    return kTfLiteError;
  }
  const TfLiteEvalTensor* tensor = direction == SpillDirection::kSpill ? GetEvalInput(context, node, 0)
                                                                       : GetEvalOutput(context, node, 0);
  size_t size = 0;
  if (TfLiteEvalTensorByteLength(tensor, &size) != kTfLiteOk || size != place.size) {
    MicroPrintf("%s: the tensor has %u bytes, its place %u", name, static_cast<unsigned>(size),
                static_cast<unsigned>(place.size));
    return kTfLiteError;
  }
  const SpillMemory* memory = FindMemory(place, memories, count);
  if (memory == nullptr) {
    LogUnknownMemory(name, place);
    return kTfLiteError;
  }
  return CheckMemory(name, *memory, place);
}

TfLiteStatus Invoke(TfLiteContext* context, TfLiteNode* node, SpillDirection direction, const SpillMemory* memories,
                    size_t count) {
  Place place;
  if (!ReadPlace(node, &place)) {
    return kTfLiteError;
  }
  const SpillMemory* memory = FindMemory(place, memories, count);
  if (memory == nullptr) {
    return kTfLiteError;
  }
  const char* name = OperatorName(direction);
  const uint32_t mark = kTokenMark ^ place.offset;
  uint8_t* waiting = static_cast<uint8_t*>(memory->data) + place.offset;
  const TfLiteEvalTensor* input = GetEvalInput(context, node, 0);
  TfLiteEvalTensor* output = GetEvalOutput(context, node, 0);
  bool is_copied;
  if (direction == SpillDirection::kSpill) {
    is_copied = memory->copy(direction, waiting, input->data.raw, place.size);
    std::memcpy(output->data.raw, &mark, sizeof(mark));
  } else {
    if (std::memcmp(input->data.raw, &mark, sizeof(mark)) != 0) {
      MicroPrintf("%s: its token was overwritten", name);
      return kTfLiteError;
    }
    is_copied = memory->copy(direction, output->data.raw, waiting, place.size);
  }
  if (!is_copied) {
    MicroPrintf("%s: the copy failed", name);
    return kTfLiteError;
  }
  return kTfLiteOk;
}

}  // namespace spill_internal

}  // namespace tinymo
