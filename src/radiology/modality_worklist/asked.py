"""What each application entity asked its worklist for last, so that it can be said why an item is not shown on it.

Names and numbers of patients are not kept: of other keys than those of the step only which they were.
"""

from collections.abc import Mapping
from typing import Any, Final

from radiology.app import App
from radiology.errors import RadiologyError
from radiology.kit.clock import monotonic_seconds
from radiology.kit.log import get_logger
from radiology.modality_worklist import asked_queries as queries
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.dictionary import keyword_of

_SEQUENCE = "00400100"
#: Keys that are kept with their value.
_KEPT: Final[Mapping[str, str]] = {"00080060": "modality", "00400001": "station", "00400002": "start_date"}
_CONTROL: Final = frozenset(("00080005", "00080201"))
#: A scanner that asks the same again and again is noted this often.
NOTED_EVERY_SECONDS: Final = 60.0

log = get_logger()


Keys = tuple[str, str, str, tuple[str, ...]]


def keys_of(identifier: Mapping[str, Any]) -> Keys:
    """Modality, station and start date as they were asked for, and the keywords of other keys that have a value."""
    items: list[Any] = identifier.get(_SEQUENCE, {}).get("Value") or [{}]
    step: Mapping[str, Any] = items[0] or {}
    others = sorted(
        keyword_of(int(tag, 16)) or tag
        for tag, element in {**identifier, **step}.items()
        if tag not in _KEPT and tag not in _CONTROL and tag != _SEQUENCE and element["vr"] != "SQ"
        if element.get("Value")
    )
    modality, station, start_date = (text_of(step, tag)[:64] for tag in _KEPT)
    return modality, station, start_date, tuple(others[:20])


class Notes:
    """Notes what is asked, in one process: again where the keys differ, or a minute has passed."""

    def __init__(self) -> None:
        self._noted: dict[str, tuple[Keys, float]] = {}

    async def note(self, app: App, ae_title: str, identifier: Mapping[str, Any], answers: int) -> None:
        """Note a query. What cannot be noted now is logged: it must not keep the answers from who asks."""
        keys, now = keys_of(identifier), monotonic_seconds()
        before = self._noted.get(ae_title)
        if before is not None and before[0] == keys and now - before[1] < NOTED_EVERY_SECONDS:
            return
        self._noted[ae_title] = keys, now
        modality, station, start_date, others = keys
        try:
            async with app.db.transaction() as tx:
                query = queries.LastQuery(app.clock.now(), answers, modality, station, start_date, list(others))
                await queries.save(tx, ae_title, query)
        except RadiologyError as error:
            log.warning("worklist.query-not-noted", ae_title=ae_title, exc_info=error)
