"""SIU messages: appointments that another system makes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from radiology.app import App
from radiology.hl7.model import Effects
from radiology.hl7.translating import Reading
from radiology.kit.db import Transaction

HANDLERS: Final[Mapping[str, Callable[[Transaction, App, Reading], Awaitable[Effects]]]] = {}
