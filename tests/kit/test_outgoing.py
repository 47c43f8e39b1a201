"""Outgoing calls do not lead where the keys of a machine are kept."""

import pytest

from radiology.errors import Unprocessable
from radiology.kit.outgoing import must_be_callable


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://2852039166/",  # 169.254.169.254 as one number
        "http://0xa9fea9fe/",
        "http://224.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http:///nowhere",
        "//127.0.0.1/",
    ],
)
def test_what_is_not_called(url: str) -> None:
    with pytest.raises(Unprocessable):
        must_be_callable(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8042/dicom-web", "https://10.1.2.3/", "http://pacs.invalid/dicom-web"]
)
def test_archives_of_the_hospital_are_called(url: str) -> None:
    must_be_callable(url)
