func.func @main(%x: tensor<1x64xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x64xi8> {
  %handle = tinymo.spill %x {memory = ""} : tensor<1x64xi8> -> !tinymo.spilled<tensor<1x64xi8>>
  %y = tinymo.reload %handle {tinymo.tensor = {name = "y"}} : !tinymo.spilled<tensor<1x64xi8>> -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}
