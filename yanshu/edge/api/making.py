"""Making: the stored objects that requests for keys and webhook endpoints ask for."""

from yanshu.domain import ids
from yanshu.domain.access import ApiKey
from yanshu.domain.errors import Forbidden
from yanshu.domain.webhooks import WebhookEndpoint
from yanshu.edge.api.endpoints import Call
from yanshu.edge.api.schemas.messages import utc
from yanshu.edge.api.schemas.platform import ApiKeyIn, WebhookIn
from yanshu.rules.accounts.keys import check_cidrs, check_mode, check_scopes, digest_of, hint_of


def check_key_request(call: Call) -> str:
    """Refuse what the caller may not ask for; the workspace the key is for."""
    body: ApiKeyIn = call.body
    workspace_id = body.workspace or call.caller.workspace_id
    if workspace_id != call.caller.workspace_id and not call.caller.may("admin"):
        raise Forbidden("scope_missing", scope="admin")
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
