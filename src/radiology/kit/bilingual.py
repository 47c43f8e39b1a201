"""What people read in either of two languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in the two languages of the people who read it."""

    english: str
    bangla: str

    def told(self) -> dict[str, str]:
        """As an answer holds it."""
        return {"en": self.english, "bn": self.bangla}
