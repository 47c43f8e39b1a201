"""What becomes of one instance that is sent, over whichever protocol."""

from collections.abc import Callable
from dataclasses import dataclass

from radiology.dicom_network.message import is_failure, is_warning
from radiology.studies.queries.retrieve import StoredInstance

NOT_PERFORMED = 0xA702
"""Our status for an instance that the receiver never answered for: it could not be reached, or broke off."""
DAMAGED = 0x0110


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one instance: the status of the C-STORE, and a sentence where it is not plain success."""

    status: int
    sentence: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the receiver has it and has nothing to remark."""
        return self.status == 0

    @property
    def is_warning(self) -> bool:
        """Whether the receiver has it and remarks something (PS3.7 annex C)."""
        return is_warning(self.status)

    @property
    def is_failure(self) -> bool:
        """Whether the receiver does not have it."""
        return is_failure(self.status)

    @property
    def may_succeed_later(self) -> bool:
        """Whether the same may work another time: the receiver was not there, or out of resources (A7xx)."""
        return self.status >> 8 == 0xA7


OnSent = Callable[[StoredInstance, Sent], None]
IsStopped = Callable[[], bool]
