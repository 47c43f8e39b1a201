"""What the door knows of the act that goes on: who, from where, by what. Records take it from here.

A door begins an act; everything that is recorded until the next one, in the same task or thread and in those that it
starts, belongs to it.
"""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from radiology.access.model import Actor

_BROWSER: Final = re.compile(r"Mozilla/|Opera/")
_PROGRAM: Final = re.compile(r"^[\w.+-]*(?:python|curl|wget|java|go-http|httpx|requests|okhttp|libwww)", re.IGNORECASE)


@dataclass(slots=True)
class Circumstances:
    """One act, as its door knows it. `recorded` and `denied` tell the door what was recorded meanwhile.

    source: the process, such as `http`. agent: the class of the client's program. purpose: a code of PurposeOfUse (HL7
    v3), as BTG. attempted: the name by which somebody tried to sign in. reason: the word for why it is refused.
    hidden: what was asked for is there, and was answered as if it were not.
    """

    source: str = ""
    address: str = ""
    request_id: str = ""
    calling_ae_title: str = ""
    called_ae_title: str = ""
    agent: str = ""
    actor: Actor | None = None
    on_behalf_of: str = ""
    purpose: str = ""
    attempted: str = ""
    reason: str = ""
    recorded: int = 0
    denied: int = 0
    hidden: bool = False

    @property
    def connection(self) -> dict[str, str] | None:
        """What of the connection has no column of its own."""
        known = {"calling": self.calling_ae_title, "called": self.called_ae_title, "agent": self.agent}
        return {name: value for name, value in known.items() if value} or None


_current: ContextVar[Circumstances] = ContextVar("audit")


def begin(circumstances: Circumstances) -> Circumstances:
    """From now on this is what goes on here."""
    _current.set(circumstances)
    return circumstances


def current() -> Circumstances:
    """What goes on here; empty where no door has begun anything."""
    try:
        return _current.get()
    except LookupError:
        return Circumstances()


def agent_class(user_agent: str) -> str:
    """The class of a User-Agent: no version and no name, which would tell people from each other."""
    if not user_agent:
        return "none"
    if _BROWSER.search(user_agent):
        return "browser"
    return "program" if _PROGRAM.search(user_agent) else "other"
