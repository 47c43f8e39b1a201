"""Forwarding: what a rule that sends everything on costs receiving, and how long after the last image it is done.

The receiver is DCMTK's `storescp --ignore`, which writes nothing; it runs on the same machine, as does the sender.
"""

import http.client
import json
import statistics
import time
from collections.abc import Sequence

from bench import check, results, sets
from bench.peers import Peer, ours
from bench.retrieving import DESTINATION, destination
from bench.sending import dcmsend

CASES = {"ct": "CT of 512 KiB, one association", "small": "objects of 4 KiB, one association"}
QUICK_SHARE = 10
LIMIT_SECONDS = 300
POLL_SECONDS = 0.05


def run(*, rounds: int, quick: bool) -> int:
    """Measure and print; a whole run is written and judged. The exit status."""
    share = QUICK_SHARE if quick else 1
    rates: dict[str, list[float]] = {}
    lags: dict[str, list[float]] = {}
    for number in range(rounds):
        for name in CASES:
            for forwarding in (False, True) if number % 2 == 0 else (True, False):
                rate, lag = measure(name, share, forwarding=forwarding)
                key = f"{name}{'_forwarded' if forwarding else ''}"
                rates.setdefault(key, []).append(rate)
                lags.setdefault(key, []).append(lag)
                print(f"round {number + 1}  {key:16} {rate:8.1f}/s, done {lag:.2f} s after the last", flush=True)
    figures = figures_of(rates, lags)
    print(table(rates, figures))
    if quick:
        return 0
    results.write("forwarding", figures, {"instances_a_second": rates, "lag_seconds": lags}, table(rates, figures))
    return check.check(["forwarding"])


def measure(name: str, share: int, *, forwarding: bool) -> tuple[float, float]:
    """Receive a set, with or without the rule: instances a second, and seconds until all of it has been sent on."""
    files = sets.files(name, sets.SPECS[name].count // share)
    with ours() as peer, destination(peer):
        dcmsend(peer, [sets.files("warm")], nodelay=True)
        if forwarding:
            ask(peer, "POST", "/api/radiology/routing-rules", {"name": "everything", "destinations": [DESTINATION]})
        seconds = dcmsend(peer, [files], nodelay=True)
        began = time.perf_counter()
        if forwarding:
            wait_until_sent(peer, len(files))
        lag = time.perf_counter() - began
    return len(files) / seconds, lag


def wait_until_sent(peer: Peer, count: int) -> None:
    """Until the receiver has acknowledged so many instances."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        deliveries = ask(peer, "GET", "/api/radiology/deliveries?limit=200")["results"]
        sent = sum(delivery["sent"] for delivery in deliveries)
        if sent >= count:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{sent} of {count} instances were sent on: {deliveries}")
        time.sleep(POLL_SECONDS)


def ask(peer: Peer, method: str, path: str, body: object = None) -> dict[str, list[dict[str, int]]]:
    """The JSON of an answer; anything but success is an error."""
    connection = http.client.HTTPConnection("127.0.0.1", peer.http_port, timeout=30)
    connection.request(method, path, json.dumps(body), {**peer.headers, "Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path} gave {answer.status}: {text[:300]!r}")
    return json.loads(text)


def figures_of(rates: dict[str, list[float]], lags: dict[str, list[float]]) -> dict[str, float]:
    """What the budgets are compared with: how much of the receiving is left, and how late the last was sent on."""
    found: dict[str, float] = {}
    for name in CASES:
        kept = statistics.median(rates[f"{name}_forwarded"]) / statistics.median(rates[name])
        found[f"{name}_kept"] = round(kept, 2)
        found[f"{name}_lag_seconds"] = round(statistics.median(lags[f"{name}_forwarded"]), 2)
    return found


def table(rates: dict[str, list[float]], figures: dict[str, float]) -> str:
    """The medians as a Markdown table; instances a second."""
    lines = [
        "| case | received alone | with a rule for everything | kept | last sent on after |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, title in CASES.items():
        lines.append(
            f"| {title} | {_median(rates[name])} | {_median(rates[f'{name}_forwarded'])} "
            f"| {figures[f'{name}_kept']:.2f} | {figures[f'{name}_lag_seconds']:.1f} s |"
        )
    return "\n".join(lines)


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):,.0f}"
