"""From the trace of an association to findings: what was wrong, and what to change on which side. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from radiology.application_entities.model import ApplicationEntity
from radiology.associations.model import OPEN, REJECTED, Context, Trace, WorklistQuery, shape_of
from radiology.associations.texts import TEXTS, Language
from radiology.standards.dicom.uids import TRANSFER_SYNTAXES

RELEASED: Final = "released"
CLOCKS_DIFFER_SECONDS: Final = 5 * 60
USER_REJECTION, ABSTRACT_SYNTAX, TRANSFER_SYNTAX = 1, 3, 4
NO_SUCH_OBJECT_INSTANCE: Final = 0x0112


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was wrong, by its code, and the values that its text names."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict[str, str])

    def happened(self, language: Language = "en") -> str:
        """What happened, in a sentence or two."""
        return TEXTS[self.code][language].happened.format_map(self.values)

    def modality_side(self, language: Language = "en") -> str:
        """What to change on the machine; empty for nothing."""
        return TEXTS[self.code][language].modality_side.format_map(self.values)

    def our_side(self, language: Language = "en") -> str:
        """What to change here; empty for nothing."""
        return TEXTS[self.code][language].our_side.format_map(self.values)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A scheduled procedure step that could have been an answer to a worklist query."""

    station_ae_titles: Sequence[str]
    modality: str
    day: date
    patient_id: str


@dataclass(frozen=True, slots=True)
class Known:
    """What we know beside the trace: our AE title, the registry, and the steps that wait."""

    ae_title: str
    entities: Sequence[ApplicationEntity] = ()
    waiting: Sequence[Waiting] = ()

    def entity(self, ae_title: str) -> ApplicationEntity | None:
        """The entity of this title."""
        return next((entity for entity in self.entities if entity.ae_title == ae_title), None)


def diagnose(trace: Trace, known: Known) -> list[Finding]:
    """Everything that was wrong; empty where all was well."""
    return [
        *_refusal(trace, known),
        *_contexts(trace),
        *(finding for query in trace.worklist_queries[-1:] if not query.matches for finding in _worklist(query, known)),
        *_operations(trace),
        *_clock(trace),
        *_ending(trace),
    ]


def _refusal(trace: Trace, known: Known) -> Iterator[Finding]:
    if not trace.refusal:
        return
    entity = known.entity(trace.calling_ae_title)
    registered = ", ".join(entity.calling_hosts) if entity else ""
    values = {
        "called": trace.called_ae_title,
        "calling": trace.calling_ae_title,
        "host": trace.host,
        "ours": known.ae_title,
        "registered": registered or "-",
        "similar": _similar(trace.calling_ae_title, known),
        "sentence": trace.sentence,
    }
    yield Finding(trace.refusal if trace.refusal in TEXTS else "broken_off", values)


def _similar(ae_title: str, known: Known) -> str:
    """Titles that differ in case, spaces or signs only, such as are easily mistyped."""
    alike = [entity.ae_title for entity in known.entities if _plain(entity.ae_title) == _plain(ae_title)]
    return f" ({', '.join(alike)}?)" if alike and ae_title not in alike else ""


def _plain(ae_title: str) -> str:
    return "".join(filter(str.isalnum, ae_title.casefold()))


def _contexts(trace: Trace) -> Iterator[Finding]:
    codes = {USER_REJECTION: "service_not_allowed", ABSTRACT_SYNTAX: "sop_class", TRANSFER_SYNTAX: "transfer_syntax"}
    for result, code in codes.items():
        refused = [context for context in trace.contexts if context.result == result and not _served(context, trace)]
        if refused:
            names = ", ".join(dict.fromkeys(context.abstract_syntax_uid for context in refused))
            syntaxes = dict.fromkeys(_syntax(uid) for context in refused for uid in context.transfer_syntax_uids)
            values = {"calling": trace.calling_ae_title, "names": names, "syntaxes": ", ".join(syntaxes)}
            yield Finding(code, values)


def _served(context: Context, trace: Trace) -> bool:
    """Whether the same abstract syntax was accepted in another context: modalities propose one for each encoding."""
    uid = context.abstract_syntax_uid
    return any(other.abstract_syntax_uid == uid and other.result == 0 for other in trace.contexts)


def _syntax(uid: str) -> str:
    known = TRANSFER_SYNTAXES.get(uid)
    return known.name if known is not None else uid


def _worklist(query: WorklistQuery, known: Known) -> Iterator[Finding]:
    """Why a query found nothing: the keys that no step fulfils, else those without which a step would be found."""
    keys = [key for key in _keys(query) if key.asked]
    blocking = [key for key in keys if not any(map(key.fits, known.waiting))]
    blocking = blocking or [key for key in keys if any(_fits_all_but(key, keys, step) for step in known.waiting)]
    if not blocking or any(all(key.fits(step) for key in keys) for step in known.waiting):
        yield Finding("worklist_empty")
        return
    for key in blocking:
        there = sorted({text for step in known.waiting for text in key.shown(step)})
        yield Finding(key.code, {"asked": key.asked, "there": ", ".join(there[:10]) or "-"})


def _fits_all_but(key: "_Key", keys: Sequence["_Key"], step: Waiting) -> bool:
    return all(other.fits(step) for other in keys if other is not key)


@dataclass(frozen=True, slots=True)
class _Key:
    """A matching key of a query: what it asked, whether a step fits it, and what the step has."""

    code: str
    asked: str
    fits: Callable[[Waiting], bool]
    shown: Callable[[Waiting], Sequence[str]]


def _keys(query: WorklistQuery) -> list[_Key]:
    station, modality, shape = query.station_ae_title, query.modality, query.patient_id_shape
    return [
        _Key(
            "worklist_station",
            station,
            lambda step: not step.station_ae_titles or station in step.station_ae_titles,
            lambda step: step.station_ae_titles,
        ),
        _Key("worklist_modality", modality, lambda step: step.modality == modality, lambda step: [step.modality]),
        _Key("worklist_date", query.date, lambda step: _within(step.day, query.date), lambda step: [f"{step.day}"]),
        _Key(
            "worklist_patient_id",
            shape,
            lambda step: shape_of(step.patient_id) == shape,
            lambda step: [shape_of(step.patient_id)],
        ),
    ]


def _within(day: date, asked: str) -> bool:
    """Whether a day lies in a DA range (PS3.4 C.2.2.2.5)."""
    text = day.strftime("%Y%m%d")
    first, dash, last = asked.partition("-")
    return (first or text) <= text <= (last or text) if dash else text == asked


def _operations(trace: Trace) -> Iterator[Finding]:
    if any(op.operation == "N-SET" and op.status == NO_SUCH_OBJECT_INSTANCE for op in trace.operations):
        yield Finding("performed_step_unknown")
    if trace.charset in TEXTS:
        yield Finding(trace.charset)


def _clock(trace: Trace) -> Iterator[Finding]:
    ahead = trace.ahead_seconds
    if ahead is not None and abs(ahead) > CLOCKS_DIFFER_SECONDS:
        minutes = {"minutes": f"{abs(ahead) / 60:.0f}"}
        yield Finding("clock_ahead" if ahead > 0 else "clock_behind", minutes)


def _ending(trace: Trace) -> Iterator[Finding]:
    if trace.outcome not in {OPEN, REJECTED, RELEASED} and not trace.refusal:
        yield Finding("broken_off", {"sentence": trace.sentence or trace.outcome})
