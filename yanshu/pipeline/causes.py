"""Causes: what the receipt of a submission means, by the table of the carrier that most likely wrote its code."""

from yanshu.domain.numbers import Operator
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import Submission, SubmissionStatus
from yanshu.rules.contacts.prefixes import Prefixes
from yanshu.rules.routing.codes import ANY, Codes, Finding, Grounds

# Broadcast's numbers live on China Mobile's network.
_OPERATORS: dict[Operator | None, str] = {
    Operator.CMCC: "cmcc",
    Operator.CBN: "cmcc",
    Operator.CUCC: "cucc",
    Operator.CTCC: "ctcc",
}
_PROTOCOLS: dict[str, str] = {"cmpp": "cmcc", "sgip": "sgip_report", "smgp": "ctcc"}


class Causes:
    """Reads receipts."""

    def __init__(self, codes: Codes, prefixes: Prefixes) -> None:
        self._codes = codes
        self._prefixes = prefixes

    def find(self, submission: Submission, protocol: str) -> Finding | None:
        """Return what its receipt means, None while there is none; `protocol` is the connector's, empty when it is gone."""
        if submission.receipt_status is None:
            return None
        if submission.status is SubmissionStatus.DELIVERED:  # the connector may know a last word by another name
            return Finding(OutcomeClass.DELIVERED, Grounds.STATE)
        table = self._table(submission.recipient, protocol)
        return self._codes.find(table, submission.receipt_status, submission.receipt_code or "")

    def _table(self, recipient: str, protocol: str) -> str:
        """Name the table. Aggregators speak one protocol for all operators, so the number tells more; only SGIP has a table of its own."""
        if protocol == "sgip":
            return _PROTOCOLS[protocol]
        operator = self._prefixes.facts_of(recipient).operator if recipient.startswith("+86") else None
        return _OPERATORS.get(operator) or _PROTOCOLS.get(protocol, ANY)
