"""Orders by HL7 over MLLP: ORM^O01, each with a patient that nobody knows yet, while the whole service runs."""

import json
import socket
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from bench import check, results
from bench.peers import Peer, bearer_token, free_port, ours, service_environment

ORDERS, CONNECTIONS = 2_000, 4
QUICK_SHARE = 10
SENDER = {"sendingApplication": "BENCH", "mappings": {"procedures": {"CTHEAD": {"modality": "CT"}}}}
FAMILIES = ("Rahman", "Hossain", "Islam", "Akter", "Begum", "Chowdhury", "Das", "Khatun", "Sarker", "Uddin")
GIVEN = ("আব্দুল", "করিম", "নাসরিন", "ফাতেমা", "কামাল", "সালমা", "রহিম", "জাহানারা", "তানভীর", "শিরিন")


def run(*, quick: bool) -> int:
    """Measure and print; a whole run is written and judged. The exit status."""
    port = free_port()
    with ours({"RADI_HL7_PORT": str(port)}) as peer:
        _register(peer)
        figures = measure(port, ORDERS // QUICK_SHARE if quick else ORDERS)
    print(table(figures))
    if quick:
        return 0
    results.write("orders", figures, {}, table(figures))
    return check.check(["orders"])


def measure(port: int, count: int) -> dict[str, float]:
    """Send all over some connections at once, each waiting for its acknowledgement."""
    _send(port, range(CONNECTIONS))  # What is done once is not measured.
    shares = [range(1000 + number, 1000 + count, CONNECTIONS) for number in range(CONNECTIONS)]
    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        taken = sorted(seconds for share in threads.map(lambda share: _send(port, share), shares) for seconds in share)
    seconds = time.perf_counter() - began
    return {
        "orders_a_second": round(count / seconds, 1),
        "median_ms": round(taken[len(taken) // 2] * 1000, 1),
        "p99_ms": round(taken[len(taken) * 99 // 100] * 1000, 1),
    }


def _send(port: int, numbers: Sequence[int]) -> list[float]:
    taken: list[float] = []
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        for number in numbers:
            began = time.perf_counter()
            connection.sendall(b"\x0b" + order(number) + b"\x1c\r")
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                answer += connection.recv(65536)
            if b"MSA|AA|" not in answer:
                raise RuntimeError(f"an order was answered {answer.decode()}")
            taken.append(time.perf_counter() - began)
    return taken


def order(number: int) -> bytes:
    """The message of an order; names and birth dates are spread, numbers are new."""
    family, given = FAMILIES[number % 10], GIVEN[number // 10 % 10]
    born = f"{1930 + number % 80}{1 + number % 12:02}{1 + number % 28:02}"
    lines = (
        rf"MSH|^~\&|BENCH|DMCH|RADI|LOCAL|20260121103000+0600||ORM^O01^ORM_O01|B{number}|P|2.5.1||||||UNICODE UTF-8",
        f"PID|1||B{number}^^^DMCH^MR||{family}^Test{number}~{given}^পরীক্ষা||{born}|{'MF'[number % 2]}|||||01711000000",
        "PV1|1|O|OPD^2",
        f"ORC|NW|B{number}^BENCH|||||1^^^202601211430^^R||20260121100000|||7^Hossain^Kamal^^^Dr",
        f"OBR|1|B{number}^BENCH||CTHEAD^CT head^LOCAL|||||||||Headache for two weeks",
    )
    return "".join(f"{line}\r" for line in lines).encode()


def table(figures: dict[str, float]) -> str:
    """The figures for readers."""
    rows = (f"| {key} | {value:g} |" for key, value in figures.items())
    return "\n".join([f"| {CONNECTIONS} connections | |", "|---|---:|", *rows])


def _register(peer: Peer) -> None:
    environment = service_environment(peer.data, peer.http_port, peer.dicom_port)
    token = bearer_token(environment, "administrator")
    request = urllib.request.Request(
        f"http://127.0.0.1:{peer.http_port}/api/radiology/hl7/senders/bench",
        json.dumps(SENDER).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        assert answer.status == 200
