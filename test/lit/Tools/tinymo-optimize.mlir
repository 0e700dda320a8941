// RUN: tinymo zoo lenet5 -o %t.tflite
// RUN: tinymo optimize %t.tflite -o %t.small.tflite --no-verify | filecheck %s
// RUN: tinymo optimize %t.tflite -o %t.small.tflite --no-verify --json | filecheck %s --check-prefix=JSON
// RUN: tinymo-opt %t.small.tflite --report-memory -o %t.mlir 2>&1 | filecheck %s --check-prefix=MEMORY
// RUN: tinymo optimize %t.small.tflite -o %t.same.tflite --no-verify | filecheck %s --check-prefix=SAME
// RUN: diff %t.small.tflite %t.same.tflite
// RUN: not tinymo optimize %t.tflite -o %t.none.tflite --no-verify --ram 1K 2>&1 | filecheck %s --check-prefix=BUDGET
// RUN: not ls %t.none.tflite

// What it was, what it became, what that costs, and which passes did it.
// CHECK: before after
// CHECK-NEXT: live peak, bytes (modelled) 5,880 3,528 -40.0 %
// CHECK: TFLM arena: not measured, not asked for
// CHECK-NEXT: operators 9
// CHECK-NEXT: multiply-accumulates 416,520 416,520
// CHECK-NEXT: file, bytes
// CHECK: peak at operator {{[0-9]+}}, AVERAGE_POOL_2D, while these are in memory:
// CHECK: operators added: {{.*}}CONCATENATION x1
// CHECK-NEXT: a MicroMutableOpResolver needs them:
// CHECK: passes
// CHECK: split-sepconv: applied, 2 stripes from 'conv_0' to 'pool_0'
// CHECK: outputs not compared: not asked for

// The same for programs, without the parts that were not measured.
// JSON: "schema": "tinymo-report/1"
// JSON: "before": {
// JSON-NEXT: "live_peak": 5880,
// JSON: "after": {
// JSON: "live_peak_copies": 3528,
// JSON: "cost": {
// JSON-NEXT: "extra_macs": 0,
// JSON: "name": "split-sepconv",
// JSON-NEXT: "applied": true,
// JSON-NOT: "tflm"
// JSON-NOT: "verify"

// The figures are those of the file that is written.
// MEMORY: memory of @main: live peak 3,528 bytes

// There is nothing left to gain in it: it is written as it is.
// SAME: nothing was changed: the file is the original, byte for byte

// A budget that cannot be kept is an error that says what can be had, and nothing is written.
// BUDGET: tinymo: error: {{.*}}: the arena of TFLite Micro on a 32-bit target does not come down to 1,024 bytes (1.0 KiB); the least within 10 %
