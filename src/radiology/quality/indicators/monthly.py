"""The printable report of a month: each indicator in words, figures and small pictures, in English or Bangla. Pure."""

import html
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal

from radiology.kit.bilingual import Sentence
from radiology.quality.indicators import pictures
from radiology.standards.dicom.bangla import bangla_digits

Language = Literal["en", "bn"]
MONTHS: Final = (
    ("January", "জানুয়ারি"), ("February", "ফেব্রুয়ারি"), ("March", "মার্চ"), ("April", "এপ্রিল"), ("May", "মে"), ("June", "জুন"),
    ("July", "জুলাই"), ("August", "আগস্ট"), ("September", "সেপ্টেম্বর"), ("October", "অক্টোবর"), ("November", "নভেম্বর"),
    ("December", "ডিসেম্বর"),
)  # fmt: skip
TITLE: Final = Sentence("Radiology: indicators of quality", "রেডিওলজি: মানের সূচক")
_STAGES: Final[Mapping[str, Sentence]] = {
    "order-scheduled": Sentence("Order to booking", "অর্ডার থেকে বুকিং"),
    "arrival-start": Sentence("Arrival to start", "আগমন থেকে শুরু"),
    "start-completed": Sentence("Start to images", "শুরু থেকে ছবি সম্পূর্ণ"),
    "completed-preliminary": Sentence("Images to preliminary", "ছবি থেকে প্রাথমিক রিপোর্ট"),
    "completed-final": Sentence("Images to final report", "ছবি থেকে চূড়ান্ত রিপোর্ট"),
    "order-final": Sentence("Order to final report", "অর্ডার থেকে চূড়ান্ত রিপোর্ট"),
}
_AGES: Final[Mapping[str, Sentence]] = {
    "withinTime": Sentence("In time", "সময়ের মধ্যে"),
    "upToTwice": Sentence("Up to twice the time", "দ্বিগুণ সময় পর্যন্ত"),
    "overTwice": Sentence("More than twice", "দ্বিগুণের বেশি"),
}
NAMES: Final[Mapping[str, Sentence]] = {
    "met": Sentence("in time", "সময়মতো"),
    "breached": Sentence("late", "বিলম্বিত"),
    "openLate": Sentence("of these still open", "এর মধ্যে এখনও বাকি"),
    "share": Sentence("share", "অনুপাত"),
    "rvu": Sentence("work, relative value units", "কাজ, আপেক্ষিক মান একক"),
    "booked": Sentence("booked", "বুক করা"),
    "noShow": Sentence("did not come", "আসেননি"),
    "noShowShare": Sentence("share that did not come", "না আসার অনুপাত"),
    "cancelled": Sentence("cancelled", "বাতিল"),
    "occupiedMinutes": Sentence("minutes used", "ব্যবহৃত মিনিট"),
    "openMinutes": Sentence("minutes open", "খোলা মিনিট"),
    "downtimeShare": Sentence("share out of order", "বিকল থাকার অনুপাত"),
    "examinationsPerHour": Sentence("examinations an hour", "ঘণ্টায় পরীক্ষা"),
    "rejected": Sentence("rejected", "বাতিল ছবি"),
    "repeated": Sentence("repeated", "পুনরায় তোলা"),
    "rate": Sentence("rate", "হার"),
    "investigate": Sentence("to be looked into", "অনুসন্ধান প্রয়োজন"),
    "overTwiceReference": Sentence("more than twice the reference", "নির্দেশক মানের দ্বিগুণের বেশি"),
    "within1": Sentence("within ±1", "±১ এর মধ্যে"),
    "within3": Sentence("within ±3", "±৩ এর মধ্যে"),
    "medianDeviation": Sentence("median deviation", "মধ্যমা বিচ্যুতি"),
    "later": Sentence("addenda and corrections", "সংযোজন ও সংশোধন"),
    "selfApprovedShare": Sentence("share self-approved", "নিজে অনুমোদিত অনুপাত"),
    "unsignedOver24Hours": Sentence("unsigned for more than 24 hours", "২৪ ঘণ্টার বেশি স্বাক্ষরহীন"),
    "coverage": Sentence("reviewed share", "পর্যালোচিত অনুপাত"),
    "significantRate": Sentence("significant discrepancies", "গুরুত্বপূর্ণ অমিল"),
    "agreement": Sentence("agreement", "মিল"),
    "majorShare": Sentence("major differences", "বড় অমিল"),
    "unmatchedOpen": Sentence("without a sure order", "নিশ্চিত অর্ডার ছাড়া"),
    "quarantined": Sentence("in quarantine", "কোয়ারেন্টাইনে"),
    "medianMinutesToResolve": Sentence("median minutes to resolve", "নিষ্পত্তির মধ্যমা মিনিট"),
    "accepted": Sentence("accepted", "গৃহীত"),
    "overridden": Sentence("overridden", "উপেক্ষিত"),
    "duplicatesAvoided": Sentence("duplicates avoided", "এড়ানো পুনরাবৃত্তি"),
    "savedBDT": Sentence("saved, BDT", "সাশ্রয়, টাকা"),
    "savedMSv": Sentence("saved, mSv", "সাশ্রয়, mSv"),
    "unacknowledged": Sentence("unacknowledged", "অস্বীকৃত"),
    "queueLagSeconds": Sentence("queue lag, seconds", "সারির বিলম্ব, সেকেন্ড"),
}
"""Figures that stand in the report, in this order; shares and rates are shown as percent."""
_PERCENT: Final = frozenset({
    "share", "noShowShare", "downtimeShare", "rate", "within1", "within3", "selfApprovedShare", "coverage",
    "significantRate", "agreement", "majorShare",
})  # fmt: skip
_COUNTED: Final = Sentence("made of", "সংখ্যা")
_TOO_FEW: Final = Sentence("too few to be shown", "দেখানোর জন্য খুব কম")
_MINUTES: Final = Sentence("minutes: half, 90 and 95 of 100 within", "মিনিট: ১০০টির ৫০, ৯০ ও ৯৫টি এর মধ্যে")
_DAILY: Final = Sentence("Minutes from images to final report, 90 of 100 within, by day",
                         "ছবি থেকে চূড়ান্ত রিপোর্ট, মিনিট, ১০০টির ৯০টি এর মধ্যে, দিন অনুযায়ী")  # fmt: skip
_NOT_RECORDED: Final = Sentence("Not recorded yet.", "এখনও নথিভুক্ত হয় না।")


def report(
    answer: Mapping[str, Any], *, year: int, month: int, language: Language, daily: Sequence[float | None]
) -> tuple[dict[str, str], str]:
    """The values and the markup of the page. daily: minutes of each day of the month."""
    say = _sayer(language)
    english, bangla = MONTHS[month - 1]
    values = {
        "language": language,
        "title": say(TITLE),
        "month": f"{english} {year}" if language == "en" else f"{bangla} {bangla_digits(str(year))}",
        "facilities": ", ".join(answer["filter"].get("facility", ())),
    }
    sections = [_section(key, each, say, language) for key, each in answer["indicators"].items()]
    first, last = answer["window"]["from"], answer["window"]["to"]
    told = [_digits(f"{date.fromisoformat(text):%d/%m/%Y}", language) for text in (first, last)]
    chart = pictures.days(daily, title=say(_DAILY), first=told[0], last=told[1])
    sections.insert(1, f"<section><h2>{html.escape(say(_DAILY))}</h2>{chart}</section>")
    return values, "".join(sections)


def _sayer(language: Language) -> Callable[[Sentence], str]:
    return lambda sentence: sentence.english if language == "en" else sentence.bangla


def _section(key: str, each: Mapping[str, Any], say: Callable[[Sentence], str], language: Language) -> str:
    title = html.escape(str(each["title"][language]))
    if each.get("recorded") is False:
        return f"<section><h2>{title}</h2><p>{html.escape(say(_NOT_RECORDED))}</p></section>"
    count = say(_TOO_FEW) if each["n"] is None else f"{say(_COUNTED)} {_number('n', each['n'], language)}"
    parts = [f'<section><h2>{title} <span class="small">({html.escape(count)})</span></h2>']
    if key == "turnaround":
        rows = [_stage(stage, say, language) for stage in each["stages"]]
        parts.append(f"<p class=small>{html.escape(say(_MINUTES))}</p>{pictures.bars(rows, title=title)}")
    elif key == "backlog":
        ages = [(say(name), [each.get(age) or 0], _number(age, each.get(age), language)) for age, name in _AGES.items()]
        parts.append(pictures.bars(ages, title=title))
    elif key == "availability":
        rows = [
            (str(one["component"]), [one["share"] or 0], _number("share", one["share"], language))
            for one in each["components"]
        ]
        parts.append(pictures.bars(rows, title=title))
    lines = [
        f"<tr><th>{html.escape(say(name))}</th><td>{html.escape(_number(figure, each[figure], language))}</td></tr>"
        for figure, name in NAMES.items()
        if figure in each
    ]
    return "".join([*parts, f"<table>{''.join(lines)}</table>" if lines else "", "</section>"])


def _stage(stage: Mapping[str, Any], say: Callable[[Sentence], str], language: Language) -> pictures.Bar:
    figures = [stage.get(f"p{each}Minutes") for each in (50, 90, 95)]
    known = [figure for figure in figures if figure is not None]
    words = " · ".join(_digits(f"{figure:.0f}", language) for figure in known) or "–"
    return say(_STAGES[stage["stage"]]), known, words


def _number(figure: str, value: Any, language: Language) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return {"en": ("no", "yes"), "bn": ("না", "হ্যাঁ")}[language][value]
    text = f"{value * 100:.1f} %" if figure in _PERCENT else f"{value:,}" if isinstance(value, int) else str(value)
    return _digits(text, language)


def _digits(text: str, language: Language) -> str:
    return bangla_digits(text) if language == "bn" else text
