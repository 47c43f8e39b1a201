"""What was done, and by whom, in words for people, in both languages."""

from collections.abc import Mapping
from typing import Final, Literal

from radiology.audit.model import SUCCESS, Record

Language = Literal["en", "bn"]

_WHO: Final[Mapping[str, tuple[str, str]]] = {
    "administrator": ("Administrator", "প্রশাসক"),
    "consultant": ("Consultant radiologist", "কনসালট্যান্ট রেডিওলজিস্ট"),
    "radiologist": ("Radiologist", "রেডিওলজিস্ট"),
    "resident": ("Resident doctor", "রেসিডেন্ট চিকিৎসক"),
    "radiographer": ("Radiographer", "রেডিওগ্রাফার"),
    "referrer": ("Referring doctor", "রেফারকারী চিকিৎসক"),
    "qa": ("Quality assurance", "মান নিয়ন্ত্রণ"),
    "cashier": ("Cashier", "ক্যাশিয়ার"),
    "manager": ("Manager", "ব্যবস্থাপক"),
    "records": ("Medical records office", "মেডিকেল রেকর্ড অফিস"),
    "privacy-officer": ("Privacy officer", "গোপনীয়তা কর্মকর্তা"),
    "patient": ("The patient", "রোগী নিজে"),
    "service": ("Another program of the hospital", "হাসপাতালের অন্য প্রোগ্রাম"),
    "application-entity": ("A machine of the hospital", "হাসপাতালের একটি যন্ত্র"),
    "link": ("Somebody with a link to the study", "লিংক পাওয়া ব্যক্তি"),
    "system": ("The radiology service itself", "রেডিওলজি সিস্টেম নিজে"),
    "anonymous": ("Somebody who had not signed in", "প্রবেশ না করা কেউ"),
    "person": ("A member of the staff", "একজন কর্মী"),
    "program": ("Another program of the hospital", "হাসপাতালের অন্য প্রোগ্রাম"),
}

#: The longest beginning that fits is taken.
_WHAT: Final[Mapping[str, tuple[str, str]]] = {
    "access.denied": ("tried to see this and was refused", "দেখতে চেয়েছিলেন, অনুমতি পাননি"),
    "access.": ("tried to see this and could not", "দেখতে চেয়েছিলেন, পারেননি"),
    "break-glass.": ("opened this in an emergency", "জরুরি প্রয়োজনে খুলেছেন"),
    "export": ("took a copy out of the service", "একটি কপি বাইরে নিয়েছেন"),
    "film.": ("ordered or printed films", "ফিল্ম ছাপিয়েছেন"),
    "link.make": ("made a link for somebody else", "অন্যের জন্য লিংক তৈরি করেছেন"),
    "link.end": ("ended a link", "লিংক বন্ধ করেছেন"),
    "link.refused": ("tried to open a link and was refused", "লিংক খুলতে চেয়েছিলেন, পারেননি"),
    "link.open": ("opened the study by a link", "লিংক দিয়ে খুলেছেন"),
    "patient.": ("looked at the patient's details", "রোগীর তথ্য দেখেছেন"),
    "report.read": ("read the report", "রিপোর্ট পড়েছেন"),
    "report.find": ("searched for reports", "রিপোর্ট খুঁজেছেন"),
    "report.": ("wrote the report", "রিপোর্ট লিখেছেন"),
    "study.find": ("searched for the study", "পরীক্ষাটি খুঁজেছেন"),
    "study.read": ("looked at the study", "পরীক্ষার তথ্য দেখেছেন"),
    "study.retrieve": ("looked at images", "ছবি দেখেছেন"),
    "study.open": ("opened the images", "ছবি খুলেছেন"),
    "study.store": ("sent in images", "ছবি জমা দিয়েছেন"),
    "study.import": ("brought in images", "ছবি আমদানি করেছেন"),
    "study.move": ("sent images to another machine", "অন্য যন্ত্রে ছবি পাঠিয়েছেন"),
    "study.pull": ("fetched images from another archive", "অন্য আর্কাইভ থেকে ছবি এনেছেন"),
    "study.reject": ("withdrew images", "ছবি প্রত্যাহার করেছেন"),
    "study.delete": ("deleted the study", "পরীক্ষাটি মুছেছেন"),
    "study.": ("worked on the study", "পরীক্ষা নিয়ে কাজ করেছেন"),
    "worklist.": ("worked on the appointment", "সময়সূচি নিয়ে কাজ করেছেন"),
    "delivery.": ("sent images on", "ছবি পাঠিয়েছেন"),
    "": ("used the record of the patient", "রোগীর রেকর্ড ব্যবহার করেছেন"),
}
_FAILED: Final = ("without success", "সফল হয়নি")
_EMERGENCY: Final = ("in an emergency", "জরুরি প্রয়োজনে")


def who(record: Record, language: Language) -> str:
    """What somebody is, such as Radiologist; no name."""
    texts = _WHO.get(record.actor_role) or _WHO.get(record.actor_kind) or _WHO["person"]
    return texts[language == "bn"]


def what(record: Record, language: Language) -> str:
    """What was done."""
    beginning = max((each for each in _WHAT if record.action.startswith(each)), key=len)
    position = language == "bn"
    said = [_WHAT[beginning][position]]
    if record.purpose == "BTG" and not record.action.startswith("break-glass."):
        said.append(_EMERGENCY[position])
    if record.outcome != SUCCESS and not record.action.startswith("access."):
        said.append(_FAILED[position])
    return ", ".join(said)
