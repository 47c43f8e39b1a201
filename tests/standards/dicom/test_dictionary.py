"""The generated dictionaries against those they come from."""

import subprocess
import sys

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._private_dict import private_dictionaries
from pydicom.charset import CODES_TO_ENCODINGS, python_encoding

from radiology.standards.dicom import charsets
from radiology.standards.dicom.dictionary import keyword_of, private_vr_of, tag_of_keyword, vr_of


def test_every_standard_tag() -> None:
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        assert vr_of(tag) == (None if vr == "NONE" else vr.replace(" or ", "/"))
        assert keyword_of(tag) == keyword
        if keyword:
            assert tag_of_keyword(keyword) == tag


def test_repeating_tags() -> None:
    for mask, (vr, *_) in RepeatersDictionary.items():
        assert vr_of(int(mask.replace("x", "2"), 16)) == (None if vr == "NONE" else vr.replace(" or ", "/"))
    assert vr_of(0x00080000) == "UL"
    assert vr_of(0x00091001) is None
    assert vr_of(0x0008FFFE) is None


def test_private_tags() -> None:
    for creator, tags in private_dictionaries.items():
        for pattern, (vr, *_) in tags.items():
            # A few patterns repeat the group too; no device of today writes those.
            if pattern[4:6].lower() == "xx" and pattern.lower().count("x") == 2:
                known = None if vr == "UN" else {"OB_OW": "OW"}.get(vr, vr.replace(" or ", "/"))
                assert private_vr_of(int(pattern.lower().replace("xx", "10"), 16), creator) == known
    assert private_vr_of(0x00091001, "NOBODY") is None


def test_character_sets() -> None:
    for term, name in python_encoding.items():
        assert charsets._python_name(term) == name
    for escape, name in CODES_TO_ENCODINGS.items():
        assert charsets._ESCAPES[escape] == name


def test_reading_headers_does_not_load_pydicom() -> None:
    code = (
        "import sys, radiology.standards.dicom.matching, radiology.standards.dicom.checks;"
        "sys.exit('pydicom' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
