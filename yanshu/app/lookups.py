"""The register of ported numbers, if a setting names one."""

from pathlib import Path

from msgspec import Struct

from yanshu.adapters.lookups.definition import DefinitionError, LookupDefinition, load_definition
from yanshu.adapters.lookups.http import HttpLookup
from yanshu.ports.lookup import LookupPlan, NumberLookup
from yanshu.settings import Settings, SettingsError


class Register(Struct, frozen=True):
    """A register, and how it is to be asked."""

    lookup: NumberLookup
    plan: LookupPlan


def open_register(settings: Settings) -> Register | None:
    """Return the register that is asked, None when there is none. Raises `SettingsError` naming the field that is wrong."""
    definition = read_definition(settings)
    return None if definition is None else Register(HttpLookup(definition), definition.plan)


def read_definition(settings: Settings) -> LookupDefinition | None:
    """Return how the register is asked; nothing is opened."""
    if not settings.lookup_file:
        return None
    try:
        return load_definition(Path(settings.lookup_file))
    except DefinitionError as error:
        raise SettingsError(f"YANSHU_LOOKUP_FILE: {settings.lookup_file} cannot be used: {error}") from error
