"""Codes of LOINC: a number, a hyphen, and a check digit by mod 10 (LOINC Users' Guide, mod 10 check digits). Pure.

A code whose check digit is wrong cannot exist. One whose check digit is right need not exist.
"""

import re
from typing import Final

SYSTEM: Final = "http://loinc.org"
_TERM: Final = re.compile(r"([0-9]{1,7})-([0-9])")
#: Parts, groups, answers and lists of answers count their letters into the check digit; they name no procedure.
_OTHER: Final = re.compile(r"L[PGAL][0-9]{1,7}-[0-9]")


def could_exist(code: str) -> bool:
    """Whether a text is written as a code of LOINC is, with the right check digit where it is that of a term."""
    found = _TERM.fullmatch(code)
    return check_digit(found[1]) == int(found[2]) if found else _OTHER.fullmatch(code) is not None


def check_digit(number: str) -> int:
    """The check digit of a number: every other digit from the last one doubled, all digits added, up to the next ten.

    Of a doubled digit that has become two digits, both are added.
    """
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return -total % 10
