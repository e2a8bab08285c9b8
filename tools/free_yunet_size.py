"""Write YuNet with a free input size, so that ONNX Runtime accepts a frame of any multiple of 32.

    python tools/free_yunet_size.py face_detection_yunet_2023mar.onnx src/roomread/weights/yunet.onnx

The published file declares 640 x 640. Only the declared sizes of input and outputs change: no weight and no operation.
Needs the package `onnx`.
"""

import sys

import onnx


def free(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with free height and width."""
    sides = model.graph.input[0].type.tensor_type.shape.dim
    sides[2].dim_param, sides[3].dim_param = "height", "width"
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"n_{output.name}"
    del model.graph.value_info[:]  # sizes inside the network, worked out for 640 x 640
    return model


if __name__ == "__main__":
    onnx.save(free(onnx.load(sys.argv[1])), sys.argv[2])
