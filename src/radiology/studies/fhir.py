"""A study as ImagingStudy of FHIR R4 (hl7.org/fhir/R4/imagingstudy.html). Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from radiology.studies.model import fhir_status
from radiology.studies.schemas import DCM

IDENTIFIER_TYPES: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
ACCESSION: Final = "ACSN"
ACCESSION_SYSTEM: Final = "urn:radiology:accession:"
UID_SYSTEM: Final = "urn:dicom:uid"
UID: Final = "urn:oid:"
WORKFLOW_URL: Final = "urn:radiology:fhir:workflow-status"
MASKED: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "MASKED"}
#: Modality (0008,0060) is required of a series in both standards; CID 29 has this for one that did not say it.
OTHER: Final = "OT"


def imaging_study(study: Mapping[str, Any], series: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The resource of a study as it is read over REST, in full or masked, with the series that its reader may see.

    R4 has few codes of status: the one of the workflow is an extension. Of a study that was entered in error, and of a
    masked one, neither series nor numbers are told; whether a masked one has images is not shown.
    """
    told = study.get("numberOfInstances", 1)
    resource: dict[str, Any] = {
        "resourceType": "ImagingStudy",
        "id": study["id"],
        "meta": _meta(study),
        "extension": [{"url": WORKFLOW_URL, "valueCode": study["status"]}],
        "identifier": _identifiers(study),
        "status": fhir_status(study["status"], told),
        "modality": _codings(study["modality"]),
        "subject": study["subject"],
        "encounter": study.get("encounter"),
        "started": study.get("started"),
        "basedOn": study.get("basedOn"),
        "referrer": study.get("referrer"),
        "interpreter": _as_list(study.get("interpreter")),
        "endpoint": study.get("endpoint"),
        "procedureCode": study.get("procedureCode"),
        "location": study.get("location"),
        "reasonCode": study.get("reasonCode"),
        "reasonReference": study.get("reasonReference"),
        "description": study.get("studyDescription"),
    }
    if "numberOfInstances" in study and study["status"] != "entered-in-error":
        resource |= {
            "numberOfSeries": study["numberOfSeries"],
            "numberOfInstances": told,
            "series": [_series(each) for each in series],
        }
    return _present(resource)


def _meta(study: Mapping[str, Any]) -> dict[str, Any]:
    """A masked view has no version: what it shows is not the whole resource."""
    if "version" not in study:
        return {"security": [MASKED]}
    return {"versionId": str(study["version"]), "lastUpdated": study["updatedAt"]}


def _identifiers(study: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"system": UID_SYSTEM, "value": UID + study["studyInstanceUID"]}]
    if number := study.get("accessionNumber"):
        found.append(typed_identifier(ACCESSION, ACCESSION_SYSTEM + study["facilityCode"], number))
    return found


def typed_identifier(code: str, system: str, value: str) -> dict[str, Any]:
    """An Identifier of this code of HL7 table 0203."""
    return {"type": {"coding": [{"system": IDENTIFIER_TYPES, "code": code}]}, "system": system, "value": value}


def _series(series: Mapping[str, Any]) -> dict[str, Any]:
    return _present(
        {
            "uid": series["uid"],
            "number": series["number"],
            "modality": {"system": DCM, "code": series["modality"] or OTHER},
            "description": series["description"],
            "numberOfInstances": series["numberOfInstances"],
            "started": series["started"],
        }
    )


def _codings(concepts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Modality is Coding[] in R4, and CodeableConcept[] over REST."""
    return [coding for concept in concepts for coding in concept.get("coding", ())]


def _as_list(value: Any) -> list[Any] | None:
    if value is None or isinstance(value, list):
        return cast("list[Any] | None", value)
    return [value]


def _present(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Without what FHIR does not allow to be there: nothing, empty texts and empty lists."""
    return {name: value for name, value in resource.items() if value not in (None, "", [])}
