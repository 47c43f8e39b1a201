"""Letters by SMTP (RFC 5321), over TLS by STARTTLS (RFC 3207) or from the first byte (RFC 8314)."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from radiology.errors import Unavailable, Unprocessable
from radiology.external.notifications.model import Letter
from radiology.kit.clock import now
from radiology.settings import Settings

STEP_SECONDS: Final = 20.0
WHOLE_SECONDS: Final = 60.0
PERMANENT: Final = 500
"""Replies from here on say that the same can never succeed (RFC 5321 4.2.1)."""


@dataclass(frozen=True, slots=True)
class SMTPCourier:
    """Letters by the mail server of the settings. The same letter sent twice has the same Message-ID."""

    settings: Settings

    async def carry(self, letter: Letter) -> None:
        """Send a letter. Raises Unavailable, Unprocessable where the server does not know the address."""
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                await asyncio.to_thread(self._send, letter)
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = error.recipients[letter.email]
            if code >= PERMANENT:
                raise Unprocessable("The mail server refuses the address of this notice.") from error
            raise Unavailable("The mail server does not take mail for this address now.") from error
        except (smtplib.SMTPException, OSError, TimeoutError) as error:
            raise Unavailable("The mail server does not take the notice. Look at the settings smtp_*.") from error

    def _send(self, letter: Letter) -> None:
        settings = self.settings
        authorities = settings.smtp_tls_authorities
        context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
        host, port = settings.smtp_host, settings.smtp_port
        with (
            smtplib.SMTP_SSL(host, port, timeout=STEP_SECONDS, context=context)
            if settings.smtp_security == "tls"
            else smtplib.SMTP(host, port, timeout=STEP_SECONDS)
        ) as server:
            if settings.smtp_security == "starttls":
                server.starttls(context=context)
            if settings.smtp_user:
                password = settings.smtp_password
                server.login(settings.smtp_user, password.get_secret_value() if password else "")
            server.send_message(self._written(letter))

    def _written(self, letter: Letter) -> EmailMessage:
        written = EmailMessage()
        written["From"] = self.settings.smtp_from
        written["To"] = letter.email
        written["Subject"] = letter.subject
        written["Date"] = format_datetime(now())
        written["Message-ID"] = f"<{letter.id}@{self.settings.smtp_from.rpartition('@')[2]}>"
        # Nobody's out-of-office answers it (RFC 3834).
        written["Auto-Submitted"] = "auto-generated"
        written.set_content(letter.text, cte="base64")
        return written
