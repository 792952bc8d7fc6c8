"""Debian's kannel as a customer: a bearerbox that binds to us, and the smsbox through which its own customers send and hear."""

import socket
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.integration.serving import until
from tests.integration.site import free_port
from tests.peers.found import path_of

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_BEARERBOX = """
group = core
admin-port = {admin}
admin-password = secret
admin-interface = 127.0.0.1
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log
log-level = 0
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = yanshu
host = 127.0.0.1
port = {port}
smsc-username = {system_id}
smsc-password = {password}
system-type = ""
transceiver-mode = true
enquire-link-interval = 2
reconnect-delay = 1
max-pending-submits = 100
log-file = {folder}/smsc.log
log-level = 0
"""
_SMSBOX = """
group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
sendsms-interface = 127.0.0.1
log-file = {folder}/smsbox.log
log-level = 0

group = sendsms-user
username = shop
password = secret
concatenation = true
max-messages = 10
user-allow-ip = 127.0.0.1

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{ear}/mo?from=%p&to=%P&text=%b&charset=%C&coding=%c"
accepted-smsc = yanshu
max-messages = 0
"""


class Ear:
    """Hears what smsbox calls: receipts on /dlr and texts on /mo, as their query says."""

    def __init__(self) -> None:
        self.heard: list[dict[str, str]] = []
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urllib.parse.urlsplit(self.path)
                pairs = urllib.parse.parse_qsl(url.query, keep_blank_values=True, encoding="latin-1")
                heard.append({"what": url.path.strip("/"), **dict(pairs)})
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Kannel:
    """A running kannel."""

    def __init__(self, folder: Path, ports: dict[str, int], ear: Ear) -> None:
        self._ports = ports
        self.folder = folder
        self.ear = ear

    def is_bound(self) -> bool:
        """Whether the bearerbox says that its connection is online."""
        try:
            with _OPENER.open(f"http://127.0.0.1:{self._ports['admin']}/status.txt?password=secret", timeout=5) as answer:
                return "(online" in answer.read().decode("latin-1")
        except OSError:
            return False

    def send(self, to: str, text: str, sender: str = "10690001") -> str:
        """Have a text sent, with every receipt asked for; what smsbox says."""
        hears = f"http://127.0.0.1:{self.ear.port}/dlr?type=%d&id=%F&answer=%A&to={to}"
        query = {
            "username": "shop",
            "password": "secret",
            "from": sender,
            "to": to,
            "text": text,
            "charset": "UTF-8",
            "coding": "2",
            "dlr-mask": "31",
            "dlr-url": hears,
        }
        with _OPENER.open(f"http://127.0.0.1:{self._ports['send']}/cgi-bin/sendsms?{urllib.parse.urlencode(query)}", timeout=10) as answer:
            said: str = answer.read().decode()
        return said

    def log(self) -> str:
        """What the connection's log says."""
        return (self.folder / "smsc.log").read_text("latin-1")


@contextmanager
def running_kannel(folder: Path, port: int, system_id: str, password: str) -> Iterator[Kannel]:
    """Start both boxes and wait until they are bound."""
    with Ear() as ear:
        ports = {name: free_port() for name in ("admin", "box", "send")}
        values = {**ports, "ear": ear.port, "port": port, "system_id": system_id, "password": password, "folder": folder}
        config = folder / "kannel.conf"
        config.write_text((_BEARERBOX + _SMSBOX).format(**values))
        boxes: list[subprocess.Popen[bytes]] = []
        try:
            for box in ("bearerbox", "smsbox"):
                output = (folder / f"{box}.out").open("wb")
                boxes.append(subprocess.Popen([path_of(box), str(config)], stdout=output, stderr=output, cwd=folder))
                output.close()
                wanted = ports["box"] if box == "bearerbox" else ports["send"]
                until(box, lambda wanted=wanted: _listens(wanted))
            kannel = Kannel(folder, ports, ear)
            until("kannel's bind", kannel.is_bound)
            yield kannel
        finally:
            for process in reversed(boxes):
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
