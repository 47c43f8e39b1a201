"""The whole service as `radi serve` starts it, for tests that kill it or misuse it from outside."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import Request, urlopen

from node import free_port


class Service:
    """The whole service in processes of its own, on free ports and a folder of the test's; `settings` by name."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.http_port, self.dicom_port = free_port(), free_port()
        self.log_path = folder / "service.log"
        self._log = self.log_path.open("ab")
        self._environment = {
            **os.environ,
            "RADI_DATA_DIR": str(folder / "data"),
            "RADI_HTTP_PORT": str(self.http_port),
            "RADI_DICOM_PORT": str(self.dicom_port),
            "RADI_ALLOW_UNKNOWN_AE": "true",
            "RADI_FETCH_VIEWER": "false",
            "RADI_DISK_RESERVE_BYTES": "0",
            **{f"RADI_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.token = ""

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "radiology.cli", "serve"],
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            with suppress(OSError), urlopen(f"http://127.0.0.1:{self.http_port}/health/ready", timeout=2) as answer:
                if answer.status == 200:
                    break
            assert self._process.poll() is None, "the service ended while starting"
            time.sleep(0.1)
        else:
            raise AssertionError("the service did not become ready")
        if not self.token:
            made = subprocess.run(
                [sys.executable, "-m", "radiology.cli", "token", "faults", "--role", "administrator"],
                env=self._environment,
                capture_output=True,
                text=True,
                check=True,
            )
            self.token = made.stdout.split()[-1]

    def processes(self) -> list[int]:
        """The supervisor and everything below it."""
        assert self._process is not None
        found, wanted = [self._process.pid], [self._process.pid]
        while wanted:
            children = Path(f"/proc/{wanted.pop()}/task").glob("*/children")
            for children_file in children:
                with suppress(OSError):
                    pids = [int(pid) for pid in children_file.read_text().split()]
                    found += pids
                    wanted += pids
        return found

    def kill(self, rng: random.Random) -> None:
        """End everything with SIGKILL, in any order."""
        pids = self.processes()
        rng.shuffle(pids)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)
        self._log.close()

    def get(self, path: str, accept: str) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": accept}
        request = Request(f"http://127.0.0.1:{self.http_port}{path}", headers=headers)
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.read()
