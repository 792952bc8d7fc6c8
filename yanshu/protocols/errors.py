"""The two errors of every wire protocol: ours and the peer's."""


class LocalProtocolError(Exception):
    """We asked for something the protocol cannot carry; a bug or a bad setting of ours."""


class RemoteProtocolError(Exception):
    """The peer sent octets that mean nothing; `status` is what the protocol would answer."""

    def __init__(self, detail: str, status: int = 0) -> None:
        super().__init__(detail)
        self.status = status
