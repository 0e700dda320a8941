// RUN: tinymo-opt --verify-semantics --spill-long-skips=memory=flash/slow %s | filecheck %s --check-prefix=BOTH
// RUN: tinymo-opt --verify-semantics --spill-long-skips=min-gap=5 %s | filecheck %s --check-prefix=BIG
// RUN: tinymo-opt --spill-long-skips=min-gap=6 %s | filecheck %s --check-prefix=NONE
// RUN: tinymo-opt --spill-long-skips=ram=576 %s | filecheck %s --check-prefix=NONE
// RUN: tinymo-opt --spill-long-skips=ram=1K %s | filecheck %s --check-prefix=NONE
// RUN: tinymo-opt --verify-semantics --spill-long-skips=ram=516 %s | filecheck %s --check-prefix=SMALL
// RUN: tinymo-opt --verify-semantics --spill-long-skips=ram=515 %s | filecheck %s --check-prefix=BIG
// RUN: tinymo-opt --verify-semantics -p "spill-long-skips{ram=452}" %s | filecheck %s --check-prefix=BIG
// RUN: tinymo-opt --spill-long-skips=ram=451,memory=flash/slow %s | filecheck %s --check-prefix=BOTH
// RUN: tinymo-opt --spill-long-skips=ram=1,memory=flash/slow %s | filecheck %s --check-prefix=BOTH
// RUN: not tinymo-opt --spill-long-skips=ram=64Q %s 2>&1 | filecheck %s --check-prefix=SIZE
// RUN: not tinymo-opt --spill-long-skips=gap=4 %s 2>&1 | filecheck %s --check-prefix=OPTION

// Two tensors rest, one of 64 bytes for 4 kernels, one of 128 bytes for 5. With both the peak is 576 bytes. Without the
// one it is 516, without the other 452, without both 392: tokens of 4 bytes stay. A memory may have any name.
// BOTH: tinymo.spill %small {memory = "flash/slow"}
// BOTH-NEXT: tinymo.spill %big {memory = "flash/slow"}

// The rest has to be long enough. With a limit only what brings the peak down to it is spilled, and of what does, the
// fewest bytes; a limit that cannot be kept is missed by as little as possible, and one that is kept costs nothing.
// BIG-NOT: tinymo.spill %small
// BIG: tinymo.spill %big {memory = "psram"}
// SMALL: tinymo.spill %small {memory = "psram"}
// SMALL-NOT: tinymo.spill %big
// NONE: func.func @main
// NONE-NOT: tinymo

// SIZE: tinymo-opt: error: pass 'spill-long-skips': '64Q' is no size; write 65536, 64K, 64KiB, 1M or 0x10000
// OPTION: tinymo-opt: error: pass 'spill-long-skips' has no option 'gap'; did you mean 'min-gap'?
func.func @main(%x: tensor<1x64xi8>) -> tensor<2x64xi8> {
  %big = tosa.concat %x, %x {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %small = tosa.bitwise_not %x : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %wide = tosa.concat %small, %big {axis = 0 : i32} : (tensor<1x64xi8>, tensor<2x64xi8>) -> tensor<3x64xi8>
  %a = tosa.bitwise_not %wide : (tensor<3x64xi8>) -> tensor<3x64xi8>
  %b = tosa.bitwise_not %a : (tensor<3x64xi8>) -> tensor<3x64xi8>
  %c = tosa.bitwise_not %b : (tensor<3x64xi8>) -> tensor<3x64xi8>
  %narrow = tosa.reduce_max %c {axis = 0 : i32} : (tensor<3x64xi8>) -> tensor<1x64xi8>
  %d = tosa.maximum %narrow, %small : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %y = tosa.minimum %big, %d : (tensor<2x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  return %y : tensor<2x64xi8>
}
