"""Bootstrap: the first start makes a workspace and one admin key, whose secret is shown once."""

import base64
from datetime import timedelta

from yanshu.domain import ids
from yanshu.domain.access import ApiKey, Workspace
from yanshu.ports.clock import Clock
from yanshu.ports.store import Store
from yanshu.rules.accounts.keys import digest_of, hint_of
from yanshu.rules.accounts.sealing import SealBroken, Sealer

_FOR_EVER = timedelta(days=36_500)


async def bootstrap(store: Store, clock: Clock, sealer: Sealer, secret: str) -> bool:
    """Make the admin key with this `secret` on the very first start; whether it is that key, on all other starts not.

    Several processes may start at once. It may be repeated with the same secret when the store went away before it answered.
    """
    now = clock.now()
    async with store.write() as uow:
        if await uow.records.mark_unique({"bootstrap": now + _FOR_EVER}, now):
            return await uow.access.key_by_digest(digest_of(secret)) is not None
        workspace = new_workspace("default", clock, sealer)
        await uow.access.save_workspace(workspace)
        await uow.records.set_value("default_workspace", workspace.id)
        await uow.access.save_key(
            ApiKey(
                id=ids.make_id(ids.API_KEY, now, clock.entropy(ids.ENTROPY_BYTES)),
                workspace_id=workspace.id,
                name="admin",
                digest=digest_of(secret),
                hint=hint_of(secret),
                livemode=True,
                scopes=("admin",),
                created_at=now,
                updated_at=now,
            )
        )
        await uow.commit()
    return True


async def check_seal(store: Store, sealer: Sealer | None) -> None:
    """Raise `SealBroken` if this store holds secrets that `sealer` cannot open: better at the start than link by link."""
    async with store.read() as uow:
        ident = await uow.records.get_value("default_workspace")
        workspace = await uow.access.workspace(str(ident)) if ident else None
    if workspace is not None:
        if sealer is None:
            raise SealBroken
        sealer.open_text(workspace.signing_secret)


def new_workspace(name: str, clock: Clock, sealer: Sealer) -> Workspace:
    """Return a workspace with a fresh signing secret for its callback URLs."""
    now = clock.now()
    return Workspace(
        id=ids.make_id(ids.WORKSPACE, now, clock.entropy(ids.ENTROPY_BYTES)),
        name=name,
        created_at=now,
        updated_at=now,
        signing_secret=sealer.seal(new_signing_secret(clock)),
    )


def new_signing_secret(clock: Clock) -> str:
    """Return a webhook secret in the form of Standard Webhooks: `whsec_` and base64 of 24 random bytes."""
    return "whsec_" + base64.b64encode(clock.entropy(24)).decode()
