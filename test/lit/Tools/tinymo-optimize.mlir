// RUN: tinymo zoo lenet5 -o %t.tflite
// RUN: tinymo optimize %t.tflite -o %t.small.tflite --no-verify | filecheck %s
// RUN: tinymo optimize %t.tflite -o %t.small.tflite --no-verify --json | filecheck %s --check-prefix=JSON
// RUN: tinymo-opt %t.small.tflite --report-memory -o %t.mlir 2>&1 | filecheck %s --check-prefix=MEMORY
// RUN: tinymo optimize %t.small.tflite -o %t.same.tflite --no-verify | filecheck %s --check-prefix=SAME
// RUN: diff %t.small.tflite %t.same.tflite
// RUN: not tinymo optimize %t.tflite -o %t.none.tflite --no-verify --no-plan --ram 1K 2>&1 | filecheck %s --check-prefix=BUDGET
// RUN: not ls %t.none.tflite

// What it was, what it became, what that costs, and which passes did it.
// CHECK: 9 -> {{[0-9]+}} operators, 416,520 -> 416,520 MACs, file
// CHECK-NEXT: outputs not compared: not asked for
// CHECK: before after before after
// CHECK-NEXT: head: activations and scratch 5,888 {{.*}} %
// CHECK: arena: the smallest that works
// CHECK: peak before: 5,888 bytes peak after:
// CHECK-NEXT: at operator 1, AVERAGE_POOL_2D at operator {{[0-9]+}}, AVERAGE_POOL_2D
// CHECK: passes (+ applied, - not)
// CHECK: + split-sepconv 2 stripes from 'conv_0' to 'pool_0'
// CHECK: operators added: {{.*}}CONCATENATION x1
// CHECK-NEXT: a MicroMutableOpResolver needs them: {{.*}}resolver.AddSlice();

// The same for programs, without the parts that were not measured.
// JSON: "schema": "tinymo-report/1"
// JSON: "before": {
// JSON-NEXT: "live_peak": 5880,
// JSON: "after": {
// JSON: "live_peak_copies": {{3[0-9]+}},
// JSON: "tflm": {
// JSON-NEXT: "measured": false,
// JSON: "cost": {
// JSON-NEXT: "extra_macs": 0,
// JSON: "name": "split-sepconv",
// JSON-NEXT: "applied": true,
// JSON-NOT: "verify"

// The figures are those of the file that is written.
// MEMORY: memory of @main: live peak 3,{{[0-9]+}} bytes

// There is nothing left to gain in it: it is written as it is.
// SAME: nothing was changed: the file is the original, byte for byte

// A budget that cannot be kept is an error that says what can be had, and nothing is written.
// BUDGET: tinymo: error: {{.*}}: the live peak does not come down to 1,024 bytes (1.0 KiB); the least within 10 %
