"""A platform that customers bind to, and customers with their programs."""

from itertools import count
from pathlib import Path
from typing import Any

from tests.integration.programs import CmppProgram, Program
from tests.integration.serving import Served, until
from yanshu.protocols.events import Bound
from yanshu.protocols.smpp import pdus
from yanshu.runtime.clock import SystemClock
from yanshu.simulator import Simulator, SimulatorSettings

_numbers = count(1)


class House(Served):
    """A platform that listens for binds. Live traffic has a simulated carrier of its own, test traffic the usual one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.live = Simulator(SimulatorSettings(seed=2), SystemClock())

    def open(self) -> "House":
        """Start everything and wait for both links."""
        self.start(bind_listen="smpp://127.0.0.1:0,cmpp://127.0.0.1:0")
        port = self.run(self.live.start())
        live = self.admin.call("POST", "/v1/connectors", self.connector_body(simulated=False, port=port))["id"]
        self.admin.call("POST", "/v1/routes", {"name": "live", "rank": 20, "connectors": [live]})
        self.connect()
        until("the link", lambda: self.admin.call("GET", f"/v1/connectors/{live}/health")["state"] == "up")
        return self

    async def _stop(self) -> None:
        await super()._stop()
        await self.live.stop()

    def reply(self, number: str, text: str) -> None:
        """Send a text from a handset that has got one."""
        until("the text", lambda: self.live.inbox(number))

        async def step() -> None:
            self.live.reply(number, text)

        self.run(step())


class Customer:
    """A bind and its programs."""

    def __init__(self, served: Served, **fields: Any) -> None:
        self.served = served
        self.system_id = f"s{next(_numbers)}"
        fields = {"protocol": "smpp", "window": 500, "throughput": 0, "inbound": False, **fields}
        body = {"name": "shop", "system_id": self.system_id, **fields}
        made = served.admin.call("POST", "/v1/binds", body)
        self.ident, self.secret, self.path = made["id"], made["secret"], f"/v1/binds/{made['id']}"

    def program(self, kind: type[pdus.Bind] = pdus.BindTransceiver, **fields: Any) -> Program:
        """A program that is bound."""
        program = Program(self.served, kind)
        for name, value in fields.items():
            setattr(program, name, value)
        program.open(self.system_id, self.secret)
        assert isinstance(program.bound, Bound), program.bound
        return program

    def cmpp_program(self, **fields: Any) -> CmppProgram:
        """A program over CMPP that is bound."""
        program = CmppProgram(self.served, **fields).open(self.system_id, self.secret)
        assert isinstance(program.bound, Bound), program.bound
        return program

    def message(self, ident: str) -> dict[str, Any]:
        """A message as the API shows it, by the id the customer was given."""
        found: dict[str, Any] = self.served.admin.call("GET", f"/v1/messages/msg_{ident}")
        return found


def owed(customer: Customer) -> int:
    """How much is in the bind's outbox."""

    async def count_them() -> int:
        async with customer.served.platform.store.read() as uow:
            return len(await uow.binds.with_due([customer.ident], customer.served.platform.clock.now()))

    return customer.served.run(count_them())
