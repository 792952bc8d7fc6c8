"""Causes for tests of the stages: the shipped tables, read once."""

from functools import cache

from yanshu.pipeline.causes import Causes, Known
from yanshu.rules.contacts.prefixes import Prefixes, shipped_prefixes
from yanshu.rules.routing.codes import Codes, shipped_codes


def shipped_causes(known: Known) -> Causes:
    """Return what reads codes by the shipped tables, for the connectors that `known` knows."""
    codes, prefixes = _shipped()
    return Causes(lambda: codes, prefixes, known)


@cache
def _shipped() -> tuple[Codes, Prefixes]:
    return shipped_codes(), shipped_prefixes()
