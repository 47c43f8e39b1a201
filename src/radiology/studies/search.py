"""What is looked for among studies: one value, whoever asks (C-FIND, QIDO-RS, the REST query).

The matching rules themselves are in `standards.dicom.matching`; `queries.search` turns the value into SQL.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timezone
from enum import StrEnum
from functools import cached_property
from typing import Any, cast

from radiology.errors import Invalid
from radiology.standards.dicom import levels
from radiology.standards.dicom.attributes import AttributePath, UnknownAttributeError, tag_of
from radiology.standards.dicom.matching import Condition, MatchingError, MatchingOptions, Sequence, Universal, parse_key


class Level(StrEnum):
    """Query/Retrieve Level (0008,0052), PS3.4 C.6."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"


#: What an answer is given that is no attribute of an object: counts, and where and whether it can be retrieved.
COMPUTED: Mapping[Level, frozenset[str]] = {
    Level.PATIENT: frozenset({"00080054", "00080056", "00201200", "00201202", "00201204"}),
    Level.STUDY: frozenset({"00080054", "00080056", "00080061", "00080062", "00081190", "00201206", "00201208"}),
    Level.SERIES: frozenset({"00080054", "00080056", "00081190", "00201209"}),
    Level.IMAGE: frozenset({"00080016", "00080018", "00080054", "00080056", "00081190", "00083002", "00200013",
                            "00280008", "00280010", "00280011", "00280100"}),
}  # fmt: skip

#: What is returned without being asked for (PS3.18 tables 10.6.3-3 to 10.6.3-5).
DEFAULTS: Mapping[Level, frozenset[str]] = {
    Level.PATIENT: frozenset({"00080005", "00080056", "00100010", "00100020", "00100021", "00100030", "00100040",
                              "00201200", "00201202", "00201204"}),
    Level.STUDY: frozenset({"00080005", "00080020", "00080030", "00080050", "00080056", "00080061", "00080090",
                            "00080201", "00081030", "00081190", "00100010", "00100020", "00100030", "00100040",
                            "0020000D", "00200010", "00201206", "00201208"}),
    Level.SERIES: frozenset({"00080005", "00080056", "00080060", "00080201", "0008103E", "00081190", "0020000D",
                             "0020000E", "00200011", "00201209", "00400244", "00400245", "00400275"}),
    Level.IMAGE: frozenset({"00080005", "00080016", "00080018", "00080056", "00080201", "00081190", "00083002",
                            "0020000D", "0020000E", "00200013", "00280008", "00280010", "00280011", "00280100"}),
}  # fmt: skip

#: Returned with a value or not at all: an empty one would say nothing.
_NEVER_BLANK = frozenset({"00080005", "00080201", "00400244", "00400245", "00400275"})

#: Returned, and not matched: how much there is of a patient depends on who asks.
_ONLY_RETURNED = frozenset({"00201200", "00201202", "00201204"})

_STORED: Mapping[Level, frozenset[str]] = {
    Level.PATIENT: levels.PATIENT,
    Level.STUDY: levels.PATIENT | levels.STUDY,
    Level.SERIES: levels.PATIENT | levels.STUDY | levels.SERIES,
    Level.IMAGE: levels.PATIENT | levels.STUDY | levels.SERIES,
}


def returnable(level: Level) -> frozenset[str]:
    """The attributes that an answer of a level can have a value for; those of instances that no column holds aside."""
    above = COMPUTED[Level.STUDY] if level is Level.SERIES else frozenset[str]()
    return _STORED[level] | COMPUTED[level] | above


@dataclass(frozen=True, slots=True)
class Zones:
    """Timezone query adjustment: the zone that was asked for, and the name of that of objects which name none."""

    asked: timezone
    local: str

    @property
    def offset_seconds(self) -> float:
        """How far the zone that was asked for is ahead of UTC."""
        return self.asked.utcoffset(None).total_seconds()


@dataclass(frozen=True)
class StudySearch:
    """Keys and what to return, at one level. Attributes are named by eight hexadecimal digits.

    `keys` holds conditions by tag; those of attributes inside a sequence lie in one `matching.Sequence`. With
    `zones` the date and time of a study are compared as they are in the zone that was asked for.
    """

    level: Level
    keys: Mapping[str, Condition] = field(default_factory=dict[str, Condition])
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    include: frozenset[str] = frozenset()
    include_all: bool = False
    fuzzy: bool = False
    zones: Zones | None = None
    limit: int = 200
    offset: int = 0

    @cached_property
    def relational(self) -> bool:
        """Whether the level above is not named, so that an answer must say to which study (and series) it belongs."""
        return self.level in (Level.SERIES, Level.IMAGE) and self.study_instance_uid is None

    @cached_property
    def returned(self) -> frozenset[str]:
        """The attributes of an answer, where not all are asked for."""
        tags = DEFAULTS[self.level] | self.include | frozenset(self.keys)
        if self.relational:
            tags |= DEFAULTS[Level.STUDY]
        if self.level is Level.IMAGE and self.series_instance_uid is None:
            tags |= DEFAULTS[Level.SERIES]
        return tags

    @cached_property
    def is_usual(self) -> bool:
        """Whether an answer is what each study has ready: all that is returned by default, and nothing else."""
        asked = self.include | frozenset(self.keys)
        return (
            self.level is Level.STUDY
            and not self.include_all
            and asked <= DEFAULTS[Level.STUDY]
            and asked.isdisjoint(_NEVER_BLANK)
        )

    @cached_property
    def of_instances(self) -> frozenset[str]:
        """The attributes of an answer at instance level that no column holds."""
        if self.level is not Level.IMAGE:
            return frozenset()
        return (self.include | frozenset(self.keys)) - _STORED[Level.IMAGE] - COMPUTED[Level.IMAGE]

    @cached_property
    def blank(self) -> frozenset[str]:
        """The attributes that are returned empty where an object has no value for them."""
        kept = DEFAULTS[self.level] - _NEVER_BLANK - COMPUTED[self.level]
        return kept | (self.returned & (self.include | frozenset(self.keys)) & _STORED[self.level])

    @cached_property
    def unsupported(self) -> frozenset[str]:
        """Keys that cannot be matched at this level: attributes that only instances have, and counts of a patient."""
        counts = frozenset(self.keys) & _ONLY_RETURNED
        if self.level is Level.IMAGE:
            return frozenset(tag for tag in counts if not isinstance(self.keys[tag], Universal))
        known = _STORED[Level.SERIES] | COMPUTED[Level.STUDY] | COMPUTED[self.level] | {"00080016", "00080018"}
        known -= counts
        return frozenset(tag for tag, key in self.keys.items() if tag not in known and not isinstance(key, Universal))


def parse_keys(pairs: Iterable[tuple[str, str]], options: MatchingOptions) -> dict[str, Condition]:
    """The conditions of keys such as ("PatientID", "123") or ("00400275.00400009", "7").

    Keys in the same sequence must hold for the same item (PS3.4 C.2.2.2.6). Raises Invalid, naming the key.
    """
    keys: dict[str, Any] = {}
    for name, text in pairs:
        try:
            path = tag_of(name)
            condition = parse_key(path, text, options)
        except (UnknownAttributeError, MatchingError) as error:
            raise Invalid(f"{error}.") from error
        _place(keys, path, condition)
    return {tag: _condition(key) for tag, key in keys.items()}


def parse_level(text: str) -> Level:
    """PATIENT, STUDY, SERIES, IMAGE, or INSTANCE for IMAGE. Raises Invalid."""
    try:
        return Level("IMAGE" if text.upper() == "INSTANCE" else text.upper())
    except ValueError as error:
        raise Invalid(f"The level must be PATIENT, STUDY, SERIES or IMAGE, not {text[:20]!r}.") from error


def parse_attributes(names: Iterable[str]) -> frozenset[str]:
    """The tags of attributes to include; of a path, the outermost. Raises Invalid."""
    try:
        return frozenset(tag_of(name).tags[0] for name in names)
    except UnknownAttributeError as error:
        raise Invalid(f"{error}.") from error


def _place(keys: dict[str, Any], path: AttributePath, condition: Condition) -> None:
    for tag in path.tags[:-1]:
        inner = keys.setdefault(tag, {})
        if not isinstance(inner, dict):
            inner = keys[tag] = {}
        keys = cast("dict[str, Any]", inner)
    if path.tag in keys and not isinstance(condition, Universal):
        raise Invalid(f"{path} is given twice. A key can be given once.")
    keys.setdefault(path.tag, condition)


def _condition(key: Any) -> Condition:
    if not isinstance(key, dict):
        return key
    return Sequence({tag: _condition(inner) for tag, inner in cast("dict[str, Any]", key).items()})
