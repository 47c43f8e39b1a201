"""Bodies of projects, exports and masked regions over REST."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.deidentification.rules import DeviceRegions, Profile, Rectangle

UID = Annotated[str, StringConstraints(pattern=r"^[0-9.]{1,64}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Hex2 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{2}$")]
OddGroup = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{3}[13579BDFbdf]$")]
PROJECT: dict[str, Any] = {
    "name": "chest-2026", "purpose": "Tuberculosis in chest radiographs, approved by the ethics board",
    "profile": "research", "options": {"allowedTexts": ["Chest PA"]},
}  # fmt: skip


class SafePrivate(BaseModel):
    """A private element that is known to be safe (113111)."""

    model_config = ConfigDict(extra="forbid")

    creator: Text
    group: OddGroup
    element: Hex2


class Options(BaseModel):
    """What a project adds to its profile."""

    model_config = ConfigDict(extra="forbid")

    allowedTexts: list[Text] = Field(  # noqa: N815
        default_factory=list[str], max_length=10_000, description="Descriptions that are kept as they are."
    )
    safePrivate: list[SafePrivate] = Field(default_factory=list[SafePrivate], max_length=1000)  # noqa: N815
    keepInstitution: bool = Field(default=False, description="113112.")  # noqa: N815
    keepFaces: bool = Field(default=False, description="Pass on CT and MR of the head.")  # noqa: N815


class ProjectIn(BaseModel):
    """A project as it is asked for."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [PROJECT]})

    name: Text
    purpose: Annotated[str, StringConstraints(min_length=10, max_length=2000, strip_whitespace=True)]
    profile: Profile
    options: Options = Field(default_factory=Options)


class ExportIn(BaseModel):
    """What is to be exported, by which project: studies by UID, or those that a query finds."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"project": "chest-2026", "query": {"ModalitiesInStudy": "DX"}}]},
    )

    project: Text
    studyInstanceUIDs: list[UID] = Field(default_factory=list[str], max_length=10_000)  # noqa: N815
    query: dict[str, str] | None = Field(default=None, description="Keyword or tag: value (PS3.4 C.2.2.2).")
    leaveOutSmallGroups: bool = False  # noqa: N815


Pixel = Annotated[int, Field(ge=0, le=65535)]


class RegionsIn(BaseModel):
    """Where images of a device and size have text; no rectangle says that they have none."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"manufacturer": "Acme", "model": "U1", "rows": 480, "columns": 640,
                          "rectangles": [[0, 0, 639, 47]]}]
        },
    )  # fmt: skip

    manufacturer: Text
    model: Text
    rows: int = Field(ge=1, le=65535)
    columns: int = Field(ge=1, le=65535)
    rectangles: list[tuple[Pixel, Pixel, Pixel, Pixel]] = Field(
        max_length=100, description="Left, top, right, bottom; the last ones included."
    )

    def regions(self) -> DeviceRegions:
        """The same as a value."""
        rectangles = tuple(Rectangle(*each) for each in self.rectangles)
        return DeviceRegions(self.manufacturer, self.model, self.rows, self.columns, rectangles)
