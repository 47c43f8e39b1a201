import pytest
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AllStoragePresentationContexts
from pynetdicom.dsutils import encode

from data_sets import data_set
from requestor import requestor

pytestmark = pytest.mark.peer("Storage (SCP)", "pynetdicom")

CLASSES = [context.abstract_syntax for context in AllStoragePresentationContexts]


@pytest.mark.parametrize("part", [slice(0, 100), slice(100, None)], ids=["first", "second"])
def test_s04_every_storage_class_is_stored_byte_identical(node, part):
    sent = {}
    with requestor(node, [(uid, ExplicitVRLittleEndian) for uid in CLASSES[part]]) as association:
        for uid in CLASSES[part]:
            ds = data_set(uid)
            assert association.send_c_store(ds).Status == 0x0000, uid
            sent[ds.SOPInstanceUID] = encode(ds, False, True)

    assert node.value("SELECT count(*) FROM instances") == len(sent)
    for uid, data in sent.items():
        assert node.stored_bytes(uid).endswith(data)


def test_s04_every_transfer_syntax_is_kept_as_it_came(node, shared_data):
    """Compressed pixel data is not decoded on the way in, so any bytes may stand for it."""
    from pydicom import dcmread

    files = [
        "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_implicit.dcm",
        "MR_small_bigendian.dcm", "image_dfl.dcm", "JPGExtended.dcm",
    ]  # fmt: skip
    for name in files:
        ds = dcmread(shared_data / "dicom" / "pydicom" / name)
        ds.SOPInstanceUID = generate_uid()  # Several of these files are the same object in another encoding.
        syntax = ds.file_meta.TransferSyntaxUID
        data = encode(ds, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
        with requestor(node, [(ds.SOPClassUID, syntax)]) as association:
            assert association.send_c_store(ds).Status == 0x0000, name
        assert node.stored_bytes(ds.SOPInstanceUID).endswith(data), name
