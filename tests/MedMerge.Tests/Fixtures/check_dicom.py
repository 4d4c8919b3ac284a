"""check_dicom.py FOLDER: writes DICOM files with pydicom, and what pydicom reads of them, for DicomTests.

FOLDER gets NAME.dcm for each image and NAME.bytes with its pixels (uint8, row-major): the values that pydicom reads, rescaled and shown
through the window by the formula of DICOM PS3.3, C.11.2.1.2.
"""
import io
import os
import sys

import numpy
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixel_data_handlers.util import apply_modality_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless, generate_uid

folder = sys.argv[1]
random = numpy.random.default_rng(7)
ROWS, COLUMNS = 37, 52


def smooth(channels, top):
    rows, columns = numpy.mgrid[0:ROWS, 0:COLUMNS]
    waves = [0.5 + 0.4 * numpy.sin(rows / (5 + i) + columns / (9 - i)) + random.normal(0, 0.02, (ROWS, COLUMNS)) for i in range(channels)]
    return (numpy.clip(numpy.stack(waves, -1), 0, 1) * top).round().squeeze()


def create(pixels, photometric, stored, syntax=ExplicitVRLittleEndian, **others):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    image = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    image.is_little_endian, image.is_implicit_VR = True, syntax == ImplicitVRLittleEndian
    image.SOPClassUID, image.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    image.PatientName = "Nobody"
    inner, outer = Dataset(), Dataset()
    inner.CodeValue = "1"
    outer.ConceptNameCodeSequence = Sequence([inner])
    image.ProcedureCodeSequence = Sequence([outer, outer])
    for sequence in (image["ProcedureCodeSequence"], outer["ConceptNameCodeSequence"]):
        sequence.is_undefined_length = True
    for item in (inner, outer):
        item.is_undefined_length_sequence_item = True
    image.Rows, image.Columns = ROWS, COLUMNS
    image.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    image.PhotometricInterpretation = photometric
    if pixels.ndim == 3:
        image.PlanarConfiguration = 0
    image.BitsAllocated = pixels.dtype.itemsize * 8
    image.BitsStored, image.HighBit = stored, stored - 1
    image.PixelRepresentation = int(pixels.dtype.kind == "i")
    for name, value in others.items():
        setattr(image, name, value)
    image.PixelData = pixels.tobytes()
    image["PixelData"].VR = "OW" if pixels.dtype.itemsize == 2 else "OB"
    return image


def show(image):
    pixels = image.pixel_array
    if image.SamplesPerPixel == 3:
        return pixels
    values = numpy.asarray(apply_modality_lut(pixels, image), dtype=numpy.float64)
    if "WindowWidth" in image:
        centre = image.WindowCenter if not isinstance(image.WindowCenter, pydicom.multival.MultiValue) else image.WindowCenter[0]
        width = image.WindowWidth if not isinstance(image.WindowWidth, pydicom.multival.MultiValue) else image.WindowWidth[0]
        share = (values - (float(centre) - 0.5)) / (float(width) - 1) + 0.5
    elif image.BitsStored == 8:
        share = values / 255
    else:
        ordered = numpy.sort(values.ravel())
        low = ordered[int(numpy.floor(0.005 * (ordered.size - 1)))]
        high = ordered[int(numpy.ceil(0.995 * (ordered.size - 1)))]
        share = (values - low) / (high - low)
    shown = numpy.floor(numpy.clip(share, 0, 1) * 255 + 0.5)
    return 255 - shown if image.PhotometricInterpretation == "MONOCHROME1" else shown


def save(name, image, expected=None):
    path = os.path.join(folder, name + ".dcm")
    image.save_as(path, write_like_original=False)
    shown = show(pydicom.dcmread(path)) if expected is None else expected
    with open(os.path.join(folder, name + ".bytes"), "wb") as file:
        file.write(numpy.asarray(shown).astype(numpy.uint8).tobytes())


def jpeg(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95, subsampling=0)
    return encapsulate([file.getvalue()])


deep = smooth(1, 4095).astype(numpy.uint16)
tissue = (smooth(1, 3000) - 1024).astype(numpy.int16)
grey, rgb = smooth(1, 255).astype(numpy.uint8), smooth(3, 255).astype(numpy.uint8)
window = {"WindowCenter": 2000, "WindowWidth": 1500}

save("explicit_12_window", create(deep, "MONOCHROME2", 12, **window))
save("implicit_12_window", create(deep, "MONOCHROME2", 12, ImplicitVRLittleEndian, **window))
save("two_windows", create(deep, "MONOCHROME2", 12, WindowCenter=[1000, 40], WindowWidth=[800.5, 80]))
save("signed_rescaled", create(tissue, "MONOCHROME2", 16, RescaleSlope="1.5", RescaleIntercept="-20", WindowCenter=300, WindowWidth=900))
save("percentiles", create(deep, "MONOCHROME2", 12))
save("signed_percentiles_inverted", create(tissue, "MONOCHROME1", 16, ImplicitVRLittleEndian))
save("signed_12", create((tissue // 2).astype(numpy.int16), "MONOCHROME2", 12, WindowCenter=100, WindowWidth=700))
save("signed_8", create((smooth(1, 250) - 120).astype(numpy.int8), "MONOCHROME2", 8, WindowCenter=10, WindowWidth=150))
save("inverted_window", create(deep, "MONOCHROME1", 12, **window))
save("falling_percentiles", create(deep, "MONOCHROME2", 12, RescaleSlope="-0.5", RescaleIntercept="1000"))
save("grey_8", create(grey, "MONOCHROME2", 8))
save("grey_8_inverted", create(grey, "MONOCHROME1", 8, ImplicitVRLittleEndian))
save("rgb", create(rgb, "RGB", 8))
planes = create(rgb, "RGB", 8)
planes.PlanarConfiguration = 1
planes.PixelData = rgb.transpose(2, 0, 1).tobytes()
save("rgb_planes", planes)
for name, image in (("rle_12", create(deep, "MONOCHROME2", 12, **window)), ("rle_8", create(grey, "MONOCHROME2", 8)), ("rle_rgb", create(rgb, "RGB", 8))):
    image.compress(RLELossless)
    save(name, image)
for name, pixels, photometric in (("jpeg_grey", grey, "MONOCHROME2"), ("jpeg_rgb", rgb, "YBR_FULL")):
    image = create(pixels, photometric, 8, JPEGBaseline8Bit)
    image.PixelData = jpeg(pixels)
    image["PixelData"].is_undefined_length = True
    decoded = io.BytesIO()
    Image.fromarray(pixels).save(decoded, "JPEG", quality=95, subsampling=0)
    save(name, image, numpy.asarray(Image.open(decoded)))

several = create(numpy.stack([grey, grey]).reshape(2 * ROWS, COLUMNS), "MONOCHROME2", 8)
several.Rows, several.NumberOfFrames = ROWS, 2
several.save_as(os.path.join(folder, "frames.refused"), write_like_original=False)
wavelets = create(grey, "MONOCHROME2", 8, JPEG2000Lossless)
wavelets.PixelData = encapsulate([b"\0" * 100])
wavelets["PixelData"].is_undefined_length = True
wavelets.save_as(os.path.join(folder, "jpeg2000.refused"), write_like_original=False)
