"""Code 128 (ISO/IEC 15417) in SVG: what hand scanners read from paper."""

from typing import Final

START_B: Final = 104
QUIET_ZONE: Final = 10
"""Modules of white on each side."""

#: Widths of bars and spaces by value, bar first; the last one is the stop.
_TABLE: Final = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222
123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321
232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121
313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224
111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111
111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113
114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112
"""
_WIDTHS: Final = _TABLE.split()


def code128(text: str) -> str:
    """The widths of a text in code set B, in modules: bar, space, bar. Raises ValueError for what is not ASCII."""
    values = [ord(character) - 32 for character in text]
    if not text or any(not 0 <= value < 95 for value in values):
        raise ValueError("Code 128 B holds the printable characters of ASCII.")
    check = (START_B + sum(number * value for number, value in enumerate(values, 1))) % 103
    return "".join(_WIDTHS[value] for value in (START_B, *values, check)) + _WIDTHS[-1]


def code128_svg(text: str, *, module: int = 2, height: int = 60) -> str:
    """The barcode of a text as SVG, with its quiet zones. Sizes are in pixels."""
    left, bars = QUIET_ZONE, list[str]()
    for number, width in enumerate(map(int, code128(text))):
        if number % 2 == 0:
            bars.append(f"M{left * module} 0h{width * module}v{height}H{left * module}z")
        left += width
    whole = (left + QUIET_ZONE) * module
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{height}" viewBox="0 0 {whole} {height}" '
        f'role="img" aria-label="Code 128"><path d="{"".join(bars)}"/></svg>'
    )
