"""Sealing: secrets at rest are AES-256-GCM under a master key that is not in the database; others are made from it by name."""

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from yanshu.domain.errors import YanshuError
from yanshu.settings import Settings, SettingsError, data_directory

_FILE = "master.key"
_VERSION = "v1:"
_NONCE = 12
_KEY = 32
_TOKEN = 16


class SealBroken(YanshuError):
    """A sealed secret cannot be opened: another master key, or the value was changed."""

    def __init__(self) -> None:
        super().__init__(
            "a sealed secret cannot be opened: it was sealed with another master key. Put back the one this store was made with "
            "(master.key in the data directory, or YANSHU_MASTER_KEY)"
        )


class Sealer:
    """Seals and opens short texts."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)

    @classmethod
    def open(cls, settings: Settings) -> "Sealer":
        """Return the sealer of this installation; the key file is made on the first start, readable by its owner only."""
        if settings.master_key:
            return cls(_read_key(settings.master_key, "YANSHU_MASTER_KEY"))
        path = data_directory(settings) / _FILE
        _make_key_file(path)
        return cls(_read_key(path.read_text("ascii"), str(path)))

    def seal(self, text: str) -> str:
        """Return `text` sealed, as printable text."""
        nonce = os.urandom(_NONCE)
        return _VERSION + base64.b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), None)).decode()

    def open_text(self, sealed: str) -> str:
        """Return what `seal` was given; `SealBroken` if it cannot be opened."""
        try:
            octets = base64.b64decode(sealed.removeprefix(_VERSION), validate=True)
            return self._cipher.decrypt(octets[:_NONCE], octets[_NONCE:], None).decode()
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error

    def token(self, name: str) -> str:
        """Return the secret that belongs to a name, the same on every machine with this key: 32 hex digits."""
        return HKDF(SHA256(), _TOKEN, salt=None, info=name.encode()).derive(self._key).hex()


def _make_key_file(path: Path) -> None:
    """Write a new key unless there is one; two processes starting at once agree on the first.

    The file appears whole and on disk or not at all: what is sealed with a key must never outlive it.
    """
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(base64.b64encode(os.urandom(_KEY)).decode())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _read_key(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise SettingsError(f"{where} must be base64") from error
    if len(key) != _KEY:
        raise SettingsError(f"{where} must be base64 of {_KEY} bytes, not {len(key)}")
    return key
