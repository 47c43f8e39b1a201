"""Studies that have not come yet from an archive that is taken over: in answers to searches, and fetched for WADO."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from radiology.access.model import Actor
from radiology.standards.dicom.attributes import tag_of
from radiology.studies.queries.search import Found
from radiology.studies.search import COMPUTED, Level, StudySearch
from radiology.takeover.proxy import ForeignAnswer, Proxy


@dataclass(frozen=True, slots=True)
class ForeignSearch:
    """A search that is also put to other archives. `pairs`: its keys, with the text to match. `url`: our DICOMweb."""

    proxy: Proxy
    search: StudySearch
    pairs: Sequence[tuple[str, str]]
    url: str

    async def merged(self, found: Found, *, visible_to: Actor) -> Found:
        """What was found, and after it what other archives have and we do not.

        The page of the search goes over both; so nothing is added as long as it is not known how much we have.
        """
        if self.search.level is not Level.STUDY or self.proxy.is_idle or not found.total_is_exact:
            return found
        others = await asyncio.to_thread(self._answers, visible_to)
        room = self.search.limit - len(found.answers)
        first = max(0, self.search.offset - found.total)
        shown = [self._encoded(answer) for answer in others[first : first + room]]
        return Found([*found.answers, *shown], found.total + len(others))

    def _answers(self, visible_to: Actor) -> list[ForeignAnswer]:
        # All of them, for the total and the next page.
        most = self.proxy.app.settings.qido_max_limit
        asking = self.proxy.ask(self._keys(), limit=most, visible_to=visible_to)
        return asking.answers() if asking else []

    def _keys(self) -> Iterator[tuple[str, str]]:
        for name, text in self.pairs:
            yield name, text.replace(",", "\\") if tag_of(name).vr == "UI" else text
        named = {tag_of(name).tags[0] for name, _ in self.pairs}
        returned = self.search.returned - named - (COMPUTED[Level.STUDY] - {"00080061", "00080062"}) - {"00080005"}
        for tag in sorted(returned):
            yield tag, ""

    def _encoded(self, answer: ForeignAnswer) -> str:
        is_all, returned = self.search.include_all, self.search.returned
        kept = {tag: element for tag, element in answer.attributes.items() if is_all or tag in returned}
        where: dict[str, Any] = {
            "00080054": {"vr": "AE", "Value": [answer.ae_title]},
            "00080056": {"vr": "CS", "Value": ["NEARLINE"]},
            "00081190": {"vr": "UR", "Value": [f"{self.url}/studies/{answer.study_instance_uid}"]},
        }
        return orjson.dumps(dict(sorted((kept | where).items()))).decode()


async def fetched(request: Request, study_instance_uid: str, *, visible_to: Actor) -> None:
    """Fetch a study that has not come yet. Raises NotFound where it does not come."""
    proxy: Proxy = request.app.state.proxy
    if not proxy.is_idle:
        await asyncio.to_thread(_fetch, proxy, study_instance_uid, visible_to)


def _fetch(proxy: Proxy, study_instance_uid: str, visible_to: Actor) -> None:
    for each in proxy.fetch([study_instance_uid], visible_to=[visible_to]):
        each.is_over(each.limit_seconds)
        each.check()
