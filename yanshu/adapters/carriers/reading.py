"""Reading the settings and secrets of connectors: strictly, and what is wrong is named with its place and the fix."""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from yanshu.domain.errors import Invalid

AnySettings = TypeVar("AnySettings", bound=Struct)

Octet = Annotated[int, Meta(ge=0, le=255)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
ASCII = r"^[ -~]*\Z"  # what a text field of our protocols carries
DIGITS = r"^[0-9]*\Z"  # what a fee, its type or its code is written with
_LONGEST_SECRET = 64

_UNFIT = re.compile(r"Object (?P<how>missing required|contains unknown) field `(?P<name>\w+)`")
_FIXES = {"missing required": "this setting is required", "contains unknown": "there is no such setting in this protocol"}
_PLACE = re.compile(r"^(?P<problem>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)


def read(values: dict[str, Any], kind: type[AnySettings]) -> AnySettings:
    """Return the settings as a struct. Raises `Invalid` naming the field and the fix."""
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        place = _PLACE.match(str(error))
        path = (place["path"] if place else None) or ""
        problem = place["problem"] if place else str(error)
        if unfit := _UNFIT.match(problem):
            raise invalid(f"{path}.{unfit['name']}".lstrip("."), _FIXES[unfit["how"]]) from error
        if "matching regex" in problem:
            problem = "write digits only" if repr(DIGITS) in problem else "use printable ASCII characters only"
        raise invalid(path, problem) from error


def invalid(path: str, fix: str) -> Invalid:
    """Return the error about one setting."""
    return Invalid("parameter_invalid", param=f"settings.{path}" if path else "settings", fix=fix)


def is_decimal(text: str, most: int) -> bool:
    """Whether a key of a table of overrides is a decimal number of at most `most`."""
    return text.isascii() and text.isdecimal() and int(text) <= most


def check_secret(password: str) -> None:
    """Raise `Invalid` when a password cannot be the shared secret in a digest."""
    if not password or len(password) > _LONGEST_SECRET or not password.isascii():
        raise Invalid("parameter_invalid", param="password", fix=f"the shared secret has 1 to {_LONGEST_SECRET} ASCII characters")
