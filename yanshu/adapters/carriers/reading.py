"""Reading the settings of a connector: strictly, and what is wrong is named with its place and the fix."""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from yanshu.domain.errors import Invalid

AnySettings = TypeVar("AnySettings", bound=Struct)

Octet = Annotated[int, Meta(ge=0, le=255)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
ASCII = r"^[ -~]*\Z"  # what a text field of our protocols carries

_PLACE = re.compile(r"^(?P<problem>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)


def read(values: dict[str, Any], kind: type[AnySettings]) -> AnySettings:
    """Return the settings as a struct. Raises `Invalid` naming the field and the fix."""
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        place = _PLACE.match(str(error))
        path = (place["path"] if place else None) or ""
        problem = place["problem"] if place else str(error)
        if "matching regex" in problem:
            problem = "use printable ASCII characters only"
        raise invalid(path, problem) from error


def invalid(path: str, fix: str) -> Invalid:
    """Return the error about one setting."""
    return Invalid("parameter_invalid", param=f"settings.{path}" if path else "settings", fix=fix)
