"""Bodies of viewing."""
# ruff: noqa: N815 - fields are named as they are sent.

from pydantic import BaseModel


class ViewerOut(BaseModel):
    """Where a study is looked at."""

    studyInstanceUID: str
    priors: list[str]
    url: str
    lightUrl: str
