"""The sample patients: invented names in Bangla and English, marked as samples wherever DICOM has a place for it."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Person:
    """An invented patient. `years` is the age reached in the year of the samples; 0 means born a few days before."""

    number: int
    name: str  # PN: alphabetic group, "=", ideographic group (PS3.5 6.2)
    sex: str
    years: int
    weight_kg: float

    @property
    def patient_id(self) -> str:
        """(0010,0020), which says at once that nobody stands behind it."""
        return f"SAMPLE-{self.number:04d}"

    def born_on(self, today: date) -> date:
        """The birth date. It stays the same all through a year, so samples loaded twice are the same patient."""
        if self.years == 0:
            return today - timedelta(days=15)
        return date(today.year - self.years, self.number * 7 % 12 + 1, self.number * 11 % 28 + 1)


def age_string(born_on: date, at: date) -> str:
    """An Age String (PS3.5 6.2, AS): days up to a month, months up to two years, then years."""
    days = max(0, (at - born_on).days)
    if days < 31:
        return f"{days:03d}D"
    months = (at.year - born_on.year) * 12 + at.month - born_on.month - (at.day < born_on.day)
    return f"{months:03d}M" if months < 24 else f"{months // 12:03d}Y"


PEOPLE: tuple[Person, ...] = tuple(
    Person(number, *row)
    for number, row in enumerate(
        (
            ("Rahman^Md. Abdur=রহমান^মোঃ আব্দুর", "M", 58, 64.0),
            ("করিম^আব্দুল", "M", 34, 70.5),
            ("Khatun^Mst. Rahima=খাতুন^মোছাঃ রহিমা", "F", 47, 55.0),
            ("Baby of Shirin=শিরিনের শিশু", "F", 0, 2.9),
            ("হোসেন^মোঃ সাজ্জাদ", "M", 27, 68.0),
            ("Begum^Nurjahan=বেগম^নূরজাহান", "F", 66, 51.0),
            ("Das^Sumitra=দাস^সুমিত্রা", "F", 52, 60.0),
            ("Chowdhury^Anwar^Kabir^Engr.", "M", 61, 82.0),
            ("Gomes^Anita", "F", 71, 49.0),
            ("মণ্ডল^গোপাল চন্দ্র", "M", 69, 57.5),
            ("Akter^Sharmin=আক্তার^শারমিন", "F", 30, 54.0),
            ("Islam^Tawsif=ইসলাম^তাওসিফ", "M", 8, 24.0),
            ("Chakma^Rupayan=চাকমা^রূপায়ন", "M", 44, 63.0),
            ("খাতুন^জোহরা", "F", 83, 43.0),
            ("Tripura^Mita", "O", 25, 52.0),
            ("Uddin^Md. Nasir=উদ্দিন^মোঃ নাসির", "M", 55, 77.0),
            ("Sarkar^Ratna Rani=সরকার^রত্না রানী", "F", 39, 58.0),
            ("আলী^হাজী মকবুল", "M", 90, 50.0),
        ),
        start=1,
    )
)
