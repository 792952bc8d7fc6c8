"""Trials: changes of connectors and routes that are only tried, and what any such change warns of."""

import msgspec
from msgspec import Struct

from yanshu.domain.lanes import Lane
from yanshu.edge.api.endpoints import Call
from yanshu.pipeline.gaps import warnings_of
from yanshu.ports.store import UnitOfWork
from yanshu.rules.routing.gaps import GapKind


class TrialQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    """With `dry_run` nothing is changed: the answer says what it would be, and warns."""

    dry_run: bool = False


class WarningOut(Struct, kw_only=True):
    """What the routes leave out then: `unknown` among `operators` are numbers whose operator nobody knows."""

    code: GapKind
    message: str
    operators: list[str]
    lanes: list[Lane]
    routes: list[str]
    connectors: list[str]


async def warnings_in(call: Call, uow: UnitOfWork) -> list[WarningOut]:
    """Return what the routes leave out, as the transaction sees them."""
    definitions = uow.definitions
    return msgspec.convert(warnings_of(await definitions.connectors(), await definitions.routes(), call.language), list[WarningOut])
