"""Every image of the shared data, frame by frame, beside pydicom's own decoding."""

import struct
import subprocess
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1

from radiology.errors import NotSupported, Unprocessable
from radiology.pixels.decode import Layout, decode, without_unused_bits

NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
MOST_FRAMES = 4
BY_DCMTK = (JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1)
LOSSY_JPEG = (JPEGBaseline8Bit, JPEGExtended12Bit)
#: Files that are broken on purpose, or that pydicom refuses or reads otherwise, each for the reason given.
REFUSED = {
    "JPEG2000-embedded-sequence-delimiter.dcm",  # its codestream is not one
    "MR_truncated.dcm",  # its pixel data ends early
    "video_mpeg4_avc.dcm",
}
ALONE = {
    "badVR.dcm",  # Number of Frames is no number
    "liver_deflate.dcm",
    "liver_nonbyte_aligned_deflate.dcm",
    "liver_nonbyte_aligned_rle.dcm",
    "liver_rle.dcm",
}


def images(folder: Path):
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix in {".md", ".json", ".hl7", ".xml", ".html", ".txt", ".dump", ".wl"}:
            continue
        try:
            ds = pydicom.dcmread(path)
        except Exception:  # noqa: S112 - what is no DICOM is no image.
            continue
        if {"PixelData", "Rows", "Columns", "BitsAllocated"} <= set(ds.dir()) and ds.file_meta.get("TransferSyntaxUID"):
            yield path, ds


def count_of(ds):
    try:
        return int(ds.get("NumberOfFrames") or 1)
    except ValueError:
        return 1


def layout_of(ds):
    return Layout(
        ds.Rows,
        ds.Columns,
        ds.get("SamplesPerPixel", 1),
        ds.get("PhotometricInterpretation", "MONOCHROME2"),
        ds.BitsAllocated,
        ds.get("BitsStored", ds.BitsAllocated),
        ds.get("HighBit", ds.BitsAllocated - 1),
        ds.get("PixelRepresentation", 0) == 1,
        ds.get("PlanarConfiguration", 0),
    )


def frame_bytes(ds, layout, index):
    if ds.file_meta.TransferSyntaxUID not in NATIVE:
        return get_frame(ds.PixelData, index, number_of_frames=count_of(ds))
    data = ds.PixelData
    if ds.file_meta.TransferSyntaxUID == NATIVE[3] and ds["PixelData"].VR == "OW":
        width = max(layout.bits_allocated // 8, 2)
        data = np.frombuffer(data, f">u{min(width, 2)}").astype("<u2").tobytes()
        if layout.bits_allocated == 32:
            data = np.frombuffer(ds.PixelData, ">u4").astype("<u4").tobytes()
    bits = layout.rows * layout.columns * layout.bits_allocated
    if layout.bits_allocated == 1:
        unpacked = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[index * bits : (index + 1) * bits]
        return np.packbits(unpacked, bitorder="little").tobytes()
    return data[index * layout.frame_bytes : (index + 1) * layout.frame_bytes]


def by_dcmtk(path, folder):
    """What DCMTK makes of a file that pydicom cannot decode: 12-bit and lossless JPEG."""
    target = folder / "decoded.dcm"
    subprocess.run(["dcmdjpeg", "--conv-never", path, target], check=True, capture_output=True)
    ds = pydicom.dcmread(target)
    return ds.pixel_array, {"photometric_interpretation": ds.PhotometricInterpretation}


def by_another(path, ds, index, folder):
    syntax = UID(ds.file_meta.TransferSyntaxUID)
    if syntax in BY_DCMTK:
        return by_dcmtk(path, folder)
    return get_decoder(syntax).as_array(ds, index=index, as_rgb=True)


def tolerance(ds):
    """Decoders of lossy streams, and of colour, may round differently (ISO/IEC 10918-2)."""
    syntax = UID(ds.file_meta.TransferSyntaxUID)
    return 0 if "YBR" not in ds.PhotometricInterpretation and syntax not in LOSSY_JPEG else 1


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_image_of_the_shared_data(shared_data, tmp_path):
    same, wrong, refused, alone = Counter(), [], set(), set()
    for path, ds in images(shared_data):
        layout, syntax = layout_of(ds), str(ds.file_meta.TransferSyntaxUID)
        for index in range(min(count_of(ds), MOST_FRAMES)):
            name = str(path.relative_to(shared_data))
            try:
                frame = decode(frame_bytes(ds, layout, index), layout, syntax)
            except (NotSupported, Unprocessable):
                refused.add(path.name)
                break
            try:
                theirs, meaning = by_another(path, ds, index, tmp_path)
            except Exception:
                alone.add(path.name)
                continue
            ours = without_unused_bits(frame, layout)
            assert frame.photometric_interpretation == meaning["photometric_interpretation"], name
            assert ours.shape == theirs.shape, name
            # A lossy value may run over Bits Stored: we keep it, others cut it off.
            fits = ours < 1 << layout.bits_stored
            difference = np.abs(ours.astype(np.int64) - theirs.astype(np.int64))[fits].max()
            (same.update([syntax]) if difference <= tolerance(ds) else wrong.append((name, index, difference)))
    assert wrong == []
    assert refused == REFUSED
    assert alone == ALONE
    assert same.total() >= 460
    assert len(same) >= 14


def test_what_is_no_frame_says_why():
    layout = Layout(4, 4)
    with pytest.raises(Unprocessable, match="needs 32 bytes, and there are 3"):
        decode(b"abc", layout, NATIVE[1])
    with pytest.raises(Unprocessable, match="does not begin as a codestream"):
        decode(b"garbage" * 9, layout, "1.2.840.10008.1.2.4.90")
    with pytest.raises(NotSupported, match="too large"):
        decode(b"", Layout(65535, 65535), NATIVE[1])
    with pytest.raises(Unprocessable, match="Bits Allocated"):
        decode(b"", Layout(4, 4, bits_allocated=7), NATIVE[1])
    with pytest.raises(NotSupported, match="MPEG2"):
        decode(b"", layout, "1.2.840.10008.1.2.4.100")


def test_a_codestream_of_another_size_is_refused_before_it_is_decoded():
    """The head is believed by the decoder: 60,000 x 60,000 pixels would be 3.6 GB."""
    head = b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 11, 8, 60000, 60000, 1) + b"\x01\x11\x00\xff\xd9"
    with pytest.raises(Unprocessable, match="60000 x 60000 pixels, the attributes say 4 x 4"):
        decode(head, Layout(4, 4, bits_allocated=8, bits_stored=8, high_bit=7), "1.2.840.10008.1.2.4.50")


def test_a_jpeg_ls_stream_that_is_cut_off_is_refused_at_once(shared_data):
    ds = pydicom.dcmread(shared_data / "dicom/pydicom-data/JLSL_RGB_ILV1.dcm", force=True)
    data = get_frame(ds.PixelData, 0, number_of_frames=1)[:2859]
    began = time.monotonic()
    with pytest.raises(Unprocessable):
        decode(data, layout_of(ds), "1.2.840.10008.1.2.4.80")
    assert time.monotonic() - began < 1


def test_bits_beside_the_value_are_no_part_of_it():
    layout = Layout(1, 2, bits_stored=12, high_bit=11, is_signed=True)
    frame = decode(np.array([0x8FFF, 0x7001], "<u2").tobytes(), layout, NATIVE[1])
    assert without_unused_bits(frame, layout).tolist() == [[-1, 1]]
    high = Layout(1, 1, bits_stored=12, high_bit=15)
    frame = decode(np.array([0xABCF], "<u2").tobytes(), high, NATIVE[1])
    assert without_unused_bits(frame, high).tolist() == [[0xABC]]
