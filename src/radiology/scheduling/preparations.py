"""How patients prepare: the sentences that they are given in two languages, and which examination asks for which. Pure.

What is said in a short message is neutral: whoever reads it over a shoulder learns of no examination and no condition.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from radiology.kit.bilingual import Sentence

PREPARATIONS: Final[Mapping[str, Sentence]] = {
    "P0": Sentence("No special preparation", "কোনো বিশেষ প্রস্তুতির প্রয়োজন নেই"),
    "P1": Sentence(
        "Remove jewellery, metal and clothing with buttons or zips from the area",
        "পরীক্ষার অংশ থেকে গয়না, ধাতব বস্তু ও বোতাম/চেইনযুক্ত কাপড় খুলে ফেলুন",
    ),
    "P2": Sentence("Fast 6 hours; water and essential medicines allowed", "৬ ঘণ্টা খালি পেটে থাকুন; পানি ও জরুরি ওষুধ খাওয়া যাবে"),
    "P3": Sentence(
        "Drink 4-6 glasses of water 1 hour before; come with a full bladder",
        "১ ঘণ্টা আগে ৪–৬ গ্লাস পানি পান করুন; প্রস্রাবের চাপ রেখে আসুন",
    ),
    "P4": Sentence("Fast 6 hours and come with a full bladder", "৬ ঘণ্টা খালি পেটে থাকুন এবং প্রস্রাবের চাপ রেখে আসুন"),
    "P5": Sentence(
        "Remove all metal; tell staff about pacemaker, clip, implant or metal fragment",
        "সব ধাতব বস্তু খুলে ফেলুন; পেসমেকার, ক্লিপ, ইমপ্লান্ট বা শরীরে ধাতব টুকরা থাকলে আগে জানান",
    ),
    "P6": Sentence(
        "Fast 4 hours; bring recent creatinine/eGFR; tell staff about allergy, kidney disease, metformin",
        "৪ ঘণ্টা খালি পেটে আসুন; সাম্প্রতিক ক্রিয়েটিনিন রিপোর্ট আনুন; অ্যালার্জি, কিডনি রোগ বা মেটফরমিন সেবনের কথা জানান",
    ),
    "P7": Sentence(
        "No deodorant, powder or lotion on the day of the exam",
        "পরীক্ষার দিন ডিওডোরেন্ট, পাউডার বা লোশন ব্যবহার করবেন না",
    ),
    "P8": Sentence(
        "Day 7-10 of the cycle; pregnancy must be excluded; report any infection",
        "মাসিকের ৭ম–১০ম দিনে আসুন; গর্ভাবস্থা নেই নিশ্চিত করতে হবে; সংক্রমণ থাকলে জানান",
    ),
    "P9": Sentence(
        "Laxative the night before as prescribed; fast 6 hours", "আগের রাতে নির্দেশমতো জোলাপ নিন; ৬ ঘণ্টা খালি পেটে থাকুন"
    ),
    "P10": Sentence("Nothing by mouth for 8 hours, not even water", "৮ ঘণ্টা কিছুই খাবেন না, পানিও নয়"),
    "P11": Sentence("Empty the bladder just before the exam", "পরীক্ষার ঠিক আগে প্রস্রাব করে নিন"),
    "P12": Sentence(
        "Tell staff about urinary infection; take antibiotic as prescribed",
        "প্রস্রাবের সংক্রমণ থাকলে জানান; নির্দেশমতো অ্যান্টিবায়োটিক নিন",
    ),
    "P13": Sentence(
        "Remove hairpins, earrings, necklace, removable dentures",
        "চুলের পিন, কানের দুল, গলার হার ও খোলা যায় এমন কৃত্রিম দাঁত খুলে ফেলুন",
    ),
    "P14": Sentence(
        "Stop calcium tablets 24 hours; tell staff about contrast or nuclear exam in last 7 days",
        "২৪ ঘণ্টা ক্যালসিয়াম বন্ধ রাখুন; ৭ দিনের মধ্যে কন্ট্রাস্ট/নিউক্লিয়ার পরীক্ষা হলে জানান",
    ),
    "PG": Sentence(
        "Tell staff before the exam if you are or may be pregnant",
        "গর্ভবতী হলে বা সম্ভাবনা থাকলে পরীক্ষার আগে অবশ্যই জানান",
    ),
}

FASTING_HOURS: Final[Mapping[str, int]] = {"P2": 6, "P4": 6, "P6": 4, "P9": 6, "P10": 8}

#: Those that a short message may name: they say what to eat, drink, wear and bring, and of what nothing.
NEUTRAL: Final = frozenset({"P1", "P2", "P3", "P5", "P7", "P10", "P13"})
#: What a short message says instead of one that is not neutral.
_INSTEAD: Final[Mapping[str, str]] = {"P4": "P2", "P6": "FAST4", "P9": "P2"}
_SHORT: Final[Mapping[str, Sentence]] = {
    "FAST4": Sentence("Fast 4 hours; bring your recent reports", "৪ ঘণ্টা খালি পেটে আসুন; সাম্প্রতিক রিপোর্ট আনুন"),
}

#: Modality, and a beginning of a word of the procedure, `contrast`, or nothing for all others -> what is prepared. The
#: first line that fits counts.
_RULES: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("US", "transvaginal", ("P11",)),
    ("US", "tvs", ("P11",)),
    ("US", "abdomen", ("P4",)),
    ("US", "hepatobiliary", ("P2",)),
    ("US", "kub", ("P3",)),
    ("US", "pelvi", ("P3",)),
    ("US", "", ("P0",)),
    ("CT", "contrast", ("P6", "PG")),
    ("CT", "angio", ("P6", "PG")),
    ("CT", "kub", ("P3", "PG")),
    ("CT", "head", ("P13", "PG")),
    ("CT", "brain", ("P13", "PG")),
    ("CT", "", ("P1", "PG")),
    ("MR", "mrcp", ("P5", "P2")),
    ("MR", "contrast", ("P5", "P6")),
    ("MR", "", ("P5",)),
    ("MG", "", ("P7", "PG")),
    ("RF", "enema", ("P9", "PG")),
    ("RF", "barium", ("P10", "PG")),
    ("RF", "urogram", ("P9", "P6", "PG")),
    ("RF", "ivu", ("P9", "P6", "PG")),
    ("RF", "mcug", ("P12", "PG")),
    ("RF", "micturating", ("P12", "PG")),
    ("RF", "hsg", ("P8",)),
    ("RF", "hysterosalpingo", ("P8",)),
    ("RF", "", ("PG",)),
    ("PX", "", ("P13", "PG")),
    ("BMD", "", ("P14", "PG")),
    ("NM", "", ("P3", "PG")),
    ("PT", "", ("P2", "PG")),
    ("", "", ("P1", "PG")),
)
_WORDS: Final = re.compile(r"[a-z]+")


def preparations_of(modality: str, procedure: str, *, contrast: bool) -> tuple[str, ...]:
    """What an examination asks for where nobody has said otherwise."""
    words = [*_WORDS.findall(procedure.casefold()), *(["contrast"] if contrast else [])]
    if "without" in words and not contrast:
        words = [word for word in words if word != "contrast"]
    return next(
        codes
        for kind, beginning, codes in _RULES
        if kind in ("", modality) and (not beginning or any(word.startswith(beginning) for word in words))
    )


def fasting_hours(codes: Iterable[str]) -> int:
    """How long nothing is eaten before all of these."""
    return max((FASTING_HOURS.get(code, 0) for code in codes), default=0)


def sentences(codes: Iterable[str]) -> list[Sentence]:
    """What the patient is told on paper."""
    return [PREPARATIONS[code] for code in dict.fromkeys(codes)]


def short_sentences(codes: Iterable[str]) -> list[Sentence]:
    """What a short message says: neutral, each once."""
    neutral = dict.fromkeys(_INSTEAD.get(code, code) for code in codes)
    return [_SHORT.get(code) or PREPARATIONS[code] for code in neutral if code in NEUTRAL or code in _SHORT]
