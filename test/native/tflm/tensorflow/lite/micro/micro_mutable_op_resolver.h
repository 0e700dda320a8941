// The resolver of TensorFlow Lite Micro, declared for tests: as much as it takes to add custom operators to one that the
// Python package has made.
#pragma once

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {

template <unsigned kSize>
class MicroMutableOpResolver {
 public:
  TfLiteStatus AddCustom(const char* name, const TFLMRegistration* registration) {
    if (length_ >= kSize) {
      return kTfLiteError;
    }
    registrations_[length_] = *registration;
    registrations_[length_].builtin_code = kCustom;
    registrations_[length_].custom_name = name;
    ++length_;
    return kTfLiteOk;
  }

 private:
  static constexpr int kCustom = 32;

  void* functions_;
  TFLMRegistration registrations_[kSize];
  unsigned length_;
};

}  // namespace tflite
