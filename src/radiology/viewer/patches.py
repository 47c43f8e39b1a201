"""What is changed in OHIF's files, each with how often it must be found: a new version is looked at, not trusted.

The files lie below `/viewer/<key>/`, where `key` names exactly this content, so that browsers keep them for ever; the
page itself and its configuration lie at `/viewer/`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from radiology.viewer.package import CannotBuild
from radiology.viewer.place import ROOT

PAGE = "index.html"


@dataclass(frozen=True, slots=True)
class Change:
    """A text that is replaced in files of a pattern: `times` in all, in `files` files."""

    pattern: str
    old: str
    new: str
    times: int
    files: int = 1


def changes(base: str) -> tuple[Change, ...]:
    """All changes; `base` is the path below which the files lie, with a slash at both ends."""
    return (
        # Where bundles look for other bundles, for workers and for WebAssembly.
        Change("*.js", '__webpack_require__.p = "/";', f'__webpack_require__.p = "{base}";', times=8, files=8),
        Change("*.css", "url(/", f"url({base}", times=5),
        # Contexts of WebGL, all made before the first image; each costs 100 to 200 ms without a graphics card.
        # Viewports beyond this number share them.
        Change("*.js", "webGlContextCount: 7,", "webGlContextCount: 2,", times=2, files=2),
        # Links of the page; its configuration stands beside it.
        Change(PAGE, 'src="/app.bundle', f'src="{base}app.bundle', times=1),
        Change(PAGE, '<link href="/app.bundle.css"', f'<link href="{base}app.bundle.css"', times=1),
        # What phones and old desktops show beside a bookmark: two icons are enough, and no service worker.
        Change(PAGE, '<link rel="icon shortcut" href="/', f'<link rel="icon shortcut" href="{base}', times=1),
        Change(PAGE, '<link rel="manifest" href="/manifest.json">', "", times=1),
        Change(
            PAGE,
            '<meta name="msapplication-TileColor" content="#fff">'
            '<meta name="msapplication-TileImage" content="/assets/mstile-144x144.png">'
            '<meta name="msapplication-config" content="/assets/browserconfig.xml">',
            "",
            times=1,
        ),
        Change(
            PAGE,
            '<script rel="preload" as="script" type="module" src="/init-service-worker.js"></script>',
            "",
            times=1,
        ),
        # No script stands in the page itself, so that its policy can forbid all of them.
        Change(PAGE, '<script>console.time("scriptToView"),window.PUBLIC_URL="/"</script>', "", times=1),
        Change(
            PAGE,
            '<script rel="preload" as="script" src="/app-config.js"></script>',
            f'<script src="{ROOT}app-config.js"></script>',
            times=1,
        ),
        Change(
            PAGE,
            '<script>function browserImportFunction(n){return import(n)}window.PUBLIC_URL="/"</script>',
            "",
            times=1,
        ),
        # Letters of Bangla, which few machines have: a part of the font that the page uses anyhow.
        Change(PAGE, "</head>", f'<link href="{ROOT}letters.css" rel="stylesheet"></head>', times=1),
        Change(PAGE, "<title>OHIF Viewer</title>", "<title>Images</title>", times=1),
        # Zooming is not forbidden to whoever sees badly.
        Change(PAGE, ",maximum-scale=1.0,user-scalable=no", "", times=1),
    )


_MORE_ICONS = re.compile(r'<link rel="(?:icon|apple-touch-[a-z-]+|yandex-tableau-widget)"[^>]*>')
_MORE_ICONS_TIMES = 25
#: Extensions and modes, which every page of the viewer loads.
_ASKED_FOR_NEXT = (1673, 6938, 6489, 6495, 8478, 89, 2779, 6749, 5696)


def apply(folder: Path, base: str) -> None:
    """Change the files below `folder`. Raises CannotBuild where one of them is not as it was when this was written."""
    for change in changes(base):
        _apply(folder, change)
    page = folder / PAGE
    text, times = _MORE_ICONS.subn("", page.read_text(encoding="utf-8"))
    _check(_MORE_ICONS.pattern, times, _MORE_ICONS_TIMES)
    text = text.replace("</head>", _preloads(folder, base) + "</head>")
    if left := re.findall(r'(?:href|src)="/(?!viewer/)[^"]*"', text):
        raise CannotBuild(f"The page of the viewer still names {left[0]}.")
    page.write_text(text, encoding="utf-8")


def _preloads(folder: Path, base: str) -> str:
    """Links by which the browser fetches beside the first bundle what that asks for when it has run."""
    names: list[str] = []
    for chunk in _ASKED_FOR_NEXT:
        found = list(folder.glob(f"{chunk}.bundle.*.js"))
        _check(f"bundle {chunk}", len(found), 1)
        names.append(found[0].name)
    return "".join(f'<link rel="preload" as="script" fetchpriority="low" href="{base}{name}">' for name in names)


def _apply(folder: Path, change: Change) -> None:
    times = files = 0
    for file in sorted(folder.glob(change.pattern)):
        text = file.read_text(encoding="utf-8")
        if found := text.count(change.old):
            times, files = times + found, files + 1
            file.write_text(text.replace(change.old, change.new), encoding="utf-8")
    _check(change.old, times, change.times)
    _check(f"files with {change.old}", files, change.files)


def _check(what: str, times: int, expected: int) -> None:
    if times != expected:
        raise CannotBuild(f"The viewer's files hold {what!r} {times} times, not {expected}: they are not as expected.")
