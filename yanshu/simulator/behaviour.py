"""What a simulated carrier does well and badly: accounts, behaviour that can be changed at run time, settings."""

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Rate = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]
IdForm = Literal["hex", "decimal", "uuid"]
SimulatedProtocol = Literal["smpp", "cmpp", "sgip", "smgp", "http"]


class BehaviourError(ValueError):
    """A behaviour cannot be read; the message names the field."""


class Behaviour(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How submits are answered and reported where no test number says otherwise. Zero means never or at once.

    `receipt_id_form` is ``same`` or another form than `id_form`; both forms of one id are the same number, so that hex and
    decimal carriers can be told apart only by asking. `receipt_id_width` pads the receipt's id with zeros on the left.
    Dates in receipts are local time, `receipt_offset_minutes` ahead of UTC (China: 480).
    `fail_rate` is the share of submits that reach no handset and are reported so, as `fail_stat` and `fail_err`.
    `refuse_code` 0 is the protocol's own status for a passing fault. `false_proof` is a CMPP or SMGP gateway that answers logins with a
    digest of another secret.
    `silent` is a half-open link: nothing is read or answered; when it ends, links that slept through it are cut.
    """

    answer_seconds: Seconds = 0.0
    answer_jitter_seconds: Seconds = 0.0
    answer_loss_rate: Rate = 0.0
    reorder_answers: bool = False
    receipt_seconds: Seconds = 0.0
    receipt_jitter_seconds: Seconds = 0.0
    receipt_loss_rate: Rate = 0.0
    receipt_duplicate_rate: Rate = 0.0
    stray_receipt_rate: Rate = 0.0
    fail_rate: Rate = 0.0
    fail_stat: Literal["EXPIRED", "DELETED", "UNDELIV", "UNKNOWN", "REJECTD"] = "UNDELIV"
    fail_err: Annotated[str, Meta(max_length=20, pattern="^[!-~]*$")] = "CB:0018"
    receipt_as: Literal["text", "tlv", "both"] = "text"
    receipt_id_form: Literal["same", "hex", "decimal", "uuid"] = "same"
    receipt_id_width: Annotated[int, Meta(ge=0, le=60)] = 0
    id_form: IdForm = "hex"
    refuse_rate: Rate = 0.0
    refuse_code: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] = 0
    false_proof: bool = False
    throttle_per_second: Count = 0
    garbage_every: Count = 0
    drop_every: Count = 0
    silent: bool = False
    receipt_offset_minutes: Annotated[int, Meta(ge=-720, le=840)] = 480

    @property
    def is_plain(self) -> bool:
        """Whether every submit is accepted and answered at once, so that the short way may be taken."""
        return not (
            self.answer_seconds
            or self.answer_jitter_seconds
            or self.answer_loss_rate
            or self.refuse_rate
            or self.throttle_per_second
            or self.garbage_every
            or self.drop_every
        )


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may bind over `protocol`. `addresses` are networks (empty: any), `max_binds` sessions at once (0: any number).

    `system_id` is what the protocol calls the account: system_id, SP_Id, Login Name, ClientID. `delivers_to` is where the client of an
    SGIP account listens for receipts and texts; empty: they go over the connection it submits on. `refuses_07` makes it the connector of
    test number 07 that refuses; `overrides` are fields of `Behaviour`.
    """

    protocol: SimulatedProtocol = "smpp"
    system_id: Annotated[str, Meta(min_length=1, max_length=15)] = "yanshu"
    password: Annotated[str, Meta(max_length=64)] = "simulate"  # noqa: S105 - of a simulator, and documented
    addresses: tuple[str, ...] = ()
    max_binds: Count = 0
    refuses_07: bool = False
    delivers_to: Annotated[str, Meta(pattern=r"^(.+:[0-9]{1,5})?\Z")] = "127.0.0.1:8801"
    overrides: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """What the control port calls it."""
        return account_name(self.protocol, self.system_id)


def account_name(protocol: str, system_id: str) -> str:
    """Return the name of an account: its system_id, with the protocol before it for all but SMPP."""
    return system_id if protocol == "smpp" else f"{protocol}/{system_id}"


USUAL_ACCOUNTS = tuple(Account(protocol=protocol) for protocol in get_args(SimulatedProtocol))


class SimulatorSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a simulator is started with.

    `time_factor` divides the delays of test numbers. `resend_seconds` is how long a delivery may stay unacknowledged,
    `deliver_window` how many may be on one link. `ledger_limit` bounds the ledger, `handset_limit` the handsets kept and
    `inbox_limit` the segments each keeps. `seed` makes the dice repeatable. `cmpp_version`
    is the highest that it speaks.
    """

    accounts: tuple[Account, ...] = USUAL_ACCOUNTS
    behaviour: Behaviour = Behaviour()
    time_factor: Annotated[float, Meta(gt=0)] = 1.0
    resend_seconds: Annotated[float, Meta(gt=0)] = 10.0
    deliver_window: Annotated[int, Meta(ge=1)] = 10_000
    keep_ledger: bool = False
    ledger_limit: Count = 1_000_000
    handset_limit: Annotated[int, Meta(ge=1)] = 10_000
    inbox_limit: Annotated[int, Meta(ge=1)] = 100
    seed: int | None = None
    cmpp_version: Literal["3.0", "2.0"] = "3.0"


def changed(behaviour: Behaviour, changes: dict[str, Any]) -> Behaviour:
    """Return `behaviour` with `changes`; raises `BehaviourError` naming a field that is unknown or has a wrong value."""
    try:
        return msgspec.convert({**msgspec.structs.asdict(behaviour), **changes}, Behaviour)
    except msgspec.ValidationError as error:
        raise BehaviourError(str(error)) from error
