"""The one tree of errors. Each leaf carries the stable `code` of API.md §1 and whether trying again may help.

```
YanshuError
├── CallerError                 the request cannot be done as asked
│   ├── InvalidRequest   400    malformed_json, invalid_content_type
│   ├── Unauthenticated  401    key_missing, key_invalid, key_expired, key_revoked
│   ├── Forbidden        403    scope_missing, ip_not_allowed, test_key_live_recipient
│   ├── Missing          404    resource_missing
│   ├── Conflict         409    idempotency_in_progress, idempotency_key_reused, client_reference_exists, system_id_exists, state_conflict
│   ├── TooLarge         413    batch_too_large
│   ├── Invalid          422    validation_error: parameter_invalid, phone_invalid, …
│   ├── PolicyRefused    422    policy_error: no_route_accepts_content, …
│   ├── RecipientRefused 422    recipient_error: duplicate_content, suppressed
│   └── RateLimited      429    too_many_requests, too_many_messages
├── CallbackError               a carrier's call cannot be taken; the words are for its engineers
│   ├── CallbackForged   403    it is not signed by the carrier
│   └── CallbackBroken   400    there is no report in it that could be read
├── Overloaded           503    overloaded, maintenance: the store or the process cannot take more just now
├── LookupFailed                a register of numbers did not answer, or not as it should; nobody waits for it
└── StoreError                  the store failed; see `ports.store`
    ├── StoreBusy               passing: locked, restarting, full; becomes Overloaded at the edge
    ├── StoreConflict           a unique key is taken
    ├── StoreStale              a guarded change met a row that somebody else has changed
    └── StoreUnusable           it is there, but not as we need it: another schema, a damaged file, missing rights
```
"""

from typing import Any


class YanshuError(Exception):
    """Root of everything we raise on purpose."""

    retryable = False


class CallerError(YanshuError):
    """A refusal the caller can act on: `param` names the field, `values` fill the message of `code`."""

    def __init__(
        self,
        code: str,
        *,
        param: str | None = None,
        details: tuple[dict[str, Any], ...] = (),
        retry_after: float | None = None,
        **values: object,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.param = param
        self.details = details
        self.retry_after = retry_after
        self.values = values


class InvalidRequest(CallerError):
    """The request cannot be read."""


class Unauthenticated(CallerError):
    """No usable key."""


class Forbidden(CallerError):
    """The key does not allow this."""


class Missing(CallerError):
    """No such object in this workspace."""

    def __init__(self, what: str, ident: str) -> None:
        super().__init__("resource_missing", what=what, id=ident)


class Conflict(CallerError):
    """The object's state, or a key already used, does not allow this."""


class TooLarge(CallerError):
    """More than one request may carry."""


class Invalid(CallerError):
    """A field is wrong."""


class PolicyRefused(CallerError):
    """A rule of content or routing refuses this."""


class RecipientRefused(CallerError):
    """This recipient cannot be sent to."""


class RateLimited(CallerError):
    """Too fast; `retry_after` seconds will help."""

    retryable = True


class CallbackError(YanshuError):
    """A carrier's call cannot be taken."""


class CallbackForged(CallbackError):
    """It does not carry the carrier's signature."""


class CallbackBroken(CallbackError):
    """Nothing in it can be read."""


class Overloaded(CallerError):
    """Cannot take more just now; nothing was done."""

    retryable = True


class LookupFailed(YanshuError):
    """A register of numbers gave no answer that can be used; the text says why."""

    retryable = True


class StoreError(YanshuError):
    """The store could not do it; the transaction is rolled back."""


class StoreBusy(StoreError):
    """A passing fault of the store: locked, full, restarting, connection lost."""

    retryable = True


class StoreStale(StoreError):
    """A row has changed since it was read: nothing was written, read it anew."""


class StoreConflict(StoreError):
    """A unique key is taken; `constraint` names it."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class StoreUnusable(StoreError):
    """The store is there but cannot be used as it is; waiting does not help, the message says what does."""
