"""What each command_status means for a message: a table with one comment a row (protocols.md §3.3)."""

from collections.abc import Mapping

from yanshu.domain.submissions import AnswerResult
from yanshu.protocols.smpp.constants import Status

_ACCEPTED, _REFUSED, _BUSY, _THROTTLED = AnswerResult.ACCEPTED, AnswerResult.REFUSED, AnswerResult.BUSY, AnswerResult.THROTTLED

RESULTS: dict[int, AnswerResult] = {
    Status.ESME_ROK: _ACCEPTED,  # the carrier took it
    Status.ESME_RTHROTTLED: _THROTTLED,  # faster than agreed
    Status.ESME_RMSGQFUL: _THROTTLED,  # its queue is full: as throttled, for longer
    Status.ESME_RINVMSGLEN: _REFUSED,  # the text is longer than it takes
    Status.ESME_RINVCMDLEN: _REFUSED,  # it cannot read our PDU; it will not read it next time either
    Status.ESME_RINVPRTFLG: _REFUSED,  # priority_flag not known
    Status.ESME_RINVREGDLVFLG: _REFUSED,  # registered_delivery not known
    Status.ESME_RINVSRCADR: _REFUSED,  # sender not ours or not allowed
    Status.ESME_RINVDSTADR: _REFUSED,  # recipient is no number it can reach
    Status.ESME_RINVSERTYP: _REFUSED,  # service_type not known
    Status.ESME_RINVNUMDESTS: _REFUSED,  # a destination list we did not send
    Status.ESME_RINVDLNAME: _REFUSED,  # a distribution list we did not send
    Status.ESME_RINVDESTFLAG: _REFUSED,  # a destination flag we did not send
    Status.ESME_RINVSUBREP: _REFUSED,  # replace not allowed
    Status.ESME_RINVESMCLASS: _REFUSED,  # esm_class not taken: no UDH here, or no store-and-forward
    Status.ESME_RCNTSUBDL: _REFUSED,  # cannot submit to a list
    Status.ESME_RINVSRCTON: _REFUSED,  # source_addr_ton wrong
    Status.ESME_RINVSRCNPI: _REFUSED,  # source_addr_npi wrong
    Status.ESME_RINVDSTTON: _REFUSED,  # dest_addr_ton wrong
    Status.ESME_RINVDSTNPI: _REFUSED,  # dest_addr_npi wrong
    Status.ESME_RINVSYSTYP: _REFUSED,  # system_type wrong
    Status.ESME_RINVREPFLAG: _REFUSED,  # replace_if_present_flag wrong
    Status.ESME_RINVNUMMSGS: _REFUSED,  # number of messages wrong
    Status.ESME_RINVSCHED: _REFUSED,  # schedule_delivery_time wrong
    Status.ESME_RINVEXPIRY: _REFUSED,  # validity_period wrong
    Status.ESME_RINVDFTMSGID: _REFUSED,  # predefined text not known
    Status.ESME_RX_P_APPN: _REFUSED,  # permanent error of its application
    Status.ESME_RX_R_APPN: _REFUSED,  # its application rejects it
    Status.ESME_RINVOPTPARSTREAM: _REFUSED,  # optional parameters unreadable
    Status.ESME_ROPTPARNOTALLWD: _REFUSED,  # an optional parameter it does not take
    Status.ESME_RINVPARLEN: _REFUSED,  # a parameter too long
    Status.ESME_RMISSINGOPTPARAM: _REFUSED,  # an optional parameter missing
    Status.ESME_RINVOPTPARAMVAL: _REFUSED,  # an optional parameter wrong
    Status.ESME_RINVCMDID: _BUSY,  # it does not know submit_sm here: another connector may
    Status.ESME_RINVBNDSTS: _BUSY,  # it thinks that we are not bound to send
    Status.ESME_RSYSERR: _BUSY,  # its system failed
    Status.ESME_RSUBMITFAIL: _BUSY,  # its submit failed
    Status.ESME_RX_T_APPN: _BUSY,  # temporary error of its application
    Status.ESME_RDELIVERYFAILURE: _BUSY,  # it could not deliver
    Status.ESME_RUNKNOWNERR: _BUSY,  # it does not know what failed
}

# How long the link pauses after a throttling answer.
PAUSE_SECONDS: dict[int, float] = {Status.ESME_RTHROTTLED: 1.0, Status.ESME_RMSGQFUL: 5.0}
DEFAULT_PAUSE_SECONDS = 1.0

# Refused binds that a faster reconnect cannot heal: credentials or the account itself.
BLOCKING = frozenset({Status.ESME_RBINDFAIL, Status.ESME_RINVPASWD, Status.ESME_RINVSYSID})


def result_of(status: int, overrides: Mapping[int, AnswerResult]) -> AnswerResult:
    """Return what a status means; vendor statuses and unknown ones are worth another try."""
    return overrides.get(status) or RESULTS.get(status, AnswerResult.BUSY)
