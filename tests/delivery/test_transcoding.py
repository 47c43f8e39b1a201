"""Real compressed files through the sending engine to a receiver that takes only uncompressed syntaxes."""

import subprocess
import warnings
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import build_role, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet

import make
from node import running_node
from radiology.access.model import SYSTEM
from radiology.delivery.sending import send
from radiology.studies.queries.retrieve import Target, instances_of
from requestor import requestor
from storage_peers import receiver

NEMA, PYDICOM = "dicom/nema-wg04", "dicom/pydicom"
#: What decodes a file independently of us: a tool of DCMTK.
LOSSLESS = {
    f"{NEMA}/XA1_JPLL": "dcmdjpeg",
    f"{NEMA}/CT2_JPLL": "dcmdjpeg",
    f"{NEMA}/US1_RLE": "dcmdrle",
    f"{NEMA}/NM1_RLE": "dcmdrle",
    f"{NEMA}/CT2_RLE": "dcmdrle",
    f"{NEMA}/NM1_JLSL": "dcmdjpls",
    f"{NEMA}/MR3_JLSL": "dcmdjpls",
    f"{PYDICOM}/SC_rgb_jpeg_gdcm.dcm": "dcmdjpeg",
    f"{PYDICOM}/SC_rgb_rle_16bit_2frame.dcm": "dcmdrle",
    f"{PYDICOM}/rtdose_rle.dcm": "dcmdrle",
}
LOSSY = {
    f"{NEMA}/XA1_JPLY": "dcmdjpeg",
    f"{NEMA}/RG3_JPLY": "dcmdjpeg",
    f"{PYDICOM}/SC_rgb_jpeg_dcmtk.dcm": "dcmdjpeg",
}
GET = StudyRootQueryRetrieveInformationModelGet
UNCOMPRESSED = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


@pytest.fixture
def node(settings):
    with running_node(settings) as running:
        yield running


def sent_to(node, file, syntaxes):
    """What a receiver of these syntaxes is sent of one file, and what the engine says of it."""
    stored = node.wait(make.store(node.app, file))
    told, received = [], []

    def on_store(event):
        ds = event.dataset
        ds.file_meta = event.file_meta
        received.append(ds)
        return 0x0000

    async def instances():
        async with node.app.db.transaction() as tx:
            return await instances_of(tx, Target(stored.study_instance_uid), visible_to=SYSTEM)

    sop_class = stored.objects[0].SOPClassUID
    with receiver(node, on_store, classes=[sop_class], syntaxes=syntaxes) as entity:
        send(
            node.archive,
            entity,
            node.wait(instances()),
            on_sent=lambda _instance, sent: told.append(sent),
            is_stopped=lambda: False,
        )
    return received[0] if received else None, told[0]


def decoded_by(tool, source, folder):
    target = folder / "decoded.dcm"
    options = ["--conv-never"] if tool == "dcmdjpeg" else []
    subprocess.run([tool, *options, source, target], check=True, capture_output=True)
    return pydicom.dcmread(target)


@pytest.mark.parametrize(
    ("name", "syntax"),
    [*((name, ExplicitVRLittleEndian) for name in LOSSLESS), (f"{NEMA}/CT2_RLE", ImplicitVRLittleEndian)],
)
def test_lossless_objects_keep_every_value(node, shared_data, tmp_path, name, syntax):
    source = shared_data / name
    received, told = sent_to(node, source.read_bytes(), [syntax])
    assert told.is_success, told
    expected = decoded_by(LOSSLESS[name], source, tmp_path)
    assert received.file_meta.TransferSyntaxUID == syntax
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.array_equal(received.pixel_array, expected.pixel_array)
    assert received.get("LossyImageCompression") == expected.get("LossyImageCompression")
    assert received.SOPInstanceUID == expected.SOPInstanceUID


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_objects_go_on_saying_so(node, shared_data, tmp_path, name):
    source = shared_data / name
    received, told = sent_to(node, source.read_bytes(), UNCOMPRESSED)
    assert told.is_success, told
    assert received.LossyImageCompression == "01"
    assert received.LossyImageCompressionMethod == "ISO_10918_1"
    assert received.LossyImageCompressionRatio
    before = pydicom.dcmread(source)
    if before.get("LossyImageCompressionRatio"):
        assert received.LossyImageCompressionRatio == before.LossyImageCompressionRatio
    if received.SamplesPerPixel == 1:
        expected = decoded_by(LOSSY[name], source, tmp_path).pixel_array.astype(int)
        # Decoders of lossy JPEG may round differently by one (ISO/IEC 10918-2).
        assert np.abs(received.pixel_array.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("name", ["HTJ2KLossless_08_RGB.dcm", "HTJ2K_08_RGB.dcm"])
def test_high_throughput_jpeg_2000_as_another_decoder_reads_it(node, shared_data, name):
    imagecodecs = pytest.importorskip("imagecodecs")
    image = pydicom.dcmread(shared_data / "dicom" / "pydicom-data" / name)
    frame = next(pydicom.encaps.generate_frames(image.PixelData, number_of_frames=1))
    received, told = sent_to(node, make.as_file(with_identity(image)), UNCOMPRESSED)
    assert told.is_success, told
    expected = imagecodecs.htj2k_decode(frame)
    difference = np.abs(received.pixel_array.astype(int) - expected.astype(int))
    # The other decoder lets a few of the whitest values overflow to 0.
    assert (difference > 1).mean() < (0.001 if name == "HTJ2K_08_RGB.dcm" else 1e-9)


def with_identity(image):
    """The image with the UIDs that a stored object must have."""
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
        if not image.get(keyword):
            setattr(image, keyword, pydicom.uid.generate_uid())
    return image


def test_jpeg_of_twelve_bits(node, shared_data):
    source = shared_data / PYDICOM / "JPGExtended.dcm"
    received, told = sent_to(node, source.read_bytes(), UNCOMPRESSED)
    assert told.is_success, told
    assert received.LossyImageCompression == "01"
    assert received.pixel_array.shape == (1024, 256)
    assert received.pixel_array.max() > 255


@pytest.mark.parametrize("name", ["RG2_J2KI", "MR1_J2KR", "VL1_J2KI"])
def test_jpeg_2000_as_another_decoder_reads_it(node, shared_data, name):
    imagecodecs = pytest.importorskip("imagecodecs")
    source = shared_data / NEMA / name
    received, told = sent_to(node, source.read_bytes(), UNCOMPRESSED)
    assert told.is_success, told
    frame = next(pydicom.encaps.generate_frames(pydicom.dcmread(source).PixelData, number_of_frames=1))
    expected = imagecodecs.jpeg2k_decode(frame)
    difference = received.pixel_array.astype(int) - expected.astype(int)
    assert np.abs(difference).max() <= (0 if name.endswith("R") else 1)


def test_deflated_objects_are_inflated_in_both_encodings(node, shared_data):
    source = shared_data / PYDICOM / "image_dfl.dcm"
    before = pydicom.dcmread(source)
    for syntax in UNCOMPRESSED:
        received, told = sent_to(node, source.read_bytes(), [syntax])
        assert told.is_success, told
        assert received.PixelData == before.PixelData
        assert received.PatientName == before.PatientName


def test_video_goes_as_stored_or_not_at_all(node):
    video = make.an_object()
    mpeg = UID("1.2.840.10008.1.2.4.102")
    video.file_meta.TransferSyntaxUID = mpeg
    video.PixelData = pydicom.encaps.encapsulate([b"\0\0\1\xba" * 8])
    video["PixelData"].VR = "OB"
    received, told = sent_to(node, make.as_file(video), UNCOMPRESSED)
    assert received is None
    assert told.status == 0x0122
    received, told = sent_to(node, make.as_file(make_again(video)), [mpeg])
    assert told.is_success
    assert received.PixelData == video.PixelData


def make_again(image):
    again = pydicom.dcmread(BytesIO(make.as_file(image)))
    again.SOPInstanceUID = again.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    again.StudyInstanceUID, again.SeriesInstanceUID = pydicom.uid.generate_uid(), pydicom.uid.generate_uid()
    return again


def test_pixels_that_do_not_decode_fail_that_instance_alone(node):
    image = make.an_object(transfer_syntax_uid="1.2.840.10008.1.2.4.90")
    image.PixelData = pydicom.encaps.encapsulate([b"no codestream at all, but even."])
    image["PixelData"].VR = "OB"
    received, told = sent_to(node, make.as_file(image), UNCOMPRESSED)
    assert received is None
    assert told.is_failure
    assert "cannot be decoded" in told.sentence
    assert "take it as stored" in told.sentence


LOSSLESS_SYNTAXES = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5")


@pytest.mark.parametrize("syntax", LOSSLESS_SYNTAXES)
@pytest.mark.parametrize("name", [f"{NEMA}/CT2_RLE", f"{PYDICOM}/CT_small.dcm", f"{PYDICOM}/SC_rgb_rle_2frame.dcm"])
def test_a_requester_whose_contexts_are_compressed_gets_every_value(node, shared_data, tmp_path, name, syntax):
    file = (shared_data / name).read_bytes()
    stored, received = node.wait(make.store(node.app, file)), []

    def on_store(event):
        event.dataset.file_meta = event.file_meta
        received.append(event.dataset)
        return 0x0000

    ds = pydicom.Dataset()
    ds.QueryRetrieveLevel, ds.StudyInstanceUID = "STUDY", stored.study_instance_uid
    sop_class = stored.objects[0].SOPClassUID
    role = build_role(sop_class, scp_role=True)
    handlers = [(evt.EVT_C_STORE, on_store)]
    with requestor(node, [(GET, ExplicitVRLittleEndian), (sop_class, syntax)], ext_neg=[role],
                   evt_handlers=handlers) as association:  # fmt: skip
        *_, (final, _) = association.send_c_get(ds, GET)
    assert final.Status == 0x0000
    assert received[0].file_meta.TransferSyntaxUID == syntax
    target = tmp_path / "received.dcm"
    received[0].save_as(target, enforce_file_format=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.array_equal(pydicom.dcmread(target).pixel_array, stored.objects[0].pixel_array)
