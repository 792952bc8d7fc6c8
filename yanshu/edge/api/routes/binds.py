"""/v1/binds: customers' access over SMPP and CMPP."""

from typing import Any

from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.binds import Bind
from yanshu.domain.errors import Conflict, Missing, StoreConflict
from yanshu.edge.api.endpoints import Answer, Call, Endpoint, given
from yanshu.edge.api.making import check_workspace, new_bind
from yanshu.edge.api.paging import ListOut, PageQuery, list_of, page_of
from yanshu.edge.api.schemas.binds import BindHealthOut, BindIn, BindOut, BindPatch, show_bind
from yanshu.edge.api.schemas.platform import DeletedOut, EmptyIn
from yanshu.edge.api.writing import write
from yanshu.ports.store import UnitOfWork
from yanshu.rules.accounts.binds import MINTED_BYTES, check_bind_secret, check_senders, check_system_id, mint_bind_secret
from yanshu.rules.accounts.keys import check_cidrs


async def post_bind(call: Call) -> Answer:
    """Make a bind. Its secret, made here unless it is given, is in this answer and never again."""
    secret = _secret(call)
    bind = new_bind(call, check_workspace(call), secret)

    async def work(uow: UnitOfWork) -> tuple[str, BindOut]:
        await _check_free(uow, bind)
        await uow.binds.save(replace(bind, position=await uow.events.last_position()))
        return bind.id, show_bind(bind, secret)

    try:
        return await write(call, "bind.created", 201, work, hidden=("secret",))
    except StoreConflict as error:  # somebody else has just taken it
        raise Conflict("system_id_exists", param="system_id") from error


async def _check_free(uow: UnitOfWork, bind: Bind) -> None:
    """Refuse a workspace there is not, and a system id that is taken."""
    if await uow.access.workspace(bind.workspace_id) is None:
        raise Missing("workspace", bind.workspace_id[:64])
    if await uow.binds.by_system_id(bind.protocol, bind.system_id) is not None:
        raise Conflict("system_id_exists", param="system_id")


def _secret(call: Call) -> str:
    """Return the secret a new bind has, once everything that can be wrong with the bind has been looked at."""
    body: BindIn = call.body
    secret = body.secret or mint_bind_secret(body.protocol, call.services.clock.entropy(MINTED_BYTES))
    check_system_id(body.protocol, body.system_id)
    check_bind_secret(body.protocol, secret)
    _check(body.cidrs, body.senders)
    return secret


async def patch_bind(call: Call) -> Answer:
    """Change a bind. Its sessions follow within a second; those it no longer lets in are ended."""
    body: BindPatch = call.body
    changes: dict[str, Any] = given(**{name: getattr(body, name) for name in body.__struct_fields__})
    _check(changes.get("cidrs", []), changes.get("senders", []))
    changes |= {name: tuple(changes[name]) for name in ("cidrs", "senders") if name in changes}
    return await _change(call, "bind.changed", changes)


async def rotate_bind_secret(call: Call) -> Answer:
    """Make a new secret. Sessions that were opened with the old one are ended."""
    entropy = call.services.clock.entropy(MINTED_BYTES)
    async with call.services.store.read() as uow:
        secret = mint_bind_secret((await _find(uow, call)).protocol, entropy)
    return await _change(call, "bind.secret_rotated", {"secret": secret}, shown=secret)


async def _change(call: Call, action: str, changes: dict[str, Any], shown: str | None = None) -> Answer:
    """Store the changes, a secret sealed; `shown` is a secret to be told this once."""

    async def work(uow: UnitOfWork) -> tuple[str, BindOut]:
        old = await _find(uow, call)
        if "secret" in changes:
            check_bind_secret(old.protocol, changes["secret"])
            changes["secret"] = call.services.sealer.seal(changes["secret"])
        bind = replace(old, updated_at=call.services.clock.now(), **changes)
        await uow.binds.save(bind)
        return bind.id, show_bind(bind, shown)

    return await write(call, action, 200, work, hidden=("secret",) if shown is not None else ())


async def delete_bind(call: Call) -> Answer:
    """Delete a bind with all that it is owed; its sessions are ended."""

    async def work(uow: UnitOfWork) -> tuple[str, DeletedOut]:
        bind = await _find(uow, call)
        await uow.binds.remove(bind.id)
        return bind.id, DeletedOut(id=bind.id, object="bind")

    return await write(call, "bind.deleted", 200, work)


async def list_binds(call: Call) -> Answer:
    """List the workspace's binds."""
    async with call.services.store.read() as uow:
        rows = await uow.binds.page(call.caller.workspace_id, page_of(call.query, ids.BIND), call.caller.livemode)
    return Answer(200, list_of(rows, call.query, show_bind))


async def get_bind(call: Call) -> Answer:
    """Return one bind, without its secret."""
    async with call.services.store.read() as uow:
        return Answer(200, show_bind(await _find(uow, call)))


async def get_bind_health(call: Call) -> Answer:
    """Return how many sessions are open, and how much waits for the customer."""
    async with call.services.store.read() as uow:
        bind = await _find(uow, call)
        sessions = await uow.binds.count_sessions(bind, call.services.clock.now())
        return Answer(200, BindHealthOut(bind=bind.id, sessions=sessions, owed=await uow.binds.count_owed(bind.id)))


async def _find(uow: UnitOfWork, call: Call) -> Bind:
    """Return the bind the path names; an admin finds those of all workspaces, which only an admin can have made for others."""
    bind, caller = await uow.binds.get(call.ids["id"]), call.caller
    if bind is None or bind.livemode != caller.livemode or not (bind.workspace_id == caller.workspace_id or caller.may("admin")):
        raise Missing("bind", call.ids["id"][:64])
    return bind


def _check(cidrs: list[str], senders: list[str]) -> None:
    check_cidrs(tuple(cidrs))
    check_senders(tuple(senders))


_PATH = "/v1/binds"
_ONE = _PATH + "/{id:str}"
_WRITE, _READ = "binds:write", "binds:read"
ENDPOINTS = (
    Endpoint(
        method="POST",
        path=_PATH,
        handler=post_bind,
        scope=_WRITE,
        summary="Make a bind",
        status=201,
        body=BindIn,
        answer=BindOut,
        refuses=(404, 409),
    ),
    Endpoint(method="GET", path=_PATH, handler=list_binds, scope=_READ, summary="List binds", query=PageQuery, answer=ListOut[BindOut]),
    Endpoint(method="GET", path=_ONE, handler=get_bind, scope=_READ, summary="Get a bind", answer=BindOut, refuses=(404,)),
    Endpoint(
        method="GET",
        path=_ONE + "/health",
        handler=get_bind_health,
        scope=_READ,
        summary="Sessions of a bind",
        answer=BindHealthOut,
        refuses=(404,),
    ),
    Endpoint(
        method="PATCH",
        path=_ONE,
        handler=patch_bind,
        scope=_WRITE,
        summary="Change a bind",
        body=BindPatch,
        answer=BindOut,
        refuses=(404,),
    ),
    Endpoint(
        method="POST",
        path=_ONE + "/rotate_secret",
        handler=rotate_bind_secret,
        scope=_WRITE,
        summary="Rotate the secret of a bind",
        body=EmptyIn,
        optional_body=True,
        answer=BindOut,
        refuses=(404,),
    ),
    Endpoint(
        method="DELETE",
        path=_ONE,
        handler=delete_bind,
        scope=_WRITE,
        summary="Delete a bind",
        answer=DeletedOut,
        refuses=(404,),
    ),
)
