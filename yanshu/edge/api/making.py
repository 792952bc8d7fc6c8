"""Making: the stored objects that requests for keys, webhook endpoints and binds ask for, and in which workspace."""

from yanshu.domain import ids
from yanshu.domain.access import ApiKey
from yanshu.domain.binds import Bind
from yanshu.domain.errors import Forbidden
from yanshu.domain.webhooks import WebhookEndpoint
from yanshu.edge.api.endpoints import Call
from yanshu.edge.api.schemas.binds import BindIn
from yanshu.edge.api.schemas.messages import utc
from yanshu.edge.api.schemas.platform import ApiKeyIn, WebhookIn
from yanshu.rules.accounts.keys import check_cidrs, check_mode, check_scopes, digest_of, hint_of


def check_workspace(call: Call) -> str:
    """Return the workspace a request's object is for; only an admin may name another one than the caller's."""
    workspace_id: str = call.body.workspace or call.caller.workspace_id
    if workspace_id != call.caller.workspace_id and not call.caller.may("admin"):
        raise Forbidden("scope_missing", scope="admin")
    return workspace_id


def check_key_request(call: Call) -> str:
    """Refuse what the caller may not ask for; the workspace the key is for."""
    body: ApiKeyIn = call.body
    workspace_id = check_workspace(call)
    check_scopes(tuple(body.scopes), call.caller)
    check_mode(body.livemode, call.caller)
    check_cidrs(tuple(body.cidrs))
    return workspace_id


def new_key(call: Call, workspace_id: str, secret: str) -> ApiKey:
    """Return the key a request asks for."""
    body: ApiKeyIn = call.body
    now = call.services.clock.now()
    return ApiKey(
        id=ids.make_id(ids.API_KEY, now, call.services.clock.entropy(ids.ENTROPY_BYTES)),
        workspace_id=workspace_id,
        name=body.name,
        digest=digest_of(secret),
        hint=hint_of(secret),
        livemode=body.livemode,
        scopes=tuple(body.scopes),
        created_at=now,
        updated_at=now,
        cidrs=tuple(body.cidrs),
        requests_per_second=body.requests_per_second,
        messages_per_second=body.messages_per_second,
        expires_at=utc(body.expires_at),
        metadata=body.metadata,
    )


def new_endpoint(call: Call, secret: str, position: int) -> WebhookEndpoint:
    """Return the endpoint a request asks for."""
    body: WebhookIn = call.body
    now = call.services.clock.now()
    return WebhookEndpoint(
        id=ids.make_id(ids.WEBHOOK_ENDPOINT, now, call.services.clock.entropy(ids.ENTROPY_BYTES)),
        workspace_id=call.caller.workspace_id,
        url=body.url,
        events=tuple(body.events),
        secrets=(call.services.sealer.seal(secret),),
        created_at=now,
        updated_at=now,
        livemode=call.caller.livemode,
        batch_max=body.batch.max,
        batch_ms=body.batch.ms,
        position=position,
        metadata=body.metadata,
    )


def new_bind(call: Call, workspace_id: str, secret: str) -> Bind:
    """Return the bind a request asks for."""
    body: BindIn = call.body
    now = call.services.clock.now()
    return Bind(
        id=ids.make_id(ids.BIND, now, call.services.clock.entropy(ids.ENTROPY_BYTES)),
        workspace_id=workspace_id,
        livemode=call.caller.livemode,
        name=body.name,
        protocol=body.protocol,
        system_id=body.system_id,
        secret=call.services.sealer.seal(secret),
        created_at=now,
        updated_at=now,
        cidrs=tuple(body.cidrs),
        window=body.window,
        throughput=body.throughput,
        sessions=body.sessions,
        lane=body.lane,
        senders=tuple(body.senders),
        alphabet=body.alphabet,
        inbound=body.inbound,
        metadata=body.metadata,
    )
