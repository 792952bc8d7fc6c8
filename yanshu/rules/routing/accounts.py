"""Accounts: connectors made ready to be asked often: whether they may carry such a message, and what it costs."""

from yanshu.domain.connectors import LONGEST_SENDER, Connector, ConnectorState, FilingState
from yanshu.domain.money import Money
from yanshu.rules.routing.match import Ask, Sending
from yanshu.rules.routing.prices import PriceList

MAINLAND_COUNTRY = "CN"
_UNFILED = {FilingState.PENDING: "signature_pending", FilingState.REJECTED: "signature_rejected", None: "signature_not_filed"}


class Account:
    """A connector with its prices, its filed signatures and its rules about senders; what it has none of costs nothing."""

    __slots__ = ("_filings", "_prices", "connector", "judges_senders")

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self.judges_senders = not connector.own_senders or connector.sender_length < LONGEST_SENDER
        self._prices = PriceList(connector.prices) if connector.prices else None
        self._filings = {filing.signature: filing.state for filing in connector.filings} if connector.requires_filing else None

    @property
    def signatures(self) -> frozenset[str]:
        """The signatures that make a difference to it."""
        return frozenset(self._filings or ())

    @property
    def countries(self) -> frozenset[str]:
        """The countries whose numbers make a difference to it, apart from prices."""
        return frozenset() if self._filings is None else frozenset({MAINLAND_COUNTRY})

    def refusal(self, ask: Ask) -> str | None:
        """Return why it may not carry such a message; None when it may."""
        connector, sending = self.connector, ask.sending
        if connector.state is not ConnectorState.ACTIVE:
            return "connector_drained"
        if connector.simulated is sending.livemode:
            return "connector_simulated" if connector.simulated else "connector_live"
        if sending.pool and connector.id not in sending.pool:
            return "not_in_pool"
        if connector.id in sending.exclude:
            return "excluded"
        if self._filings is not None and ask.country == MAINLAND_COUNTRY:
            state = self._filings.get(ask.signature)
            if state is not FilingState.FILED:
                return _UNFILED[state]
        return self._judge(sending) if self.judges_senders else None

    def price(self, ask: Ask) -> Money | None:
        """Return what a segment of such a message costs; None when it has no price that fits."""
        return self._prices.find(ask.country, ask.operator, ask.sending.lane) if self._prices is not None else None

    def _judge(self, sending: Sending) -> str | None:
        """Return what is wrong with the sender that such a message would have."""
        connector, own = self.connector, sending.sender
        if own is not None and not connector.own_senders:
            return "sender_not_allowed"
        sender = (connector.sender if own is None else own) + sending.extension
        return "sender_too_long" if len(sender) > connector.sender_length else None
