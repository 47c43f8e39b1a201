"""C-FIND at STUDY level on one association: the same studies and the same queries in both servers, by turns.

A query is sent, and all its responses are read, by one caller; queries a second are what the caller sees. The studies
are stored by C-STORE in both. Then the tables of this service alone are filled up to a million studies.
"""

# ruff: noqa: E501 - the statement that fills is one column after the other.

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg

from bench import check, results
from bench.asking import Caller, association
from bench.peers import SERVERS, Peer
from radiology.settings import load_settings
from radiology.standards.dicom.data_set import encode
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, STUDY_ROOT_FIND

STUDIES, QUICK_STUDIES, MANY = 20_000, 400, 1_000_000
SECONDS, QUICK_SECONDS = 3.0, 0.5
ROUNDS = 3
QUERIES_AT_A_MILLION = 300
FAMILY = ("Rahman", "Khatun", "Karim", "Begum", "Hossain", "Akter", "Islam", "Sultana", "Chowdhury", "Das")
GIVEN = ("Abdul", "Rahela", "Nasrin", "Farida", "Jamal", "Salma", "Tariq", "Mina", "Rafiq", "Shirin", "Kamal", "Laila")
MODALITIES = ("CT", "MR", "DX", "US", "MG")
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
FIRST_DAY = date(2016, 1, 1)
DAYS = 1_000
DAYS_OF_A_MILLION = 4_000


@dataclass(frozen=True)
class Study:
    """One generated study, by its number."""

    number: int

    @property
    def day(self) -> str:
        """Twenty studies a day; of a million, two hundred and fifty."""
        days = DAYS if self.number < STUDIES else DAYS_OF_A_MILLION
        return f"{FIRST_DAY + timedelta(days=self.number % days):%Y%m%d}"

    @property
    def name(self) -> str:
        """One of 120 family and given names, made rarer by a third one."""
        family, given = FAMILY[self.number % 10], GIVEN[self.number // 10 % 12]
        return f"{family}^{given}^{self.number // 120 % 200:03d}"

    @property
    def uid(self) -> bytes:
        """Its Study Instance UID, as it stands in an answer."""
        return b"2.25.7%d" % self.number

    @property
    def modality(self) -> str:
        return MODALITIES[self.number // 7 % 5]

    def attributes(self) -> dict[str, Any]:
        """The data set, without pixels."""
        number = self.number
        plain = {
            "00080016": ("UI", CT_STORAGE), "00080018": ("UI", f"2.25.7{number}.1.1"), "00080020": ("DA", self.day),
            "00080030": ("TM", f"{number % 24:02d}{number % 60:02d}00"), "00080050": ("SH", f"A{number:08d}"),
            "00080060": ("CS", self.modality), "00081030": ("LO", "BENCH"), "00100020": ("LO", f"P{number:08d}"),
            "00100030": ("DA", "19700101"), "00100040": ("CS", "O"), "0020000D": ("UI", f"2.25.7{number}"),
            "0020000E": ("UI", f"2.25.7{number}.1"), "00200010": ("SH", "1"), "00200011": ("IS", 1),
            "00200013": ("IS", 1),
        }  # fmt: skip
        return {
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": self.name}]},
            **{tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in plain.items()},
        }


@dataclass(frozen=True)
class Query:
    """A kind of query: its keys for a study that exists."""

    key: str
    keys: Callable[[Study], dict[str, str]]
    wanted: float = 25


QUERIES = (
    Query("patient_id", lambda study: {"PatientID": f"P{study.number:08d}"}),
    Query("accession_number", lambda study: {"AccessionNumber": f"A{study.number:08d}"}),
    Query("study_date", lambda study: {"StudyDate": study.day}),
    Query(
        "name_and_modality", lambda study: {"PatientName": study.name[:-1] + "*", "ModalitiesInStudy": study.modality}
    ),
)
RETURNED = {
    "00080020": "DA", "00080030": "TM", "00080050": "SH", "00080061": "CS", "00081030": "LO", "00100010": "PN",
    "00100020": "LO", "00100030": "DA", "0020000D": "UI", "00201208": "IS",
}  # fmt: skip
TAGS = {"PatientID": "00100020", "AccessionNumber": "00080050", "StudyDate": "00080020", "PatientName": "00100010",
        "ModalitiesInStudy": "00080061"}  # fmt: skip


def identifier(query: Query, study: Study) -> bytes:
    """The identifier of a query, encoded."""
    asked: dict[str, Any] = {tag: {"vr": vr} for tag, vr in RETURNED.items()}
    asked["00080052"] = {"vr": "CS", "Value": ["STUDY"]}
    for keyword, text in query.keys(study).items():
        value: Any = {"Alphabetic": text} if keyword == "PatientName" else text
        asked[TAGS[keyword]] = {"vr": RETURNED[TAGS[keyword]], "Value": [value]}
    return encode(asked, EXPLICIT_VR_LITTLE_ENDIAN)


def run(*, only: str | None, quick: bool) -> int:
    """Measure and print; a whole run is written and judged. The exit status."""
    count, seconds, rounds = (QUICK_STUDIES, QUICK_SECONDS, 1) if quick else (STUDIES, SECONDS, ROUNDS)
    names = [only] if only else ["orthanc", "ours"]
    rates: dict[tuple[str, str], list[float]] = {}
    figures: dict[str, float] = {}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(SERVERS[name]()) for name in names}
        for peer in servers.values():
            fill(peer, count)
        for turn in range(rounds):
            for query in QUERIES:
                for name in names if turn % 2 == 0 else reversed(names):
                    rate = measure(servers[name], query, count, seconds)
                    rates.setdefault((query.key, name), []).append(rate)
                    print(f"round {turn + 1}  {query.key:18} {name:8} {rate:8.1f}/s", flush=True)
        if "ours" in servers and not quick:
            figures |= at_a_million(servers["ours"])
    medians = {pair: statistics.median(values) for pair, values in rates.items()}
    text = table(medians, figures)
    print(text)
    if quick or only:
        return 0
    figures |= {f"{query.key}_ratio": medians[query.key, "ours"] / medians[query.key, "orthanc"] for query in QUERIES}
    details = {"rates": {" ".join(pair): values for pair, values in rates.items()}}
    results.write("finding", {key: round(value, 2) for key, value in figures.items()}, details, text)
    return check.check(["finding"])


def fill(peer: Peer, count: int) -> None:
    """Store the studies."""
    with association(peer, CT_STORAGE) as opened:
        for number in range(count):
            data = encode(Study(number).attributes(), EXPLICIT_VR_LITTLE_ENDIAN)
            response = opened.store(CT_STORAGE, f"2.25.7{number}.1.1", data)
            if response.status:
                raise RuntimeError(f"{peer.name} answered {response.status:04X} to study {number}")


def measure(peer: Peer, query: Query, count: int, seconds: float) -> float:
    """Queries a second on one association, each for another study, each answered with it."""
    with association(peer, STUDY_ROOT_FIND) as opened:
        caller = Caller(peer, opened, STUDY_ROOT_FIND, identifier(QUERIES[0], Study(0)))
        studies = [Study(number * 7919 % count) for number in range(2_000)]
        requests = [(caller.request(identifier(query, study)), study.uid) for study in studies]
        asked, began = 0, time.perf_counter()
        while time.perf_counter() < began + seconds:
            caller.ask(*requests[asked % len(requests)])
            asked += 1
        return asked / (time.perf_counter() - began)


# --- A million --------------------------------------------------------------------------------------------------------

GROW = """
    INSERT INTO imaging_studies (patient_id, status, study_description, accession_number, study_instance_uid, facility_code,
        modalities_in_study, dicom_patient_id, patient_name, patient_name_search, patient_birth_date, patient_sex,
        dicom_study_id, study_date, study_time, dicom, number_of_series, number_of_instances, size_bytes)
    SELECT template.patient_id, 'completed', 'BENCH', 'A' || lpad(n::text, 8, '0'), '2.25.7' || n, template.facility_code,
        ARRAY[(%(modalities)s::text[])[n / 7 %% 5 + 1]], 'P' || lpad(n::text, 8, '0'), name, lower(replace(name, '^', ' ')),
        '19700101', 'O', '1', day, time,
        template.dicom || jsonb_build_object(
            '00080020', jsonb_build_object('vr', 'DA', 'Value', jsonb_build_array(to_char(day, 'YYYYMMDD'))),
            '00080050', jsonb_build_object('vr', 'SH', 'Value', jsonb_build_array('A' || lpad(n::text, 8, '0'))),
            '00100010', jsonb_build_object('vr', 'PN', 'Value', jsonb_build_array(jsonb_build_object('Alphabetic', name))),
            '00100020', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array('P' || lpad(n::text, 8, '0')))),
        1, 1, 1000
    FROM (SELECT * FROM imaging_studies WHERE study_instance_uid = '2.25.70') template
    CROSS JOIN generate_series(%(first)s::int, %(last)s::int) AS n
    CROSS JOIN LATERAL (
        SELECT (%(families)s::text[])[n %% 10 + 1] || '^' || (%(givens)s::text[])[n / 10 %% 12 + 1] || '^'
                || lpad((n / 120 %% 200)::text, 3, '0') AS name,
            %(first_day)s::date + n %% %(days)s AS day, make_time(n %% 24, n %% 60, 0) AS time
    ) made
"""
STEP = 50_000


def at_a_million(peer: Peer) -> dict[str, float]:
    """Milliseconds of the slowest hundredth of each query with a million studies."""
    grow(peer)
    figures: dict[str, float] = {}
    with association(peer, STUDY_ROOT_FIND) as opened:
        caller = Caller(peer, opened, STUDY_ROOT_FIND, identifier(QUERIES[0], Study(0)))
        for query in QUERIES:
            times: list[float] = []
            for asked in range(QUERIES_AT_A_MILLION + 20):
                study = Study(asked * 7919 * 31 % MANY)
                request = caller.request(identifier(query, study))
                began = time.perf_counter()
                caller.ask(request, study.uid)
                times.append((time.perf_counter() - began) * 1000)
            slow = sorted(times[20:])[int(QUERIES_AT_A_MILLION * 0.99) - 1]
            figures[f"{query.key}_p99_ms"] = round(slow, 2)
            print(
                f"a million  {query.key:18} median {statistics.median(times):6.2f} ms, p99 {slow:6.2f} ms", flush=True
            )
    return figures


def grow(peer: Peer) -> None:
    """Fill the database of this service with studies that were never stored, up to a million."""
    with psycopg.connect(dsn_of(peer), autocommit=True) as connection:
        for first in range(STUDIES, MANY, STEP):
            last = min(first + STEP, MANY) - 1
            connection.execute(GROW, {"modalities": list(MODALITIES), "families": list(FAMILY), "givens": list(GIVEN),
                                      "first": first, "last": last, "first_day": FIRST_DAY, "days": DAYS_OF_A_MILLION})  # fmt: skip
        connection.execute("VACUUM ANALYZE imaging_studies")


def dsn_of(peer: Peer) -> str:
    """Where the embedded database of a running service listens."""
    if peer.data is None:
        raise RuntimeError("only this service's own database can be filled")
    return load_settings(data_dir=peer.data).database_dsn


def table(medians: dict[tuple[str, str], float], million: dict[str, float]) -> str:
    """Queries a second and their ratio, and the slowest hundredth at a million studies, as a Markdown table."""
    lines = ["| query | Orthanc | ours | ratio | wanted | p99 at 1,000,000 studies |", "|---|---:|---:|---:|---:|---:|"]
    for query in QUERIES:
        theirs, own = medians.get((query.key, "orthanc")), medians.get((query.key, "ours"))
        ratio = f"{own / theirs:.1f}" if own and theirs else ""
        slow = million.get(f"{query.key}_p99_ms")
        cells = (
            query.key,
            f"{theirs or 0:.1f}",
            f"{own or 0:.1f}",
            ratio,
            f"{query.wanted:g}",
            f"{slow} ms" if slow else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
