"""The modality worklist as scanners ask for it, with 100,000 scheduled procedure steps over 90 days.

Four facilities have 40 stations, 28 of them in 10 pools; the one that asks has two fifths of the steps. Steps are for
one station, for a pool, or for any station of their modality; most of those of past days are completed. Each query is
asked over one association and over eight, and by the web service. Orthanc's worklist plugin, which reads a folder of
files for each query, is asked the same beside, with 1,000 steps of today.
"""

import http.client
import statistics
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import orjson
import psycopg
from pydicom.dataset import Dataset, FileMetaDataset

from bench import check, finding, peers, results
from bench.asking import Caller, association
from bench.peers import Peer
from radiology.standards.dicom.data_set import encode
from radiology.standards.dicom.names import match_text, name_keys
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, MODALITY_WORKLIST_FIND

STEPS, QUICK_STEPS = 100_000, 5_000
THEIRS, QUICK_THEIRS = 1_000, 50
QUERIES, QUICK_QUERIES, THEIR_QUERIES = 1_000, 40, 100
WARM = 20
ASSOCIATIONS = 8
DAYS, DAYS_PAST = 90, 10
DHAKA = ZoneInfo("Asia/Dhaka")
TODAY = datetime.now(DHAKA).date()
OURS = "LOCAL"
FACILITIES = (OURS, OURS, "DMCH", "RMCH", "SBMCH")
MODALITIES = ("CT", "MR", "DX", "US")
POOLED = ("CT", "DX")
PLUGIN = "/usr/share/orthanc/plugins/libModalityWorklists.so"
LIMIT_MS = 20


@dataclass(frozen=True)
class Step:
    """One scheduled procedure step, by its number."""

    number: int

    @property
    def mixed(self) -> int:
        """The number without its order: what follows is spread by it."""
        return self.number // DAYS * 2654435761 % 2**32

    @property
    def facility(self) -> str:
        return FACILITIES[self.mixed % 5]

    @property
    def modality(self) -> str:
        return MODALITIES[self.mixed // 5 % 4]

    @property
    def station(self) -> str | None:
        """Seven of ten are for one station: each modality has four where we ask, elsewhere two."""
        if self.mixed // 20 % 10 >= 7 and (self.pool or self.mixed // 20 % 10 == 9):
            return None
        return f"{self.facility[:2]}{self.modality}{self.mixed // 200 % (4 if self.facility == OURS else 2)}"

    @property
    def pool(self) -> str | None:
        """Two of ten are for the pool of their modality where there is one; one of ten is for any station."""
        has_pool = self.facility == OURS or self.modality in POOLED
        return self.modality if has_pool and self.mixed // 20 % 10 in (7, 8) else None

    @property
    def start(self) -> datetime:
        day = TODAY + timedelta(days=self.number % DAYS - DAYS_PAST)
        return datetime(day.year, day.month, day.day, 8, tzinfo=DHAKA) + timedelta(minutes=self.mixed // 800 % 600)

    @property
    def status(self) -> str:
        return "COMPLETED" if self.start.date() < TODAY and self.mixed % 20 else "SCHEDULED"

    @property
    def name(self) -> str:
        """One of 120 family and given names, made rarer by a third one."""
        family, given = finding.FAMILY[self.mixed % 10], finding.GIVEN[self.mixed // 10 % 12]
        return f"{family}^{given}^{self.mixed // 120 % 200:03d}"

    @property
    def accession_number(self) -> str:
        return f"B{self.number:09d}"

    def row(self) -> Sequence[Any]:
        """The columns of `COPY`."""
        return (
            f"SPS{self.number:09d}", self.facility, self.status, self.accession_number, f"RP{self.number:09d}",
            f"2.25.8{self.number}", self.modality, [self.station] if self.station else [], self.pool, self.start,
            f"P{self.number:08d}", self.facility, self.name, [match_text(self.name), "", ""],
            list(name_keys(self.name)), orjson.dumps(self.details()).decode(),
        )  # fmt: skip

    def details(self) -> dict[str, Any]:
        """The rest of the item, as it is placed."""
        return {
            "patient": {"id": f"P{self.number:08d}", "name": self.name, "birthDate": "1980-01-15", "sex": "F",
                        "weightKg": 62, "pregnancyStatus": "unknown", "allergies": "Iodine contrast"},
            "modality": self.modality, "requestedProcedure": f"{self.modality} examination",
            "requestedProcedureCode": [{"code": "RPID22", "scheme": "RADLEX", "display": "Examination"}],
            "referringPhysician": "Hossain^Kamal", "priority": "ROUTINE", "reason": "Headache for two weeks",
        }  # fmt: skip


COPY = """
    COPY scheduled_procedure_steps (scheduled_procedure_step_id, facility_code, status, accession_number,
        requested_procedure_id, study_instance_uid, modality, station_ae_titles, station_pool, scheduled_start,
        patient_id, issuer_of_patient_id, patient_name, patient_name_match, patient_name_keys, details, id)
    FROM STDIN
"""
ITEM = {
    "00080050": "SH", "00080090": "PN", "00100010": "PN", "00100020": "LO", "00100030": "DA", "00100040": "CS",
    "00101030": "DS", "00102000": "LO", "00102110": "LO", "001021C0": "US", "0020000D": "UI", "00321032": "PN",
    "00321060": "LO", "00321064": "SQ", "00380010": "LO", "00380050": "LO", "00401001": "SH", "00401003": "SH",
}  # fmt: skip
STEP = {
    "00080060": "CS", "00321070": "LO", "00400001": "AE", "00400002": "DA", "00400003": "TM", "00400006": "PN",
    "00400007": "LO", "00400008": "SQ", "00400009": "SH", "00400010": "SH", "00400011": "SH",
}  # fmt: skip


@dataclass(frozen=True)
class Query:
    """A kind of query: what it asks for where it is to find a step."""

    key: str
    title: str
    keys: Callable[[Step], dict[str, str]]


DAY = f"{TODAY:%Y%m%d}"
ASKED = (
    Query("station_today", "its station, today",
          lambda step: {"00400001": step.station or "", "00400002": DAY}),
    Query("modality_today", "its modality, today, every station",
          lambda step: {"00080060": step.modality, "00400001": "*", "00400002": DAY}),
    Query("default", "nothing: what is for it from yesterday to tomorrow", lambda _: {}),
    Query("name", "a name with a wildcard, every station",
          lambda step: {"00100010": step.name[:-2] + "*", "00400001": "*"}),
    Query("accession", "an accession number, every station",
          lambda step: {"00080050": step.accession_number, "00400001": "*"}),
)  # fmt: skip
ALSO_THEIRS = ("station_today", "modality_today", "name", "accession")


def identifier(query: Query, step: Step, *, everywhere: str = "*") -> bytes:
    """The identifier of a query, encoded. `everywhere` is how this server is asked for every station."""
    keys = query.keys(step)
    item = {tag: _element(vr, keys.get(tag, "")) for tag, vr in ITEM.items()}
    inner = {tag: _element(vr, everywhere if keys.get(tag) == "*" else keys.get(tag, "")) for tag, vr in STEP.items()}
    item["00400100"] = {"vr": "SQ", "Value": [inner]}
    return encode(item, EXPLICIT_VR_LITTLE_ENDIAN)


def _element(vr: str, text: str) -> dict[str, Any]:
    value: Any = {"Alphabetic": text} if vr == "PN" else text
    return {"vr": vr, "Value": [value]} if text else {"vr": vr}


def run(*, quick: bool) -> int:
    """Measure and print; a whole run is written and judged. The exit status."""
    steps, theirs = (QUICK_STEPS, QUICK_THEIRS) if quick else (STEPS, THEIRS)
    count = QUICK_QUERIES if quick else QUERIES
    with ExitStack() as stack:
        ours, orthanc = stack.enter_context(peers.ours()), stack.enter_context(_orthanc(theirs))
        fill(ours, steps)
        measured = {
            "one": {query.key: _over_one(ours, query, steps, count) for query in ASKED},
            "eight": {query.key: _over_eight(ours, query, steps, count) for query in ASKED},
            "web": {query.key: _by_web(ours, query, steps, count) for query in ASKED if query.key != "default"},
            "orthanc": {
                query.key: _over_one(orthanc, query, theirs, min(count, THEIR_QUERIES), everywhere="")
                for query in ASKED
                if query.key in ALSO_THEIRS
            },
        }
    figures = {
        f"{key}_{how}_{name}_ms": round(value, 2)
        for how, by_query in measured.items()
        for key, times in by_query.items()
        for name, value in (("p50", statistics.median(times)), ("p99", slowest_hundredth(times)))
    }
    text = table(figures, theirs)
    print(text)
    if quick:
        return 0
    results.write("worklist", figures, {}, text)
    return check.check(["worklist"])


def fill(peer: Peer, count: int) -> None:
    """Put the steps and the pools into the database of this service."""
    with psycopg.connect(finding.dsn_of(peer), autocommit=True) as connection, connection.cursor() as cursor:
        with cursor.copy(COPY) as copy:
            for number in range(count):
                copy.write_row((*Step(number).row(), f"00000000-0000-7000-8000-{number:012x}"))
        for facility, stations in dict.fromkeys((each, 4 if each == OURS else 2) for each in FACILITIES):
            for modality in MODALITIES if facility == OURS else POOLED:
                titles = [f"{facility[:2]}{modality}{number}" for number in range(stations)]
                cursor.execute(
                    "INSERT INTO station_pools VALUES (%s, %s, %s, %s)", (facility, modality, modality, titles)
                )
        cursor.execute("VACUUM ANALYZE scheduled_procedure_steps")


def todays(count: int) -> list[Step]:
    """The steps of today that are for one station where we ask."""
    steps = map(Step, range(DAYS_PAST, count, DAYS))
    return [step for step in steps if step.facility == OURS and step.station]


def _requests(caller: Caller, query: Query, steps: Sequence[Step], everywhere: str) -> list[tuple[bytes, bytes]]:
    return [
        (caller.request(identifier(query, step, everywhere=everywhere)), step.accession_number.encode())
        for step in steps
    ]


def _over_one(peer: Peer, query: Query, steps: int, count: int, *, everywhere: str = "*") -> list[float]:
    """Milliseconds of each query over one association."""
    found = _todays_theirs(steps) if everywhere == "" else todays(steps)
    return _asked(peer, query, found, count, everywhere)


def _over_eight(peer: Peer, query: Query, steps: int, count: int) -> list[float]:
    """The same over eight associations at once, each of another station."""
    found = todays(steps)
    by_station = [
        [step for step in found if step.station == title] for title in sorted({s.station or "" for s in found})
    ]
    with ThreadPoolExecutor(ASSOCIATIONS) as threads:
        shares = threads.map(
            lambda own: _asked(peer, query, own, count // ASSOCIATIONS, "*"), by_station[:ASSOCIATIONS]
        )
        return [each for share in shares for each in share]


def _asked(peer: Peer, query: Query, steps: Sequence[Step], count: int, everywhere: str) -> list[float]:
    caller_title = steps[0].station or ""
    if not query.keys(steps[0]):
        steps = [step for step in steps if step.station == caller_title]
    with association(peer, MODALITY_WORKLIST_FIND, caller_title) as opened:
        caller = Caller(peer, opened, MODALITY_WORKLIST_FIND, identifier(ASKED[-1], steps[0], everywhere=everywhere))
        requests = _requests(caller, query, steps, everywhere)
        return list(_times(lambda number: caller.ask(*requests[number % len(requests)]), count))


def _times(ask: Callable[[int], object], count: int) -> Iterator[float]:
    for number in range(count + WARM):
        began = time.perf_counter()
        ask(number)
        if number >= WARM:
            yield (time.perf_counter() - began) * 1000


def _by_web(peer: Peer, query: Query, steps: int, count: int) -> list[float]:
    """Milliseconds of each query by MWL-RS (PS3.18 14), over one connection."""
    found = todays(steps)
    connection = http.client.HTTPConnection("127.0.0.1", peer.http_port, timeout=30)

    def ask(number: int) -> None:
        step = found[number % len(found)]
        keys = {(f"00400100.{tag}" if tag in STEP else tag): text for tag, text in query.keys(step).items()}
        path = f"{peer.dicomweb}/modality-scheduled-procedure-steps?{urlencode(keys)}"
        connection.request("GET", path, headers={**peer.headers, "Accept": "application/dicom+json"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or step.accession_number.encode() not in body:
            raise RuntimeError(f"GET {path} gave {answer.status}: {body[:300]!r}")

    try:
        return list(_times(ask, count))
    finally:
        connection.close()


def slowest_hundredth(times: Sequence[float]) -> float:
    """The 99th percentile, nearest rank."""
    return sorted(times)[-(-len(times) * 99 // 100) - 1]


# --- Orthanc ----------------------------------------------------------------------------------------------------------


@contextmanager
def _orthanc(count: int) -> Generator[Peer]:
    """Orthanc with its worklist plugin over so many files."""

    def settings(data: Path) -> dict[str, object]:
        folder = data / "worklists"
        folder.mkdir()
        for step in _todays_theirs(count):
            _save(step, folder / f"{step.number}.wl")
        return {
            "Worklists": {"Enable": True, "Database": str(folder)},
            "DicomAlwaysAllowFindWorklist": True,
            "DicomCheckCalledAet": False,
        }

    with peers.orthanc([PLUGIN], settings) as peer:
        yield peer


def _todays_theirs(count: int) -> list[Step]:
    """So many steps of today for one station each, more than there are here."""
    found = (Step(DAYS_PAST + DAYS * number) for number in range(count * 10))
    return [step for step in found if step.facility == OURS and step.station][:count]


def _save(step: Step, path: Path) -> None:
    item, inner = Dataset(), Dataset()
    inner.Modality, inner.ScheduledStationAETitle = step.modality, step.station
    inner.ScheduledProcedureStepStartDate = f"{step.start:%Y%m%d}"
    inner.ScheduledProcedureStepStartTime = f"{step.start:%H%M%S}"
    inner.ScheduledProcedureStepID = f"SPS{step.number:09d}"
    inner.ScheduledProcedureStepDescription = f"{step.modality} examination"
    item.SpecificCharacterSet = "ISO_IR 192"
    item.AccessionNumber, item.PatientName = step.accession_number, step.name
    item.PatientID, item.PatientBirthDate, item.PatientSex = f"P{step.number:08d}", "19800115", "F"
    item.StudyInstanceUID = f"2.25.8{step.number}"
    item.RequestedProcedureID = f"RP{step.number:09d}"
    item.RequestedProcedureDescription = f"{step.modality} examination"
    item.ScheduledProcedureStepSequence = [inner]
    item.file_meta = FileMetaDataset()
    item.file_meta.MediaStorageSOPClassUID = "1.2.276.0.7230010.3.1.0.1"
    item.file_meta.MediaStorageSOPInstanceUID = f"2.25.9{step.number}"
    item.file_meta.TransferSyntaxUID = EXPLICIT_VR_LITTLE_ENDIAN
    item.save_as(path, enforce_file_format=True)


def table(figures: dict[str, float], theirs: int) -> str:
    """Median and slowest hundredth of each query, in milliseconds, as a Markdown table."""
    heads = ("one association", "eight at once", "MWL-RS", f"Orthanc with {theirs:,} items")
    lines = [f"| what is asked for | {' | '.join(heads)} |", "|---|---:|---:|---:|---:|"]
    for query in ASKED:
        cells = [
            f"{figures[f'{query.key}_{how}_p50_ms']:.1f} / {figures[f'{query.key}_{how}_p99_ms']:.1f}"
            if f"{query.key}_{how}_p50_ms" in figures
            else ""
            for how in ("one", "eight", "web", "orthanc")
        ]
        lines.append(f"| {query.title} | {' | '.join(cells)} |")
    return "\n".join(["Median / slowest hundredth, ms.", "", *lines])
