// RUN: tinymo zoo tiny-unet --resolution 16 -o %t.tflite
// RUN: tinymo optimize --spill %t.tflite --max-overhead 0 -o %t.small.tflite --no-verify | filecheck %s
// RUN: tinymo-opt %t.small.tflite | filecheck %s --check-prefix=FILE
// RUN: tinymo optimize %t.tflite --spill hyperram --max-overhead 0 -o %t.other.tflite --no-verify | filecheck %s --check-prefix=NAME

// Long skips leave the arena for a second memory, which is asked for and told by its name. The report says what a run
// copies and how much of the memory the application has to provide.
// CHECK: storage in 'psram': {{[0-9,]+}} bytes {{.*}}; a run copies {{[0-9,]+}} bytes
// CHECK: + spill-long-skips the bytes in use at once fall from {{[0-9,]+}} to {{[0-9,]+}}; a run copies
// CHECK: operators added: {{.*}}TINYMO_RELOAD x{{[0-9]+}}, {{.*}}TINYMO_SPILL x{{[0-9]+}}
// CHECK: tinymo::AddSpillOps
// FILE: tinymo.spill {{.*}} {memory = "psram"}
// NAME: storage in 'hyperram'
