// What the sources in runtime/tflm use of TensorFlow Lite Micro, declared for tests: the types.
//
// They are laid out as in the version of the Python package that this project asks for, whose functions are called.
// With TFLM_OF_2023 names are where older versions have them, which is enough to compile.
#pragma once

#include <cstddef>
#include <cstdint>

#ifndef TFLM_OF_2023
namespace tflite {
namespace micro {
#endif

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

struct TfLiteContext;

struct TfLiteIntArray {
  int size;
  int data[1];
};

struct TfLiteEvalTensor {
  union {
    char* raw;
    void* data;
  } data;
  TfLiteIntArray* dims;
  int type;
};

struct TfLiteNode {
  TfLiteIntArray* inputs;
  TfLiteIntArray* outputs;
  TfLiteIntArray* intermediates;
  void* user_data;
  void* builtin_data;
  const void* custom_initial_data;
  int custom_initial_data_size;
};

struct TFLMRegistration {
  void* (*init)(TfLiteContext*, const char*, size_t);
  void (*free)(TfLiteContext*, void*);
  TfLiteStatus (*prepare)(TfLiteContext*, TfLiteNode*);
  TfLiteStatus (*invoke)(TfLiteContext*, TfLiteNode*);
  void (*reset)(TfLiteContext*, void*);
  int32_t builtin_code;
  const char* custom_name;
};

#ifndef TFLM_OF_2023
}  // namespace micro

using micro::kTfLiteError;
using micro::kTfLiteOk;
using micro::TfLiteContext;
using micro::TfLiteEvalTensor;
using micro::TfLiteNode;
using micro::TfLiteStatus;
using micro::TFLMRegistration;
}  // namespace tflite

using ::tflite::micro::kTfLiteError;
using ::tflite::micro::kTfLiteOk;
using ::tflite::micro::TfLiteContext;
using ::tflite::micro::TfLiteNode;
using ::tflite::micro::TfLiteStatus;
using ::tflite::micro::TFLMRegistration;
#endif
