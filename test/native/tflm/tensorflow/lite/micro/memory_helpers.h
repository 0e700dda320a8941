// What the sources in runtime/tflm use of TensorFlow Lite Micro, declared for tests: sizes.
#pragma once

#include "tensorflow/lite/micro/micro_common.h"

namespace tflite {
#ifndef TFLM_OF_2023
namespace micro {
#endif

TfLiteStatus TfLiteEvalTensorByteLength(const TfLiteEvalTensor* tensor, size_t* bytes);

#ifndef TFLM_OF_2023
}  // namespace micro
#endif
}  // namespace tflite
