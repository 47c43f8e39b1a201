"""The viewer: how long until a person sees the first image of a CT of 1,000 slices, out of Orthanc and out of here.

The same OHIF build is served by both: by this service as people open it, by Orthanc with its own plugin ServeFolders
beside its DICOMweb plugin. The browser (headless Chromium) is a new process with an empty cache each time, and the
server is warm. The time runs from the navigation until the canvas shows more than letters.
"""

import re
import shutil
import statistics
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Playwright, sync_playwright

from bench import check, results, sets
from bench.peers import SERVERS, Peer, orthanc
from bench.sending import dcmsend
from radiology.settings import Settings
from radiology.viewer.patches import PAGE
from radiology.viewer.place import built, key

CHROMIUM = Path("/usr/bin/chromium")
SERVE_FOLDERS = "/usr/share/orthanc/plugins/libServeFolders.so"
SLICES, QUICK_SLICES = 1000, 100
LONGEST_MS = 60_000
#: As it comes: without a graphics card WebGL is off, and OHIF draws by itself.
ARGUMENTS = ["--no-sandbox"]

#: Looks every 40 ms whether a canvas has a picture, at the cost of 1,024 pixels, and keeps the moment when it has.
WATCH = """(() => {
    const small = new OffscreenCanvas(32, 32), context = small.getContext("2d", {willReadFrequently: true});
    const timer = setInterval(() => {
        for (const canvas of document.querySelectorAll(".cornerstone-canvas")) {
            if (!canvas.width) continue;
            context.drawImage(canvas, 0, 0, 32, 32);
            const pixels = context.getImageData(0, 0, 32, 32).data;
            if (new Set(pixels.filter((_, at) => at % 4 === 0)).size < 10) continue;
            window.firstImage = performance.now();
            clearInterval(timer);
        }
    }, 40);
})();"""


def run(*, only: str | None, rounds: int, quick: bool) -> int:
    """Measure and print; a whole run of both servers is written and judged. The exit status."""
    times = measure([only] if only else ["orthanc", "ours"], rounds, QUICK_SLICES if quick else SLICES)
    print(table(times))
    if only or quick:
        return 0
    figures = {
        "first_image_seconds": round(statistics.median(times["ours"]), 2),
        "first_image_ratio": round(statistics.median(times["orthanc"]) / statistics.median(times["ours"]), 2),
    }
    results.write("viewer", figures, {"seconds": times}, table(times))
    return check.check(["viewer"])


def measure(servers: list[str], rounds: int, slices: int) -> dict[str, list[float]]:
    """Seconds until the first image, by server, by turns."""
    times: dict[str, list[float]] = {name: [] for name in servers}
    files = sets.files("ct", slices)
    with sync_playwright() as playwright:
        for name in servers:
            with served(name) as (peer, path):
                dcmsend(peer, [files], nodelay=True)
                peer.instances_of(sets.study_uid("ct"))
                cookies = sign_in(playwright, peer) if name == "ours" else []
                first_image(playwright, peer, path, cookies)  # Fills the caches of the server, of both alike.
                for number in range(rounds):
                    seconds = first_image(playwright, peer, path, cookies)
                    times[name].append(round(seconds, 2))
                    print(f"round {number + 1}  {name:8} {seconds:6.2f} s", flush=True)
    return times


@contextmanager
def served(name: str) -> Generator[tuple[Peer, str]]:
    """A server with the viewer, and the address of the study in it."""
    query = f"?StudyInstanceUIDs={sets.study_uid('ct')}"
    folder = built(Settings().viewer_dir)
    if folder is None:
        raise RuntimeError("The viewer has not been made here: run `./radi viewer` first.")
    if name == "ours":
        with SERVERS["ours"]() as peer:
            yield peer, "/viewer/viewer" + query
    else:
        with orthanc(plugins=[SERVE_FOLDERS], more=lambda data: orthanc_viewer(folder, data)) as peer:
            yield peer, "/viewer/start.html" + query


def orthanc_viewer(folder: Path, data: Path) -> dict[str, object]:
    """The folder that Orthanc serves, and what is set for that; DICOMweb lies where this service has it."""
    web = data / "viewer"
    shutil.copytree(folder, web / key(), ignore=shutil.ignore_patterns("*.br", "*.gz"))
    for own in (Path(__file__).parents[1] / "src" / "radiology" / "viewer" / "files").iterdir():
        shutil.copy(own, web)
    # The plugin gives a page only by its file's name, and OHIF goes by the path.
    (web / "start.js").write_text('history.replaceState(null, "", "/viewer/viewer" + location.search);')
    text = (folder / PAGE).read_text().replace("<head>", '<head><script src="/viewer/start.js"></script>', 1)
    (web / "start.html").write_text(text)
    return {"ServeFolders": {"/viewer": str(web)}, "DicomWeb": {"Root": "/dicomweb/"}}


def sign_in(playwright: Playwright, peer: Peer) -> list[dict[str, object]]:
    """The session of the first administrator, whose password the service has printed."""
    assert peer.data is not None
    found = re.search(r"one-time password (\S+)", (peer.data.parent / "bench-log.txt").read_text())
    assert found is not None
    base = f"http://127.0.0.1:{peer.http_port}"
    request = playwright.request.new_context(base_url=base, extra_http_headers={"Origin": base})
    answer = request.post("/login", form={"name": "admin", "password": found[1]}, max_redirects=0)
    assert answer.status == 303, answer.text()
    chosen = {"password": found[1], "newPassword": "meghna river at night"}  # The first one is for one use.
    answer = request.post("/api/radiology/me/password", data=chosen)
    assert answer.status == 204, answer.text()
    return list(request.storage_state()["cookies"])


def first_image(playwright: Playwright, peer: Peer, path: str, cookies: list[dict[str, object]]) -> float:
    """Seconds from the navigation of a new browser to the first image."""
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
    try:
        context: BrowserContext = browser.new_context(viewport={"width": 1200, "height": 800})
        context.add_cookies(cookies)  # pyright: ignore[reportArgumentType]
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{peer.http_port}{path}", wait_until="commit")
        page.wait_for_function("window.firstImage", timeout=LONGEST_MS, polling=200)
        return page.evaluate("window.firstImage") / 1000
    finally:
        browser.close()


def table(times: dict[str, list[float]]) -> str:
    """The medians as a Markdown table."""
    lines = ["| case | Orthanc | ours | to reach |", "|---|---:|---:|---|"]
    shown = [f"{statistics.median(times[name]):.2f} s" if times.get(name) else "" for name in ("orthanc", "ours")]
    lines.append(f"| First image of a CT of {SLICES:,} slices in OHIF | {shown[0]} | {shown[1]} | 2 s, and less |")
    return "\n".join(lines)
