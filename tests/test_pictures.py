from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

from roomread.errors import SourceError
from roomread.pictures import is_picture, read_picture, scaled_planes


def test_a_picture_is_rgb_whatever_its_mode(tmp_path: Path) -> None:
    for mode in ("L", "RGB", "RGBA", "P", "1"):
        Pictures.new(mode, (4, 3)).save(tmp_path / "p.png")
        assert read_picture(tmp_path / "p.png").shape == (3, 4, 3)


def test_sixteen_bits_are_read_by_their_upper_half_and_what_has_no_range_is_refused(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 200).astype(np.uint16).reshape(10, 20)
    for name in ("p.png", "p.tif"):
        Pictures.fromarray(ramp).save(tmp_path / name)
        assert np.array_equal(read_picture(tmp_path / name)[..., 0], ramp >> 8)
    for kind in (np.int32, np.float32):
        Pictures.fromarray(np.ones((10, 20), kind)).save(tmp_path / "q.tif")
        with pytest.raises(SourceError, match="no known range"):
            read_picture(tmp_path / "q.tif")


def test_a_picture_is_turned_upright_as_its_camera_noted(tmp_path: Path) -> None:
    picture = Pictures.fromarray(np.zeros((30, 40, 3), np.uint8))
    exif = picture.getexif()
    exif[0x0112] = 6  # turned by a quarter
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").shape == (40, 30, 3)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"], ids=["empty", "text", "cut off"])
def test_what_is_no_picture_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(SourceError, match=r"The picture .*a\.png cannot be read"):
        read_picture(tmp_path / "a.png")


def test_the_ending_says_what_is_a_picture(tmp_path: Path) -> None:
    for name in ("a.jpg", ".b.jpg", "c.mp4", "d.mpg"):
        (tmp_path / name).touch()
    assert [is_picture(tmp_path / name) for name in ("a.jpg", ".b.jpg", "c.mp4", "d.mpg", "absent.jpg")] == [
        True, *[False] * 4,
    ]  # fmt: skip


@pytest.mark.parametrize("size", [(64, 36), (129, 77), (33, 21), (1, 1)], ids=["half", "as it is", "odd", "a point"])
def test_scaled_planes_are_the_picture_as_pillow_would_scale_it(size: tuple[int, int]) -> None:
    y, x = np.indices((77, 129))
    image = np.stack([x, 3 * y, 255 - x], axis=2).astype(np.uint8)
    planes = scaled_planes(image[:, ::-1], size)
    expected = np.asarray(Pictures.fromarray(image[:, ::-1]).resize(size, Pictures.Resampling.BILINEAR))
    assert planes.shape == (3, size[1], size[0])
    np.testing.assert_allclose(planes.transpose(1, 2, 0).astype(int), expected, atol=2)
