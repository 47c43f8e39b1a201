"""What holds for the rights of patients. Pure."""

from typing import Final

COPY_KEPT_DAYS: Final = 7
