"""What codes mean that come with other words often enough to be told apart. Pure.

SNOMED CT codes: only these few, as PS3.16 has them; all others belong to the terminology server of the country.
"""

from collections.abc import Mapping
from typing import Final

SNOMED: Final = "http://snomed.info/sct"

MEANINGS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    (SNOMED, "267036007"): ("Dyspnea", "Dyspnoea", "Shortness of breath", "Breathlessness", "শ্বাসকষ্ট"),
    (SNOMED, "29857009"): ("Chest pain", "বুকে ব্যথা"),
    (SNOMED, "40199007"): ("Supine body position", "চিৎ হয়ে শোয়া"),
}
"""System and code -> names of what it is."""

INSTEAD: Final[Mapping[tuple[str, str], tuple[tuple[str, str, str], ...]]] = {
    (SNOMED, "267036007"): ((SNOMED, "29857009", "Chest pain"),),
    (SNOMED, "40199007"): (
        ("http://loinc.org", "24869-0", "Pelvis US"),
        ("http://loinc.org", "24677-7", "Pelvis US transvaginal"),
    ),
}
"""What may have been meant where the words say something else: system, code and display."""
