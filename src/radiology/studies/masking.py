"""What a reader sees of a sensitive study whose patient is not in his or her care: that it is there, and when.

One pure function over the body that the service gives; what it is given is never changed, since others may hold it.
"""

from collections.abc import Mapping
from typing import Any, Final

DESCRIPTION: Final = "Sensitive imaging study"
MODALITY: Final = "XX"
_KEPT: Final = ("id", "studyId", "status", "subject", "accessionNumber", "studyInstanceUID", "facilityCode")


def masked(study: Mapping[str, Any]) -> dict[str, Any]:
    """The masked view of a study: id, patient, date without time, facility, status and accession number are kept."""
    shown = {name: study[name] for name in _KEPT if name in study}
    if started := study.get("started"):
        shown["started"] = started[:10]
    return {
        **shown,
        "masked": True,
        "modality": [{"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": MODALITY}]}],
        "modalitiesInStudy": [MODALITY],
        "studyDescription": DESCRIPTION,
        "procedureCode": [{"text": DESCRIPTION}],
        "reasonCode": None,
        "reasonReference": None,
    }
