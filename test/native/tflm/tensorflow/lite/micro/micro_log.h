// What the sources in runtime/tflm use of TensorFlow Lite Micro, declared for tests: the log.
#pragma once

void MicroPrintf(const char* format, ...) __attribute__((format(printf, 1, 2)));
