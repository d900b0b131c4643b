"""PNG files of drawn figures: eight bits a colour, no transparency, each row less the one above it.

In a figure that difference is zero nearly everywhere, so that zlib's quickest way makes small files of it.
"""

import struct
import zlib

import numpy as np

_HEAD = b"\x89PNG\r\n\x1a\n"
_INCHES_PER_METRE = 1.0 / 0.0254
#: Bits a colour; red, green and blue; how it is packed, filtered and ordered.
_KIND = (8, 2, 0, 0, 0)
#: A row's filter: less the row above.
_UP = 2


def png(pixels: np.ndarray, dots_per_inch: float) -> bytes:
    """The file of pixels (height, width, 3 or more) of bytes, of which the first three are the colour."""
    height, width = pixels.shape[:2]
    rows = pixels[:, :, :3].reshape(height, -1)
    filtered = np.full((height, 1 + rows.shape[1]), _UP, np.uint8)
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    dots = round(dots_per_inch * _INCHES_PER_METRE)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, *_KIND)),
        (b"pHYs", struct.pack(">IIB", dots, dots, 1)),
        (b"IDAT", zlib.compress(filtered.tobytes(), 1)),
        (b"IEND", b""),
    )
    return _HEAD + b"".join(_part(name, content) for name, content in parts)


def _part(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(content, zlib.crc32(name))
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)
