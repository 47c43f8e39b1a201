"""Log lines: a static event name and fields from an allowed list, so that no name or finding of a patient gets out.

A field that is not allowed is left out and its name is put into `left_out`, so the mistake is seen and not the value.
"""

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO, cast

import orjson
import structlog

# fmt: off
ALLOWED_KEYS = frozenset((
    "event", "level", "timestamp", "process", "pid", "left_out", "request_id",
    "ae_title", "called_ae_title", "calling_ae_title", "accession_number", "abstract_syntax", "transfer_syntax",
    "action", "attempt", "attempts", "batch", "child", "command", "count", "door", "element", "error", "error_type",
    "exit_signal", "frames", "host", "instances", "job", "kind", "limit", "method", "modality", "peer", "permission",
    "phase", "port", "queue", "reason", "refused", "restarts", "result", "revision", "role", "route", "rows", "series",
    "stage", "state", "status", "step", "stored", "studies", "tag", "unit", "version",
))
ALLOWED_ENDINGS = (
    "_at", "_bytes", "_code", "_count", "_hours", "_id", "_ids", "_kind", "_mib", "_ms", "_number", "_pdu", "_port",
    "_seconds", "_state", "_status", "_uid", "_uids", "_version",
)
# fmt: on
REFUSED_PREFIXES = ("patient", "other_patient", "issuer_of_patient")
LONGEST_TEXT = 300


def get_logger(**fields: Any) -> structlog.typing.FilteringBoundLogger:
    """A logger that adds `fields` to each line."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(**fields))


def configure(process: str, *, level: str = "info", form: str = "auto", stream: TextIO | None = None) -> None:
    """Set up this process' log on `stream` (standard error), the standard library's loggers included.

    `form` is `json`, `console`, or `auto`: console on a terminal and JSON elsewhere.
    """
    out = stream or cast("TextIO", sys.stderr)
    json_lines = form == "json" or (form == "auto" and not out.isatty())
    stamp = structlog.processors.TimeStamper(fmt="iso" if json_lines else "%H:%M:%S", utc=json_lines)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        stamp,
        _named(process),
        _exception_without_values,
        only_allowed,
    ]
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=_json)
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    _configure_standard_library(out, shared, render, level)


def _configure_standard_library(
    stream: TextIO, shared: list[structlog.typing.Processor], render: structlog.typing.Processor, level: str
) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared[:-2]],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shared[-2:], render],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    # pydicom quotes the values it finds strange, and those can be a patient's name.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)


def only_allowed(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep fields whose key is allowed, texts shortened; name the others in `left_out`."""
    left_out = sorted(key for key in fields if not _allowed(key))
    for key in left_out:
        del fields[key]
    for key, value in fields.items():
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            fields[key] = value[:LONGEST_TEXT] + "…"
    if left_out:
        fields["left_out"] = left_out
    return fields


def _allowed(key: str) -> bool:
    return key in ALLOWED_KEYS or (key.endswith(ALLOWED_ENDINGS) and not key.startswith(REFUSED_PREFIXES))


def _exception_without_values(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by the type and the lines of code; messages of foreign exceptions can quote a data set."""
    error = _exception(fields.pop("exc_info", None))
    if error is None:
        return fields
    fields["error_type"] = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, OSError):
        fields["error"] = error.strerror
    elif type(error).__module__.startswith("radiology."):
        fields["error"] = str(error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen")]
    fields["frames"] = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    return fields


def _exception(info: Any) -> BaseException | None:
    """The exception meant by `exc_info`: itself, a triple as `sys.exc_info()` gives it, or true for the present one."""
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return cast("tuple[Any, BaseException | None, Any]", info)[1]
    return sys.exc_info()[1] if info else None


def _named(process: str) -> structlog.typing.Processor:
    def add(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        fields["process"] = process
        return fields

    return add


def _json(fields: Mapping[str, Any], **_: Any) -> str:
    return orjson.dumps(fields, default=str).decode()
