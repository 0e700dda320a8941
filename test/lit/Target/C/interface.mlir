// RUN: tinymo zoo lenet5 -o %t.tflite
// RUN: tinymo codegen %t.tflite -o %t.lib --prefix digits
// RUN: filecheck %s --check-prefix=HEADER < %t.lib/digits.h
// RUN: filecheck %s --check-prefix=SOURCE < %t.lib/digits.c
// RUN: filecheck %s --check-prefix=README < %t.lib/README.md

// The header: what the arena takes as a plain number, each input and output, and the functions.
// HEADER: #define DIGITS_ABI_VERSION 1
// HEADER: #define DIGITS_MODEL_HASH "{{[0-9a-f]+}}"
// HEADER: #define DIGITS_ARENA_BYTES {{[0-9]+$}}
// HEADER-NEXT: #define DIGITS_ARENA_ALIGN 1
// HEADER: #define DIGITS_INPUT_0_NAME "image"
// HEADER-NEXT: #define DIGITS_INPUT_0_TYPE int8_t
// HEADER-NEXT: #define DIGITS_INPUT_0_RANK 4
// HEADER-NEXT: #define DIGITS_INPUT_0_SHAPE {1, 28, 28, 1}
// HEADER-NEXT: #define DIGITS_INPUT_0_ELEMENTS 784
// HEADER-NEXT: #define DIGITS_INPUT_0_BYTES 784
// HEADER-NEXT: #define DIGITS_INPUT_0_SCALE {{[0-9.e-]+}}f
// HEADER: #define DIGITS_OUTPUTS 1
// HEADER: } digits_status;
// HEADER: digits_status digits_init(void);
// HEADER: digits_status digits_init_with(void *arena, uint32_t bytes);
// HEADER: void *digits_input(uint32_t index);
// HEADER: digits_status digits_invoke(void);

// A layer is a function that says which operator it is, where its rows lie in the arena, and which row function makes
// them. Rows outside of the image point to a row of zero points.
// SOURCE: /* 0: CONV_2D 'conv_0' */
// SOURCE-NEXT: static void layer_0(uint8_t *arena)
// SOURCE-NEXT: {
// SOURCE-NEXT: static const convolution_per_channel parameters = {
// SOURCE-NEXT: .weights = layer_0_weights,
// SOURCE: const int8_t *in0 = (const int8_t *)(const void *)(arena + {{[0-9]+}});
// SOURCE-NEXT: int8_t *out = (int8_t *)(void *)(arena + {{[0-9]+}});
// SOURCE-NEXT: for (int32_t y = 0; y < 28; ++y) {
// SOURCE-NEXT: const int8_t *rows[5];
// SOURCE-NEXT: for (int32_t k = 0; k < 5; ++k) {
// SOURCE-NEXT: const int32_t row = y + k - 2;
// SOURCE-NEXT: rows[k] = row >= 0 && row < 28 ? in0 + row * 28 : border_int8_minus_1;
// SOURCE-NEXT: }
// SOURCE-NEXT: conv_5x5s1_28x1_28x{{[0-9]+}}(out, rows, &parameters);

// The page for people has the same figures.
// README: | RAM: arena, inputs and outputs included | {{[0-9,]+}} |
// README: | input 0: `image` | int8 | 1 x 28 x 28 x 1 | 784 |
