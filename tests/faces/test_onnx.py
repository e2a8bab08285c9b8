"""What a network runs on."""

import dataclasses

import onnxruntime
import pytest

from roomread.errors import ModelError
from roomread.faces.onnx import Runtime, open_network
from roomread.modelcard import DETECTOR, PUBLISHED_INT8, read_card, sha256_of, write_card


@pytest.mark.parametrize("values", [{"threads": 0}, {"device": "tpu"}], ids=["no thread", "an unknown device"])
def test_a_runtime_out_of_range_is_refused(values):
    with pytest.raises(ValueError, match="Received"):
        Runtime(**values)


def test_a_device_that_onnx_runtime_lacks_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ModelError, match="onnxruntime-gpu installed in place of onnxruntime"):
        open_network(DETECTOR, "face detection", Runtime(device="cuda"))


def test_a_device_whose_libraries_do_not_load_is_refused_and_not_silently_replaced(monkeypatch):
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: both)
    monkeypatch.setattr(onnxruntime.InferenceSession, "get_providers", lambda _: ["CPUExecutionProvider"])
    with pytest.warns(UserWarning, match="CUDA"), pytest.raises(ModelError, match="its driver or its libraries"):
        open_network(DETECTOR, "face detection", Runtime(device="cuda"))


def test_a_damaged_network_is_refused_and_nothing_is_printed(tmp_path, capfd):
    path = tmp_path / "a.onnx"
    path.write_bytes(PUBLISHED_INT8.read_bytes().replace(b"Softmax", b"Softm\xe1x"))  # its message repeats the name
    write_card(dataclasses.replace(read_card(PUBLISHED_INT8, "expression"), sha256=sha256_of(path)), path)
    with pytest.raises(ModelError, match="no readable ONNX file"):
        open_network(path, "expression")
    assert capfd.readouterr().out == ""
