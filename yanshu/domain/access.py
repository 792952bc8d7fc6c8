"""Workspaces, API keys, callers and the audit trail."""

from datetime import datetime
from typing import Any

from msgspec import Struct

# Every scope a key may carry. `admin` is the platform's own and implies all others, in its own workspace.
SCOPES: tuple[str, ...] = (
    "messages:send",
    "messages:read",
    "batches:write",
    "batches:read",
    "inbound:read",
    "webhooks:write",
    "webhooks:read",
    "events:read",
    "connectors:write",
    "connectors:read",
    "routes:write",
    "routes:read",
    "numbers:write",
    "numbers:read",
    "binds:write",
    "binds:read",
    "keys:write",
    "keys:read",
    "audit:read",
    "sandbox:use",
    "workspaces:write",
    "workspaces:read",
    "admin",
)

# Scopes over things all workspaces share; only a key that holds them itself may pass them on.
PLATFORM_SCOPES = frozenset(
    {
        "connectors:write",
        "connectors:read",
        "routes:write",
        "routes:read",
        "numbers:write",
        "workspaces:write",
        "workspaces:read",
        "admin",
    }
)


class Workspace(Struct, frozen=True, kw_only=True):
    """A customer of the platform. `signing_secret` (sealed) signs calls to per-message callback URLs."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    signing_secret: str
    metadata: dict[str, Any] | None = None


class ApiKey(Struct, frozen=True, kw_only=True):
    """A key as stored: `digest` is the SHA-256 of the secret, `hint` what may be shown (prefix and last four).

    `cidrs` empty means any address. Rates are per second. A rotated key stays valid until `expires_at`.
    """

    id: str
    workspace_id: str
    name: str
    digest: str
    hint: str
    livemode: bool
    scopes: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    cidrs: tuple[str, ...] = ()
    requests_per_second: int = 0
    messages_per_second: int = 0
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    metadata: dict[str, Any] | None = None


class Caller(Struct, frozen=True, kw_only=True):
    """The authenticated party of a request."""

    workspace_id: str
    key_id: str
    livemode: bool
    scopes: frozenset[str]
    address: str

    def may(self, scope: str) -> bool:
        """Whether the caller holds `scope` (directly or as admin)."""
        return scope in self.scopes or "admin" in self.scopes


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Who did what to which object, from where. Refused calls are entries too."""

    id: str
    workspace_id: str | None
    actor: str
    action: str
    object_id: str | None
    address: str
    created_at: datetime
    detail: dict[str, Any]
