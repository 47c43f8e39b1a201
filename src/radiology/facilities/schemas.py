"""Bodies of facilities and places over REST, and the rows of their spreadsheets."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from radiology.facilities.model import Ownership
from radiology.facilities.patterns import PATTERNS
from radiology.kit.validation import CONFIGURATION, Body

RESERVED: Final = frozenset({"patterns", "places", "sheets", "licences"})
"""Parts of addresses, which are no codes of facilities."""

EXAMPLE: dict[str, Any] = {
    "name": "Dhaka Medical College Hospital",
    "nameBangla": "ঢাকা মেডিকেল কলেজ হাসপাতাল",
    "tier": "Medical_College_Hospitals",
    "ownership": "public",
    "division": "30",
    "district": "3026",
    "latitude": 23.726,
    "longitude": 90.398,
    "openAllHours": True,
    "sedation": True,
}


def _not_reserved(code: str) -> str:
    if code in RESERVED:
        raise ValueError(f"must not be one of {', '.join(sorted(RESERVED))}, which are parts of addresses")
    return code


def _known_tier(tier: str) -> str:
    if tier and tier not in PATTERNS:
        raise ValueError(f"must be one of {', '.join(PATTERNS)}, or empty")
    return tier


FacilityCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,16}$"), AfterValidator(_not_reserved)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Note = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Geocode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{0,16}$")]
Modality = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_]{1,16}$")]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Level = Literal["division", "district", "upazila", "city-corporation", "municipality", "union"]


class FacilityIn(Body):
    """What is known of a facility."""

    model_config = CONFIGURATION | ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: Name
    name_bangla: Note = ""
    tier: Annotated[str, AfterValidator(_known_tier)] = Field(
        default="", description="A default for planning. It never says what can be done."
    )
    ownership: Ownership = Field(description="It decides which price list holds.")
    division: Geocode = ""
    district: Geocode = ""
    upazila: Geocode = ""
    latitude: Latitude | None = Field(default=None, description="Degrees, WGS 84.")
    longitude: Longitude | None = None
    open_all_hours: bool = False
    sedation: bool = Field(default=False, description="Whether patients can be sedated here.")
    test: bool = Field(default=False, description="Of tests and training: no figures are made of it.")
    active: bool = True

    def columns(self) -> dict[str, Any]:
        """As the database has it."""
        return self.model_dump(include=set(FacilityIn.model_fields))


class FacilityRow(FacilityIn):
    """A row of a spreadsheet of facilities."""

    code: FacilityCode


class FacilityChange(FacilityIn):
    """A facility that is added or changed."""

    version: int | None = Field(default=None, description="Of the facility that is changed; or the header If-Match.")


class PlaceRow(Body):
    """A row of a spreadsheet of places: a member of the list of geocodes."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,16}$")]
    level: Level
    parent: Geocode = ""
    name: Name
    name_bangla: Note = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None
