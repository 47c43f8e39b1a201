"""Requests of every kind, made by schemathesis from our own OpenAPI description: none breaks the service, and who is
nobody, or may only look, gets nothing else.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from radiology.access.accounts import make_token
from served import served

pytestmark = pytest.mark.anyio

CHECKS = "not_a_server_error,content_type_conformance"
#: The first two never end; the body of the third is DICOM.
LEFT_OUT = ["/api/radiology/events", "/api/radiology/associations/stream", "/api/radiology/dicom/store"]
#: Every edge of every parameter, or a few requests of each operation.
WHOLE = os.environ.get("RADI_TEST_CAMPAIGN") == "whole"
PHASES = "coverage,fuzzing" if WHOLE else "fuzzing"
CONFIG = """
[generation]
deterministic = true
"""


async def schemathesis(port: int, folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and what it says."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG, encoding="utf-8")
    excluded = [word for path in LEFT_OUT for word in ("--exclude-path", path)]
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        *("--config-file", config, "run", f"http://127.0.0.1:{port}/openapi.json"),
        *("--checks", CHECKS, "--phases", PHASES, "--max-examples", "20" if WHOLE else "3", "--workers", "1"),
        *("--warnings", "off", "--no-color", "--request-timeout", "20", "--suppress-health-check", "all"),
        *excluded,
        *arguments,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, told.decode()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("role", [None, "referrer", "patient", "administrator"])
async def test_no_request_breaks_the_service(
    service: FastAPI, app: Any, client: Any, tmp_path: Path, role: str | None
) -> None:
    headers: list[str] = []
    if role is not None:
        headers = ["--header", f"Authorization:Bearer {await make_token(app, role, role=role)}"]
    async with served(service) as port:
        code, told = await schemathesis(port, tmp_path, *headers)
    assert code == 0, told[-6000:]
