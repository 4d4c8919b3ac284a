"""check_images.py FOLDER: writes images with Pillow, and what Pillow reads and resizes, for ImageDecoderTests and ImageResamplerTests.

FOLDER gets NAME.EXTENSION for each image and NAME.bytes with its pixels (uint8, row-major) as Pillow decodes them; and resized.txt with a
line for each resizing: source width and height, width, height, and the result's bytes in hexadecimal; source.bytes is what is resized,
and source_grey.bytes the same in grey.
"""
import os
import struct
import sys
import zlib

import numpy
from PIL import Image, ImageOps

folder = sys.argv[1]
random = numpy.random.default_rng(3)


def smooth(height, width, channels):
    rows, columns = numpy.mgrid[0:height, 0:width]
    waves = [128 + 100 * numpy.sin(rows / (5 + i) + columns / (9 - i)) + random.normal(0, 4, (height, width)) for i in range(channels)]
    return numpy.clip(numpy.stack(waves, -1), 0, 255).astype(numpy.uint8).squeeze()


def save(name, image, expected=None, **options):
    image.save(os.path.join(folder, name), **options)
    if expected is None:
        expected = numpy.asarray(Image.open(os.path.join(folder, name)))
    with open(os.path.join(folder, name.split(".")[0] + ".bytes"), "wb") as file:
        file.write(expected.astype(numpy.uint8).tobytes())


def save_deep_colours(name, pixels):
    """16 bits a colour, which Pillow does not write."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in pixels)

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    with open(os.path.join(folder, name), "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    with open(os.path.join(folder, name.split(".")[0] + ".bytes"), "wb") as file:
        file.write(pixels.tobytes())


grey, rgb = Image.fromarray(smooth(37, 53, 1)), Image.fromarray(smooth(37, 53, 3))
for extension in ("png", "tif", "bmp"):
    save(f"grey_{extension}.{extension}", grey)
    save(f"rgb_{extension}.{extension}", rgb)
save("rgb_webp.webp", rgb, lossless=True)
save("lossy.webp", rgb, quality=80)
save("lzw.tif", rgb, compression="tiff_lzw")
save("deflate.tif", grey, compression="tiff_adobe_deflate")
save("pages.tif", grey, save_all=True, append_images=[rgb.resize((9, 9))])
save("palette.png", rgb.quantize(32), numpy.asarray(rgb.quantize(32).convert("RGB")))
save("alpha.png", rgb.convert("RGBA"), numpy.asarray(rgb))
save("equal.png", grey.convert("RGB"), numpy.asarray(grey))
save("bits.png", grey.convert("1"), numpy.asarray(grey.convert("1").convert("L")))
deep = (numpy.asarray(grey).astype(numpy.uint16) * 257)
save("deep.png", Image.fromarray(deep), numpy.asarray(grey))
save("deep.tif", Image.fromarray(deep), numpy.asarray(grey))
save_deep_colours("deep_colours.png", numpy.asarray(rgb))
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    grey.save(os.path.join(folder, f"turned{orientation}.jpg"), quality=95, exif=exif)
    turned = ImageOps.exif_transpose(Image.open(os.path.join(folder, f"turned{orientation}.jpg")))
    save(f"turned{orientation}.jpg", grey, numpy.asarray(turned), quality=95, exif=exif)
save("rgb_jpeg.jpg", rgb, quality=90, subsampling=0)
save("narrow_jpeg.jpg", rgb, quality=90, subsampling=1)
save("halved_jpeg.jpg", rgb, quality=90, subsampling=2)
save("progressive.jpg", grey, quality=90, progressive=True)

noise = random.integers(0, 256, (61, 47, 3), dtype=numpy.uint8)
with open(os.path.join(folder, "source.bytes"), "wb") as file:
    file.write(noise.tobytes())
with open(os.path.join(folder, "source_grey.bytes"), "wb") as file:
    file.write(numpy.asarray(Image.fromarray(noise).convert("L")).tobytes())
with open(os.path.join(folder, "resized.txt"), "w", encoding="ascii") as file:
    for width, height in ((28, 28), (64, 64), (47, 30), (20, 61), (224, 224), (8, 100), (1, 1), (46, 60), (48, 62)):
        step = Image.fromarray(noise)
        step = step.resize((width, 61), Image.Resampling.BOX if width < 47 else Image.Resampling.BILINEAR)
        step = step.resize((width, height), Image.Resampling.BOX if height < 61 else Image.Resampling.BILINEAR)
        file.write(f"{width} {height} {numpy.asarray(step).tobytes().hex()}\n")
