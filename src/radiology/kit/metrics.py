"""Every metric of the product. Children with labels are kept, because finding one costs more than counting with it.

The first three are the specification's. In several processes the client library writes to the folder that
`PROMETHEUS_MULTIPROC_DIR` names (the supervisor sets it), and `exposition` sums over all of them.
"""

from collections.abc import Iterable
from functools import lru_cache

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_requests = Counter("radiology_requests_total", "Total number of radiology requests", ["method", "endpoint", "status"])
_dicom_operations = Counter("dicom_operations_total", "Total number of DICOM operations", ["operation", "status"])
_report_seconds = Histogram(
    "radiology_report_generation_seconds",
    "Time taken to generate radiology reports",
    ["modality", "report_type"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_request_seconds = Histogram(
    "radiology_request_seconds",
    "Time from the first byte of a request to the last of its answer",
    ["method", "endpoint"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_associations = Counter("radiology_associations_total", "DICOM associations by how they began or ended", ["outcome"])
_refused = Counter("radiology_associations_refused_total", "DICOM associations that were refused", ["reason"])
_calls = Counter("radiology_calls_total", "DICOM associations that were asked of peers, by how they ended", ["outcome"])

_hl7_messages = Counter("radiology_hl7_messages_total", "HL7 messages that came, by type and answer", ["type", "code"])
_hl7_connections = Counter("radiology_hl7_connections_total", "HL7 connections by how they ended", ["outcome"])
_hl7_sent = Counter("radiology_hl7_sent_total", "HL7 messages that were sent, by what became of them", ["outcome"])
hl7_connections_open = Gauge("radiology_hl7_connections_open", "HL7 connections now open", multiprocess_mode="livesum")
hl7_seconds = Histogram(
    "radiology_hl7_seconds",
    "Time from the last byte of an HL7 message to its acknowledgement",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

_audit_verifications = Counter(
    "radiology_audit_verifications_total", "Verifications of the chain of the audit record", ["result"]
)
audit_lost = Counter("radiology_audit_lost_total", "Accesses that could not be recorded")
audit_waiting_bytes = Gauge(
    "radiology_audit_waiting_bytes", "Records of reading that wait in a local file", multiprocess_mode="livesum"
)

_recompression = Counter(
    "radiology_recompression_instances_total",
    "Uncompressed instances that were compressed at rest, or kept as they are",
    ["outcome"],
)
recompression_saved_bytes = Counter(
    "radiology_recompression_saved_bytes_total", "Bytes that compression at rest has saved"
)
_verified_objects = Counter(
    "radiology_objects_verified_total", "Stored objects that were compared with what was stored", ["result"]
)
associations_open = Gauge("radiology_associations_open", "DICOM associations now open", multiprocess_mode="livesum")
instances_stored = Counter("radiology_instances_stored_total", "New instances that were indexed")
bytes_stored = Counter("radiology_bytes_stored_total", "Bytes of new instances that were indexed")
index_waiting = Gauge(
    "radiology_index_waiting", "Instances written to disk that wait to be indexed", multiprocess_mode="livesum"
)
index_lag_seconds = Histogram(
    "radiology_index_lag_seconds",
    "Time from the last byte of an instance on disk to its commit in the index",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)


@lru_cache(maxsize=4096)
def request(method: str, endpoint: str, status: int) -> Counter:
    """Counter of requests; `endpoint` is the route's template, never the path that was asked for."""
    return _requests.labels(method, endpoint, str(status))


@lru_cache(maxsize=1024)
def request_seconds(method: str, endpoint: str) -> Histogram:
    """How long requests of one route take."""
    return _request_seconds.labels(method, endpoint)


@lru_cache(maxsize=512)
def dicom_operation(operation: str, status: str) -> Counter:
    """Counter of DICOM operations: `C-STORE`, `STOW-RS`, ... by status, four hexadecimal digits as `0000`."""
    return _dicom_operations.labels(operation, status)


@lru_cache(maxsize=64)
def association(outcome: str) -> Counter:
    """Counter of associations: `accepted`, `rejected`, `released`, `aborted`."""
    return _associations.labels(outcome)


@lru_cache(maxsize=64)
def association_refused(reason: str) -> Counter:
    """Counter of associations that were refused, by the code of the reason."""
    return _refused.labels(reason)


@lru_cache(maxsize=64)
def call(outcome: str) -> Counter:
    """Counter of associations that we asked for: how they ended, or that they could not be opened."""
    return _calls.labels(outcome)


@lru_cache(maxsize=256)
def hl7_message(type: str, code: str) -> Counter:
    """Counter of HL7 messages: a type that is used here, or `other`; the answer AA, AE or AR."""
    return _hl7_messages.labels(type, code)


@lru_cache(maxsize=32)
def hl7_connection(outcome: str) -> Counter:
    """Counter of HL7 connections by how they ended: `closed`, `idle`, `half a message`, ..."""
    return _hl7_connections.labels(outcome)


@lru_cache(maxsize=8)
def hl7_sent(outcome: str) -> Counter:
    """Counter of HL7 messages that we sent: `sent`, `refused`, `postponed`, `given up`."""
    return _hl7_sent.labels(outcome)


@lru_cache(maxsize=8)
def recompression(outcome: str) -> Counter:
    """Counter of instances that compression at rest has looked at: `compressed`, `kept`."""
    return _recompression.labels(outcome)


@lru_cache(maxsize=8)
def verified_objects(result: str) -> Counter:
    """Counter of objects that were verified: `intact`, `missing`, `truncated`, `altered`, `unreadable`."""
    return _verified_objects.labels(result)


@lru_cache(maxsize=8)
def audit_verification(result: str) -> Counter:
    """Counter of verifications of the audit record: `intact`, `broken`."""
    return _audit_verifications.labels(result)


@lru_cache(maxsize=256)
def report_generation(modality: str, report_type: str) -> Histogram:
    """How long making a report takes, by the study's modality and the report's status."""
    return _report_seconds.labels(modality, report_type)


def exposition(gauges: Iterable[tuple[str, str, float]] = ()) -> bytes:
    """All metrics of all processes in Prometheus' text format; `gauges` (name, help, value) were asked for just now."""
    now = CollectorRegistry()
    now.register(_Gauges(gauges))
    return _kept() + generate_latest(now)


def _kept() -> bytes:
    together = CollectorRegistry()
    try:
        multiprocess.MultiProcessCollector(together)
    except ValueError:  # One process alone: no folder is named.
        return generate_latest(REGISTRY)
    return generate_latest(together)


class _Gauges(Collector):
    def __init__(self, gauges: Iterable[tuple[str, str, float]]) -> None:
        self._gauges = list(gauges)

    def collect(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(name, text, value=value) for name, text, value in self._gauges]
