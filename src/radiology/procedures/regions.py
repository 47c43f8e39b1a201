"""Which region of the body a study shows, by the words that people and machines write. Plain values."""

import re
from collections.abc import Mapping
from typing import Final

_WORDS: Final[Mapping[str, str]] = {
    "head": "head brain cerebral cranial skull sella pituitary orbit orbits sinus sinuses pns face facial mastoid "
    "temporal ncct stroke মাথা",
    "neck": "neck thyroid larynx soft-tissue-neck carotid গলা",
    "chest": "chest thorax thoracic lung lungs cxr hrct ctpa mediastinum rib ribs sternum বুক",
    "heart": "heart cardiac coronary echo echocardiography aorta ctca হৃদ",
    "breast": "breast breasts mammo mammography mammogram tomosynthesis স্তন",
    "abdomen": "abdomen abdominal liver hepatobiliary gallbladder pancreas spleen kidney kidneys renal kub hbs mrcp "
    "urogram ivu urography barium stomach bowel পেট",
    "pelvis": "pelvis pelvic bladder prostate uterus ovary ovaries tvs hip hips obstetric "
    "pregnancy fetal anomaly তলপেট",
    "spine": "spine spinal cervical lumbar lumbosacral sacral sacrum ls cs dorsal vertebra মেরুদণ্ড",
    "upper limb": "shoulder humerus elbow forearm wrist hand finger thumb clavicle scapula radius ulna হাত",
    "lower limb": "femur knee tibia fibula leg ankle foot toe calcaneus patella হাঁটু",
}
_REGIONS: Final = {word: region for region, words in _WORDS.items() for word in words.split()}
#: Words that name two regions at once.
_BOTH: Final[Mapping[str, tuple[str, ...]]] = {
    "whole": ("abdomen", "pelvis"),
    "wholebody": tuple(_WORDS),
    "thoracolumbar": ("spine",),
    "cervicothoracic": ("spine",),
    "paranasal": ("head",),
}
#: Not `\W`: the vowel signs of Bangla are no word characters.
_SPLIT: Final = re.compile(r"[\s,;:/()\[\]^.&+=|]+")


def regions_of(*texts: str) -> frozenset[str]:
    """The regions that descriptions, procedures and body parts name; empty where none is known."""
    found: set[str] = set()
    for text in texts:
        for word in _SPLIT.split(text.casefold().replace("_", " ")):
            found.update(_BOTH.get(word, (_REGIONS[word],) if word in _REGIONS else ()))
    # A spine is named by its part: "cervical spine" is no neck, "thoracic spine" no chest.
    return frozenset({"spine"}) if "spine" in found else frozenset(found)
