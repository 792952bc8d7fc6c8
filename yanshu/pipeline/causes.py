"""Causes: what an answer or a receipt means, by the table of the carrier that most likely wrote its code."""

from collections.abc import Callable, Mapping
from typing import Protocol

from yanshu.domain.connectors import Connector
from yanshu.domain.numbers import Operator
from yanshu.domain.outcomes import OutcomeClass
from yanshu.domain.submissions import AnswerResult, Submission, SubmissionStatus
from yanshu.rules.contacts.prefixes import Prefixes
from yanshu.rules.routing.codes import ANY, TABLES, Codes, Finding, Grounds

# Broadcast's numbers live on China Mobile's network.
_OPERATORS: dict[Operator | None, str] = {
    Operator.CMCC: "cmcc",
    Operator.CBN: "cmcc",
    Operator.CUCC: "cucc",
    Operator.CTCC: "ctcc",
}
_PROTOCOL_TABLES: dict[str, str] = {"cmpp": "cmcc", "smgp": "ctcc"}
# Whose reports use the same numbers as everybody, for something else.
_OWN_TABLES: dict[str, str] = {"sgip": "sgip_report", "twilio": "twilio", "vonage": "vonage"}
# What a submit that was not taken means when no table has its code; a passing fault is the carrier's, a refusal may be anybody's.
_ANSWERS: dict[AnswerResult, OutcomeClass] = {
    AnswerResult.BUSY: OutcomeClass.CARRIER_ERROR,
    AnswerResult.THROTTLED: OutcomeClass.FREQUENCY,
    AnswerResult.UNSENT: OutcomeClass.CARRIER_ERROR,
}
# The beginning of the code that the carrier engine gives to what it could not write: a value that fits no field.
_OURS = "local:"


def answer_table(protocol: str) -> str:
    """Return the table of a protocol's answers to a submit."""
    table = f"{protocol}_resp"
    return table if table in TABLES else ANY


class Known(Protocol):
    """Who knows the connectors: the router."""

    @property
    def connectors(self) -> Mapping[str, Connector]:
        """Connectors by id."""

    def serves(self, connector_id: str) -> Operator | None:
        """Return the one operator that a connector is for, None when it is for several."""


class Causes:
    """Reads answers and receipts by the table in force, which `codes` returns."""

    def __init__(self, codes: Callable[[], Codes], prefixes: Prefixes, known: Known) -> None:
        self._codes = codes
        self._prefixes = prefixes
        self._known = known

    def of_answer(self, connector_id: str, result: AnswerResult, code: str | None) -> Finding:
        """Return why a submit was not taken; what the carrier refuses is proven not to be on its way."""
        if code is not None and code.startswith(_OURS):
            return Finding(OutcomeClass.PARAM, Grounds.ANSWER)
        found = self._codes().find(answer_table(self._protocol(connector_id)), "", code or "", connector_id)
        if found.grounds is Grounds.NOTHING:
            return Finding(_ANSWERS.get(result, OutcomeClass.UNKNOWN), Grounds.ANSWER)
        return found._replace(is_proven=True)

    def of_receipt(self, connector_id: str, recipient: str, stat: str, err: str) -> Finding:
        """Return what a receipt for this recipient means."""
        return self._codes().find(self._table(recipient, connector_id), stat, err, connector_id)

    def one_receipt(self, connector_id: str) -> bool:
        """Whether a connector says that its carrier reports on one segment of a long text for all of them."""
        connector = self._known.connectors.get(connector_id)
        return connector is not None and connector.settings.get("one_receipt") is True

    def find(self, submission: Submission) -> Finding | None:
        """Return what the last word on a submission means: its receipt, else its refusal; None while there is none.

        What followed was decided by how it was read then, so that reading stays.
        """
        found = self._read(submission)
        if found is None or submission.outcome in (None, found.outcome):
            return found
        return Finding(submission.outcome, Grounds.ANSWER if found.grounds is Grounds.ANSWER else Grounds.EARLIER)

    def _read(self, submission: Submission) -> Finding | None:
        """Read it by today's table."""
        if submission.receipt_status is None:
            if submission.status is not SubmissionStatus.REFUSED:
                return None
            return self.of_answer(submission.connector_id, AnswerResult.REFUSED, submission.code)
        if submission.status is SubmissionStatus.DELIVERED:  # the connector may know a last word by another name
            return Finding(OutcomeClass.DELIVERED, Grounds.STATE)
        return self.of_receipt(submission.connector_id, submission.recipient, submission.receipt_status, submission.receipt_code or "")

    def _protocol(self, connector_id: str) -> str:
        connector = self._known.connectors.get(connector_id)
        return spoken_by(connector) if connector is not None else ""

    def _table(self, recipient: str, connector_id: str) -> str:
        """Name the table. Aggregators speak one protocol for all operators, so the number tells more; some have a table of their own.

        A connector that is for one operator tells more still: the number may have moved to it.
        """
        protocol = self._protocol(connector_id)
        if protocol in _OWN_TABLES:
            return _OWN_TABLES[protocol]
        operator = self._known.serves(connector_id) or self._prefixes.operator_of(recipient)
        return _OPERATORS.get(operator) or table_of(protocol)


def spoken_by(connector: Connector) -> str:
    """Name what a connector speaks; over HTTP that is what its provider speaks, signed or not."""
    return str(connector.settings.get("provider", "")).removesuffix("_signed") if connector.protocol == "http" else connector.protocol


def table_of(spoken: str) -> str:
    """Name the table of reports of a protocol or provider, whatever the number."""
    return _OWN_TABLES.get(spoken) or _PROTOCOL_TABLES.get(spoken, ANY)
