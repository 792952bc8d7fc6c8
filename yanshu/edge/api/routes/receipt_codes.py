"""/v1/receipt_codes: what a carrier's code means, and what it means here."""

from collections.abc import Iterable, Sequence
from typing import Any

from yanshu.domain.codes import CodeOverride
from yanshu.domain.errors import Invalid, Missing
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.schemas.platform import DeletedOut
from yanshu.edge.api.schemas.receipt_codes import (
    CodeQuery,
    DifferenceOut,
    OverrideIn,
    OverrideOut,
    OverridesIn,
    OverridesOut,
    OverridesQuery,
    ReceiptCodeOut,
    ReplacedOut,
    show_code,
    show_override,
)
from yanshu.edge.api.writing import write
from yanshu.pipeline.causes import answer_table, spoken_by, table_of
from yanshu.ports.store import UnitOfWork
from yanshu.rules.routing.codes import GOOD_STATES, LONGEST, TABLES, Codes, Finding, Grounds, tidy

_FAULTS_TOLD = 20
_CARRIERS = f"one of {', '.join(TABLES)}, or the id of a connector"
_GOOD = f"{', '.join(sorted(GOOD_STATES))} are never read otherwise"


async def get_receipt_code(call: Call) -> Answer:
    """Return what a code means at a carrier; one that nobody knows is told as unknown, as in an explanation."""
    code, carrier = call.ids["code"], call.query.carrier
    if not _is_carrier(call, carrier):
        raise Invalid("parameter_invalid", param="carrier", fix=_CARRIERS)
    return Answer(200, show_code(code, carrier, _find(call, call.services.codebook.codes, carrier, code), call.language))


async def list_overrides(call: Call) -> Answer:
    """List the codes that are read otherwise here."""
    async with call.services.store.read() as uow:
        overrides = await uow.codes.all()
    carrier = call.query.carrier
    return Answer(200, OverridesOut(data=[show_override(each) for each in overrides if carrier in (None, each.carrier)]))


async def put_override(call: Call) -> Answer:
    """Read a code of a carrier, or of a connector, in another way from now on."""
    body: OverrideIn = call.body
    override = _made(call, call.query.carrier, call.ids["code"], body)
    _refuse_faults(_faults(call, [override]), param="carrier")

    async def work(uow: UnitOfWork) -> tuple[str, OverrideOut]:
        await uow.codes.save(override)
        return _name(override.carrier, override.code), show_override(override)

    answer = await write(call, "receipt_code.overridden", 200, work)
    await call.services.codebook.changed()
    return answer


async def delete_override(call: Call) -> Answer:
    """Read a code as the shipped table does again."""
    carrier, code = call.query.carrier, tidy(call.ids["code"])

    async def work(uow: UnitOfWork) -> tuple[str, DeletedOut]:
        if not await uow.codes.remove(carrier, code):
            raise Missing("receipt_code_override", _name(carrier, code)[:64])
        return _name(carrier, code), DeletedOut(id=_name(carrier, code), object="receipt_code_override")

    answer = await write(call, "receipt_code.restored", 200, work)
    await call.services.codebook.changed()
    return answer


async def put_overrides(call: Call) -> Answer:
    """Put these overrides in place of all there are, or say what that would change. One that is wrong refuses them all."""
    body: OverridesIn = call.body
    overrides = [_made(call, row.carrier, row.code, row) for row in body.overrides]
    _refuse_faults([*_faults(call, overrides), *_repeated(overrides)], param="overrides")
    answer = ReplacedOut(dry_run=body.dry_run, overrides=len(overrides), differences=await _differences(call, overrides))
    if body.dry_run:
        return Answer(200, answer)

    async def work(uow: UnitOfWork) -> tuple[str, ReplacedOut]:
        await uow.codes.replace(overrides)
        return "receipt_codes", answer

    written = await write(call, "receipt_codes.replaced", 200, work)
    await call.services.codebook.changed()
    return written


def _made(call: Call, carrier: str, code: str, body: OverrideIn) -> CodeOverride:
    return CodeOverride(carrier=carrier, code=tidy(code), outcome=body.outcome, updated_at=call.services.clock.now(), note=body.note)


def _name(carrier: str, code: str) -> str:
    return f"{carrier}/{code}"


def _is_carrier(call: Call, carrier: str) -> bool:
    return carrier in TABLES or carrier in call.services.router.connectors


def _find(call: Call, codes: Codes, carrier: str, code: str) -> Finding:
    """Read a code of a table, or of a connector: by the table of its protocol's receipts, else of its answers."""
    connector = call.services.router.connectors.get(carrier)
    if connector is None:
        return codes.find(carrier, code, "")
    spoken = spoken_by(connector)
    found = codes.find(table_of(spoken), code, "", carrier)
    return found if found.grounds is not Grounds.NOTHING else codes.find(answer_table(spoken), code, "", carrier)


def _faults(call: Call, overrides: Sequence[CodeOverride]) -> Iterable[dict[str, Any]]:
    """Yield what is wrong with which row."""
    for row, override in enumerate(overrides, 1):
        if not _is_carrier(call, override.carrier):
            yield {"row": row, "param": "carrier", "value": override.carrier, "fix": _CARRIERS}
        if override.code in GOOD_STATES:
            yield {"row": row, "param": "code", "value": override.code, "fix": _GOOD}
        if not 1 <= len(override.code) <= LONGEST:
            yield {"row": row, "param": "code", "value": override.code[:LONGEST], "fix": f"1 to {LONGEST} characters"}


def _repeated(overrides: Sequence[CodeOverride]) -> Iterable[dict[str, Any]]:
    """Yield the rows of a code that stands there twice."""
    seen: set[tuple[str, str]] = set()
    for row, override in enumerate(overrides, 1):
        if (override.carrier, override.code) in seen:
            yield {"row": row, "param": "code", "value": override.code, "fix": "a code stands there once for a carrier"}
        seen.add((override.carrier, override.code))


def _refuse_faults(faults: Iterable[dict[str, Any]], param: str) -> None:
    """Refuse with all that is wrong; the first of it is the message."""
    found = sorted(faults, key=lambda fault: int(fault["row"]))
    if found:
        named = found[0]["param"] if param == "carrier" else param
        raise Invalid("parameter_invalid", param=named, fix=found[0]["fix"], details=tuple(found[:_FAULTS_TOLD]))


async def _differences(call: Call, overrides: Sequence[CodeOverride]) -> list[DifferenceOut]:
    """Return the codes that these overrides, in place of those in force, read otherwise."""
    async with call.services.store.read() as uow:
        present = await uow.codes.all()
    now = call.services.codebook.codes.overridden({(each.carrier, each.code): each.outcome for each in present})
    then = now.overridden({(each.carrier, each.code): each.outcome for each in overrides})
    told = []
    for carrier, code in sorted({(each.carrier, each.code) for each in (*present, *overrides)}):
        was, becomes = (_find(call, codes, carrier, code).outcome for codes in (now, then))
        if was is not becomes:
            told.append(DifferenceOut(carrier, code, was, becomes))
    return told


_ALL, _ONE = "/v1/receipt_codes", "/v1/receipt_codes/{code:str}"
_READ, _WRITE = "messages:read", "connectors:write"
ENDPOINTS = (
    Endpoint(
        method="GET",
        path=_ALL,
        handler=list_overrides,
        scope="connectors:read",
        summary="List the codes that are read otherwise here",
        query=OverridesQuery,
        answer=OverridesOut,
    ),
    Endpoint(
        method="PUT",
        path=_ALL,
        handler=put_overrides,
        scope=_WRITE,
        summary="Replace all overrides of codes",
        body=OverridesIn,
        answer=ReplacedOut,
        refuses=(422,),
    ),
    Endpoint(
        method="GET",
        path=_ONE,
        handler=get_receipt_code,
        scope=_READ,
        summary="Get what a receipt code means",
        query=CodeQuery,
        answer=ReceiptCodeOut,
        refuses=(422,),
    ),
    Endpoint(
        method="PUT",
        path=_ONE,
        handler=put_override,
        scope=_WRITE,
        summary="Read a code otherwise",
        query=CodeQuery,
        body=OverrideIn,
        answer=OverrideOut,
        refuses=(422,),
    ),
    Endpoint(
        method="DELETE",
        path=_ONE,
        handler=delete_override,
        scope=_WRITE,
        summary="Read a code as the shipped table does",
        query=CodeQuery,
        answer=DeletedOut,
        refuses=(404,),
    ),
)
