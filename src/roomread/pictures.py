"""The one way to read a picture file: colours, rotation, and what is refused."""

from __future__ import annotations

import io
import math
from pathlib import Path

import av
import numpy as np
from PIL import Image as Pictures
from PIL import ImageOps, UnidentifiedImageError

from roomread.errors import SourceError
from roomread.outside import check_ordinary
from roomread.types import Array, Image

# What cameras and data sets write, JPEG with several pictures (MPO) among it. Pillow knows more: one form starts
# another program (EPS), some are no pictures (.mpg, .pdf, .h5), and 8 KB of JPEG 2000 took 15 s and 1.5 GB.
FORMS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
MOST_PIXELS = 52_000_000  # cameras take 50 million; reading so many holds 500 to 950 MB, the most for WebP
REFUSED = (  # all that Pillow raises of a damaged or hostile file
    UnidentifiedImageError, OSError, ValueError, SyntaxError, RuntimeError, EOFError,
    Pictures.DecompressionBombError, Pictures.DecompressionBombWarning,
)  # fmt: skip


def is_picture(path: Path) -> bool:
    """Tell by its ending whether a file is a picture; files that start with a dot are none."""
    form = Pictures.registered_extensions().get(path.suffix.lower())
    return form in (*FORMS, "MPO") and not path.name.startswith(".") and path.is_file()


def read_picture(path: Path) -> Image:
    """Return a picture as uint8 (height, width, 3), RGB, turned upright as its camera noted.

    Raises:
        SourceError: the file cannot be read as a picture.
    """
    try:
        return pixels_of(path, "RGB")
    except REFUSED as error:
        reason = "it is no picture" if isinstance(error, UnidentifiedImageError) else _words(error)
        raise SourceError(f"The picture {path} cannot be read: {reason}.") from error


def pixels_of(source: Path | bytes, mode: str, forms: tuple[str, ...] = FORMS) -> Array:
    """Return a picture's pixels, upright: uint8 (height, width, 3) in the mode "RGB", (height, width) in "L", gray.

    Args:
        source: the file's path, or what stands in it.
        mode: Pillow's name of the colours.
        forms: Pillow's names of the forms that are read.

    Raises:
        Exception: one of REFUSED.
    """
    if isinstance(source, Path):
        check_ordinary(source)
    with Pictures.open(source if isinstance(source, Path) else io.BytesIO(source), formats=forms) as opened:
        picture: Pictures.Image = opened
        if math.prod(picture.size) > MOST_PIXELS:
            raise ValueError(f"it has {picture.width} x {picture.height} pixels, more than {MOST_PIXELS} in all")
        ImageOps.exif_transpose(picture, in_place=True)
        if picture.mode.startswith("I;16"):  # Pillow would take every level above 255 for white
            picture = Pictures.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
        elif picture.mode in ("I", "F"):
            raise ValueError("its gray levels have no known range: expected are 8 or 16 bits")
        return np.asarray(picture if picture.mode == mode else picture.convert(mode))  # each copy takes time and room


def _words(error: Exception) -> str:
    """Return what an error says, without the path that its message repeats."""
    return getattr(error, "strerror", None) or str(error)


def scaled_planes(image: Image, size: tuple[int, int]) -> Array:
    """Return a picture's three colours apart, reduced or enlarged: uint8 (3, height, width), red, green, blue.

    FFmpeg does it in a third of Pillow's time; the results differ by one gray level at most.

    Args:
        image: uint8 (height, width, 3), RGB.
        size: pixels, (width, height).
    """
    width, height = size
    whole = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
    frame = whole.reformat(width, height, "gbrp", interpolation="BILINEAR")
    green, blue, red = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size) for plane in frame.planes
    )
    return np.stack([plane[:height, :width] for plane in (red, green, blue)])
