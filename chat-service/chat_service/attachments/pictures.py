"""Reading a picture and making its small twin. Runs in a thread: decoding takes milliseconds of one core."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from chat_service.attachments.rules import MOST_PIXELS, THUMBNAIL_PIXELS

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


class PictureBroken(Exception):
    """The bytes are no picture, end too early, or would unfold into too many pixels."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Size in pixels, as shown upright, and a thumbnail as WebP without metadata (no place, no camera)."""

    width: int
    height: int
    thumbnail: bytes


def examine(data: bytes) -> Picture:
    """Decode the whole picture. Raises PictureBroken."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise PictureBroken("too many pixels")
                opened.load()
                upright = ImageOps.exif_transpose(opened)
                width, height = upright.size
                small = upright.convert("RGBA" if "A" in upright.getbands() else "RGB")
                small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
                out = io.BytesIO()
                small.save(out, "WEBP", quality=80)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureBroken(type(error).__name__) from error
    return Picture(width, height, out.getvalue())
