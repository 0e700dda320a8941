func.func @main(%image: tensor<1x4x4x2xi8> {tinymo.tensor = {name = "image"}}) -> tensor<1x2x2x2xi8> {
  %relu = tosa.clamp %image {max_val = 127 : i8, min_val = 0 : i8, tinymo.tensor = {name = "relu"}} : (tensor<1x4x4x2xi8>) -> tensor<1x4x4x2xi8>
  %pool = tosa.max_pool2d %relu {kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>, tinymo.tensor = {name = "pool"}} : (tensor<1x4x4x2xi8>) -> tensor<1x2x2x2xi8>
  return %pool : tensor<1x2x2x2xi8>
}
