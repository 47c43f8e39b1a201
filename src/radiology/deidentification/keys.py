"""Keys that lie outside of the database, so that a dump of it names nobody (AES-256-GCM, NIST SP 800-38D).

Each is a file of 32 bytes below `<data_dir>/keys`, made when it is first needed, readable by its owner alone.
"""

import hmac
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from radiology.errors import Unavailable
from radiology.settings import Settings

KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens with one key. `about` is told again to open: what was sealed for one thing opens for no other."""

    path: Path

    @classmethod
    def of_projects(cls, settings: Settings) -> "Seal":
        """That of the keys of projects."""
        return cls(settings.data_dir / "keys" / "deidentification.key")

    @classmethod
    def of_persons(cls, settings: Settings) -> "Seal":
        """That of who and what was replaced."""
        return cls(settings.data_dir / "keys" / "reidentification.key")

    def seal(self, content: bytes, about: str) -> bytes:
        """The sealed form. Raises Unavailable where the key cannot be read or made."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._key()).encrypt(nonce, content, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """What was sealed. Raises Unavailable where the key is another one, or the content was changed."""
        try:
            return AESGCM(self._key()).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
        except InvalidTag as error:
            sentence = "is not the key that sealed this. Restore the folder `keys` that belongs to the database."
            raise Unavailable(f"{self.path.name} {sentence}") from error

    def derived(self, purpose: str) -> bytes:
        """A key for what has no project, always the same for a purpose."""
        return hmac.digest(self._key(), purpose.encode(), "sha256")

    def _key(self) -> bytes:
        try:
            if not self.path.exists():
                self._make()
            key = self.path.read_bytes()
        except OSError as error:
            raise Unavailable(f"The key {self.path.name} cannot be read: {error.strerror}.") from error
        if len(key) != KEY_BYTES:
            raise Unavailable(f"The key {self.path.name} is damaged. Restore it from a backup.")
        return key

    def _make(self) -> None:
        """Written whole under another name and linked, so that two processes make one."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self.path.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, os.urandom(KEY_BYTES))
            os.fsync(descriptor)
            os.link(part, self.path)
        except FileExistsError:
            pass
        finally:
            os.close(descriptor)
            part.unlink()
