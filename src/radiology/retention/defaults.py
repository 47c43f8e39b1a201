"""The rules that come with the service, until an administrator makes others: version 0."""

from typing import Final

from radiology.retention.model import AgeGroup, Rule

RULES: Final = (
    Rule(
        code="medico-legal",
        title="It is medico-legal (S4), and kept until that is cleared.",
        title_bn="এটি আইনি (মেডিকো-লিগ্যাল) পরীক্ষা; সেই চিহ্ন না তোলা পর্যন্ত রাখা হয়।",
        sensitive_classes=("S4",),
        permanent=True,
    ),
    Rule(
        code="obstetric",
        title="Obstetric studies are kept for ever.",
        title_bn="প্রসূতি পরীক্ষা স্থায়ীভাবে রাখা হয়।",
        obstetric=True,
        permanent=True,
    ),
    Rule(
        code="child",
        title="Studies of children are kept to the age of 25, and for 10 years at least; without a known date of birth "
        "a study is kept as that of a newborn child.",
        title_bn="শিশুদের পরীক্ষা ২৫ বছর বয়স পর্যন্ত এবং অন্তত ১০ বছর রাখা হয়; জন্ম তারিখ জানা না থাকলে নবজাতকের মতো ধরা হয়।",
        age_group=AgeGroup.CHILD,
        years=10,
        to_age_years=25,
    ),
    Rule(
        code="mammography",
        title="Mammography is kept for 10 years.",
        title_bn="ম্যামোগ্রাফি ১০ বছর রাখা হয়।",
        modalities=("MG",),
        years=10,
    ),
    Rule(
        code="adult",
        title="Studies are kept for 10 years.",
        title_bn="পরীক্ষা ১০ বছর রাখা হয়।",
        years=10,
    ),
)
