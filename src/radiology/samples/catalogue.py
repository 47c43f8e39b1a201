"""Which sample studies there are. Persons and sites are named by their number in `PEOPLE` and `SITES`."""

from dataclasses import dataclass
from functools import partial

from radiology.samples import radiography, tomography
from radiology.samples.documents import basic_text, encapsulated_pdf
from radiology.samples.model import Series, StudyPlan
from radiology.samples.other_modalities import bone_scan, photograph, us_heart, us_stills
from radiology.samples.phantoms import projections
from radiology.samples.phantoms.projections import Chest


@dataclass(frozen=True)
class Site:
    """An invented institution; `short` begins station names and accession numbers."""

    name: str
    short: str
    address: str


SITES = (
    Site("Sample District Hospital", "SDH", "Sample Sadar, Bangladesh"),
    Site("Sample Upazila Health Complex", "SUH", "Sample Upazila, Bangladesh"),
    Site("Sample Medical College Hospital", "SMC", "Sample City, Bangladesh"),
)
PHYSICIANS = (
    "Sample-Haque^Nasreen^^Dr.",
    "Sample-Mahmud^Tariq^^Dr.=মাহমুদ^তারিক^^ডা.",
    "Sample-Roy^Arpita^^Dr.",
    "Sample-Siddiqua^Farzana^^Dr.=সিদ্দিকা^ফারজানা^^ডা.",
)
READERS = ("Sample-Reader^One^^Dr.", "Sample-Reader^Two^^Dr.")


def _portable_chest(look: Chest) -> Series:
    return radiography.chest(look, view="AP", computed=True)


def _newborn_chest() -> Series:
    look = Chest(newborn=True, opacity=0.2)
    return radiography.chest(look, view="AP", computed=True, inverted=True)


def _hand() -> Series:
    views = (("PA", partial(projections.hand, oblique=False)), ("OBLIQUE", partial(projections.hand, oblique=True)))
    return radiography.limb("HAND", "L", *views)


def _forearm(healing: float) -> Series:
    front = partial(projections.forearm, lateral=False, healing=healing)
    side = partial(projections.forearm, lateral=True, healing=healing)
    return radiography.limb("FOREARM", "R", ("AP", front), ("LATERAL", side))


def _knee() -> Series:
    views = (("AP", partial(projections.knee, lateral=False)), ("LATERAL", partial(projections.knee, lateral=True)))
    return radiography.limb("KNEE", "R", *views)


def _dose_note() -> Series:
    return basic_text(
        (
            ("121071", "Finding", "Solid nodule in the right upper lobe, 18 mm by 17 mm on the axial plane."),
            ("121071", "Finding", "Radiation: CTDIvol 7.9 mGy, DLP 236 mGy.cm, one acquisition, 120 kV."),
            ("121077", "Conclusion", "Sample note for demonstration. ডান ফুসফুসে ১৮ মিমি গুটি।"),
        )
    )


def _letter() -> Series:
    lines = (
        "This page is a sample. It is about nobody.",
        "",
        "Examination: ultrasound of the whole abdomen, done elsewhere.",
        "Finding: gallbladder with a single stone of 11 mm (mobile).",
        "Liver, spleen, both kidneys and pancreas look normal.",
        "Conclusion: cholelithiasis.",
    )
    return encapsulated_pdf("Outside report", lines)


_consolidation = partial(Chest, opacity_at=(-0.42, 0.22))

CATALOGUE: tuple[StudyPlan, ...] = (
    # A pneumonia that clears in two weeks: two priors for the study of today.
    StudyPlan(1, 13, "1015", 1, "X-ray chest", (radiography.chest(_consolidation(opacity=1.0), computed=True),)),
    StudyPlan(1, 6, "1140", 1, "X-ray chest", (radiography.chest(_consolidation(opacity=0.55)),)),
    StudyPlan(1, 0, "0655", 1, "X-ray chest", (radiography.chest(_consolidation(opacity=0.12)),)),
    # A bleed inside the skull that has grown since.
    StudyPlan(2, 8, "2310", 3, "CT head", (tomography.ct_head(14, 0.25),)),
    StudyPlan(2, 0, "0120", 3, "CT head", (tomography.ct_head(20, 0.85),)),
    StudyPlan(3, 2, "1220", 1, "X-ray left hand", (_hand(),)),
    StudyPlan(4, 0, "0405", 3, "X-ray chest, newborn", (_newborn_chest(),)),
    StudyPlan(5, 11, "0930", 2, "X-ray right knee", (_knee(),)),
    StudyPlan(5, 4, "1610", 3, "MR right knee", (tomography.mr_knee("R", 12),)),
    StudyPlan(6, 3, "1005", 1, "USG whole abdomen", (us_stills("ABDOMEN", "ABDOMINAL", "liver", "kidney", "doppler"),)),
    StudyPlan(7, 9, "1130", 3, "Mammogram, both sides", (radiography.mammogram("L"),)),
    StudyPlan(7, 5, "1200", 3, "USG left breast", (us_stills("BREAST", "BREAST", "breast"),)),
    StudyPlan(8, 1, "1445", 3, "Coronary angiogram", (radiography.angiogram(),)),
    StudyPlan(8, 2, "0920", 3, "Echocardiogram", (us_heart(),)),
    StudyPlan(9, 7, "1330", 3, "Bone scan", (bone_scan(),)),
    StudyPlan(9, 10, "1050", 1, "X-ray right knee", (_knee(),)),
    StudyPlan(10, 12, "1125", 1, "X-ray chest", (radiography.chest(Chest(opacity=0.5, opacity_at=(-0.45, -0.2))),)),
    StudyPlan(10, 4, "1310", 3, "CT chest with contrast", (tomography.ct_chest(16), _dose_note())),
    StudyPlan(11, 1, "1725", 3, "MR brain", (tomography.mr_head("T2", 10), tomography.mr_head("T1", 8))),
    StudyPlan(12, 13, "1840", 2, "X-ray right forearm", (_forearm(0.0),)),
    StudyPlan(12, 1, "1015", 2, "X-ray right forearm, follow-up", (_forearm(0.8),)),
    StudyPlan(13, 5, "0950", 2, "X-ray chest, pre-employment", (radiography.chest(Chest(heart=0.92)),)),
    StudyPlan(14, 3, "1405", 3, "Echocardiogram", (us_heart(),)),
    StudyPlan(14, 3, "1320", 3, "X-ray chest", (_portable_chest(Chest(heart=1.28)),)),
    StudyPlan(15, 0, "0540", 1, "USG kidneys", (us_stills("KIDNEY", "RENAL", "kidney", "doppler"),)),
    StudyPlan(16, 6, "1515", 1, "Photograph of a foot ulcer", (photograph(),)),
    StudyPlan(
        17, 2, "1110", 2, "Outside report and USG abdomen", (_letter(), us_stills("ABDOMEN", "ABDOMINAL", "liver"))
    ),
    StudyPlan(17, 10, "1225", 1, "X-ray left hand", (_hand(),)),
    StudyPlan(
        18,
        0,
        "0215",
        1,
        "X-ray chest, portable",
        (_portable_chest(Chest(heart=1.15, opacity=0.7, opacity_at=(0.45, 0.15))),),
    ),
    StudyPlan(18, 9, "2050", 1, "CT head", (tomography.ct_head(12, 0.0),)),
)
