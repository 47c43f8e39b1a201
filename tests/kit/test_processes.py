"""Forked children: one that is told to stop in the moment of its birth stops."""

import subprocess
import sys

SCRIPT = """
import os, signal, time
from radiology.kit.processes import fork

signal.signal(signal.SIGTERM, lambda *_: None)
for _ in range(300):
    pid = fork("newborn", lambda: time.sleep(20))
    os.kill(pid, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM
print("all ended")
"""


def test_a_signal_in_the_moment_of_birth_is_not_lost() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "all ended", done.stderr
