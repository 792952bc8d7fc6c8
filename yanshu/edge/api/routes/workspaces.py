"""/v1/workspaces and /v1/audit: the customers of the platform, and who did what."""

from msgspec.structs import replace

from yanshu.domain import ids
from yanshu.domain.errors import Forbidden, Missing
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.paging import ListOut, PageQuery, list_of, page_of
from yanshu.edge.api.schemas.platform import AuditOut, EmptyIn, WorkspaceIn, WorkspaceOut
from yanshu.edge.api.schemas.shown import show_audit, show_workspace
from yanshu.edge.api.writing import write
from yanshu.ports.store import UnitOfWork
from yanshu.rules.accounts.bootstrap import new_signing_secret, new_workspace


async def post_workspace(call: Call) -> Answer:
    """Make a workspace."""
    workspace = replace(new_workspace(call.body.name, call.services.clock, call.services.sealer), metadata=call.body.metadata)

    async def work(uow: UnitOfWork) -> tuple[str, WorkspaceOut]:
        await uow.access.save_workspace(workspace)
        return workspace.id, show_workspace(workspace)

    return await write(call, "workspace.created", 201, work)


async def list_workspaces(call: Call) -> Answer:
    """List workspaces."""
    async with call.services.store.read() as uow:
        rows = await uow.access.workspaces(page_of(call.query, ids.WORKSPACE))
    return Answer(200, list_of(rows, call.query, show_workspace))


async def get_workspace(call: Call) -> Answer:
    """Return one workspace."""
    async with call.services.store.read() as uow:
        found = await uow.access.workspace(call.ids["id"])
    if found is None:
        raise Missing("workspace", call.ids["id"][:64])
    return Answer(200, show_workspace(found))


async def rotate_signing_secret(call: Call) -> Answer:
    """Make a new secret for calls to `callback_url`, which all carry its signature from then on. It is in this answer and never again."""
    if not call.caller.livemode:
        raise Forbidden("scope_missing", scope="webhooks:write (live keys only)")
    secret = new_signing_secret(call.services.clock)

    async def work(uow: UnitOfWork) -> tuple[str, WorkspaceOut]:
        found = await uow.access.workspace(call.ids["id"])
        if found is None or not (found.id == call.caller.workspace_id or call.caller.may("workspaces:write")):
            raise Missing("workspace", call.ids["id"][:64])
        workspace = replace(found, signing_secret=call.services.sealer.seal(secret), updated_at=call.services.clock.now())
        await uow.access.save_workspace(workspace)
        return workspace.id, show_workspace(workspace, secret)

    return await write(call, "workspace.secret_rotated", 200, work, hidden=("secret",))


async def list_audit(call: Call) -> Answer:
    """List the audit trail: the workspace's, or for an admin the whole platform's."""
    scope = None if call.caller.may("admin") else call.caller.workspace_id
    async with call.services.store.read() as uow:
        rows = await uow.access.audit(scope, page_of(call.query, ids.AUDIT))
    return Answer(200, list_of(rows, call.query, show_audit))


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/workspaces",
        handler=post_workspace,
        scope="workspaces:write",
        summary="Make a workspace",
        status=201,
        body=WorkspaceIn,
        answer=WorkspaceOut,
    ),
    Endpoint(
        method="GET",
        path="/v1/workspaces",
        handler=list_workspaces,
        scope="workspaces:read",
        summary="List workspaces",
        query=PageQuery,
        answer=ListOut[WorkspaceOut],
    ),
    Endpoint(
        method="GET",
        path="/v1/workspaces/{id:str}",
        handler=get_workspace,
        scope="workspaces:read",
        summary="Get a workspace",
        answer=WorkspaceOut,
        refuses=(404,),
    ),
    Endpoint(
        method="POST",
        path="/v1/workspaces/{id:str}/rotate_secret",
        handler=rotate_signing_secret,
        scope="webhooks:write",
        summary="Rotate the secret of callbacks",
        body=EmptyIn,
        optional_body=True,
        answer=WorkspaceOut,
        refuses=(404,),
    ),
    Endpoint(
        method="GET",
        path="/v1/audit",
        handler=list_audit,
        scope="audit:read",
        summary="List the audit trail",
        query=PageQuery,
        answer=ListOut[AuditOut],
    ),
)
