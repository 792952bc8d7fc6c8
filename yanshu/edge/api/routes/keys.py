"""/v1/api_keys: who may call, and what they may do."""

from datetime import timedelta

from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.access import ApiKey
from yanshu.domain.errors import Missing
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.making import check_key_request, new_key
from yanshu.edge.api.paging import ListOut, PageQuery, list_of, page_of
from yanshu.edge.api.schemas.platform import ApiKeyIn, ApiKeyOut, RotateIn
from yanshu.edge.api.schemas.shown import show_key
from yanshu.edge.api.writing import write
from yanshu.ports.store import UnitOfWork
from yanshu.rules.accounts.keys import SECRET_BYTES, check_revocation, check_rotation, digest_of, hint_of, mint_secret


async def post_key(call: Call) -> Answer:
    """Make a key with scopes the caller holds; its secret is in this answer and never again."""
    workspace_id = check_key_request(call)
    secret = mint_secret(call.services.clock.entropy(SECRET_BYTES), livemode=call.body.livemode)
    key = new_key(call, workspace_id, secret)

    async def work(uow: UnitOfWork) -> tuple[str, ApiKeyOut]:
        if await uow.access.workspace(workspace_id) is None:
            raise Missing("workspace", workspace_id[:64])
        await uow.access.save_key(key)
        return key.id, show_key(key, secret)

    return await write(call, "api_key.created", 201, work, hidden=("secret",))


async def list_keys(call: Call) -> Answer:
    """List the workspace's keys."""
    async with call.services.store.read() as uow:
        rows = await uow.access.keys(call.caller.workspace_id, page_of(call.query, ids.API_KEY))
    return Answer(200, list_of(rows, call.query, show_key))


async def get_key(call: Call) -> Answer:
    """Return one key, without its secret."""
    async with call.services.store.read() as uow:
        return Answer(200, show_key(await _find(uow, call)))


async def revoke_key(call: Call) -> Answer:
    """Revoke another key: it is refused within a second everywhere."""

    async def work(uow: UnitOfWork) -> tuple[str, ApiKeyOut]:
        now = call.services.clock.now()
        found = await _find(uow, call)
        check_revocation(found, call.caller)
        key = replace(found, revoked_at=found.revoked_at or now, updated_at=now)
        await uow.access.save_key(key)
        return key.id, show_key(key)

    return await write(call, "api_key.revoked", 200, work)


async def rotate_key(call: Call) -> Answer:
    """Make a successor with the same rights, which the caller must hold; the old secret stays valid for `overlap_seconds`."""
    body: RotateIn = call.body
    clock = call.services.clock

    async def work(uow: UnitOfWork) -> tuple[str, ApiKeyOut]:
        old, now = await _find(uow, call), clock.now()
        check_rotation(old, call.caller, now)
        secret = mint_secret(clock.entropy(SECRET_BYTES), livemode=old.livemode)
        ident = ids.make_id(ids.API_KEY, now, clock.entropy(ids.ENTROPY_BYTES))
        fresh = replace(old, id=ident, digest=digest_of(secret), hint=hint_of(secret), created_at=now, updated_at=now, last_used_at=None)
        end = now + timedelta(seconds=body.overlap_seconds)
        await uow.access.save_key(replace(old, updated_at=now, expires_at=min(old.expires_at or end, end)))
        await uow.access.save_key(fresh)
        return fresh.id, show_key(fresh, secret)

    return await write(call, "api_key.rotated", 201, work, hidden=("secret",))


async def _find(uow: UnitOfWork, call: Call) -> ApiKey:
    key = await uow.access.key(call.ids["id"])
    if key is None or key.workspace_id != call.caller.workspace_id:
        raise Missing("api_key", call.ids["id"][:64])
    return key


_ONE = "/v1/api_keys/{id:str}"
ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/api_keys",
        handler=post_key,
        scope="keys:write",
        summary="Make an API key",
        status=201,
        body=ApiKeyIn,
        answer=ApiKeyOut,
        refuses=(404,),
    ),
    Endpoint(
        method="GET",
        path="/v1/api_keys",
        handler=list_keys,
        scope="keys:read",
        summary="List API keys",
        query=PageQuery,
        answer=ListOut[ApiKeyOut],
    ),
    Endpoint(method="GET", path=_ONE, handler=get_key, scope="keys:read", summary="Get an API key", answer=ApiKeyOut, refuses=(404,)),
    Endpoint(
        method="DELETE", path=_ONE, handler=revoke_key, scope="keys:write", summary="Revoke an API key", answer=ApiKeyOut, refuses=(404,)
    ),
    Endpoint(
        method="POST",
        path=_ONE + "/rotate",
        handler=rotate_key,
        scope="keys:write",
        summary="Rotate an API key",
        status=201,
        body=RotateIn,
        optional_body=True,
        answer=ApiKeyOut,
        refuses=(404, 409),
    ),
)
