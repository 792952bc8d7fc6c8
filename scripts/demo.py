"""The story of a message, for real: a server, simulated carriers over TCP, a webhook receiver, and a reply.

Starts `yanshu serve` and `yanshu simulate` on free ports of 127.0.0.1 with a throw-away data directory. Act one sends one
verification code through the HTTP API and prints what happened, step by step, with the time since the request; act two sends a
message over each protocol, act three one that the first connector refuses. However it ends (by itself, by Ctrl-C, by an error), the
processes are stopped and the directory is removed.
"""

import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

from demo_stage import Api, Failed, Hooks, at, free_port, running, wait

PHONE = "+8610000000015"  # the simulated person who answers 你好 (docs/reference/test-numbers.md)
REFUSED_PHONE = "+8610000000007"  # refused by the connector that is marked for it
TEXT = "【雁书】您的验证码是 482913，5 分钟内有效。请勿告诉他人。"
SCOPES = ["messages:send", "messages:read", "inbound:read", "webhooks:write"]
EVENTS = {
    "message.accepted": "accepted: the message and this event are one transaction",
    "message.queued": "queued for the next free place on the link",
    "message.submitted": "the carrier's answer is stored: submitted",
    "message.delivered": "the receipt is matched and stored: delivered",
}
# How the account is called in the settings of a connector, and what else it needs here; `{listen}` is the port that SGIP calls.
SETTINGS: dict[str, dict[str, Any]] = {
    "smpp": {"system_id": "yanshu"},
    "cmpp": {"sp_id": "yanshu"},
    "sgip": {"login_name": "yanshu", "corp_id": "12345", "area_code": "010", "listen_host": "127.0.0.1"},
    "smgp": {"client_id": "yanshu"},
    "http": {"account": "yanshu", "provider": "generic_json", "tls": False},
}


def main() -> int:
    """Tell the story; 0 when it came to its end."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal that knows no Chinese
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    print("Messages from HTTP requests to (simulated) phones and back, on this machine.\n", flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="yanshu-demo-") as folder:
            play(Path(folder))
    except KeyboardInterrupt:
        print("\nStopped. What the demo had started is gone.", file=sys.stderr)
        return 130
    except (Failed, OSError) as error:
        print(f"\nThe demo broke off: {error}", file=sys.stderr)
        return 1
    print("\nServer, carrier and data of this demo are gone again.")
    print("Next: `make run` starts a server that stays; docs/tutorial.md (中文: docs/zh/tutorial.md) goes on from there.")
    return 0


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def play(folder: Path) -> None:
    """Start everything, set up, and play the acts."""
    hooks, listen = Hooks(), free_port()
    environment = {
        "YANSHU_DATA_DIR": str(folder),
        "YANSHU_WEBHOOK_ALLOW": f"127.0.0.1:{hooks.port}",
        "YANSHU_CALLBACKS_LISTEN": f"127.0.0.1:{free_port()}",
    }
    ports = [word for protocol in SETTINGS for word in (f"--{said_as(protocol)}".replace("_", "-"), "0")]
    accounts = [f"{protocol}/yanshu:simulate" for protocol in SETTINGS] + ["smpp/busy:simulate:refuses_07"]
    options = [*ports, "--sgip-deliver-to", f"127.0.0.1:{listen}", *(word for one in accounts for word in ("--account", one))]
    with (
        running("simulate", *options, logs=folder / "simulate.log") as simulator,
        running("serve", "--port", "0", logs=folder / "serve.log", **environment) as server,
    ):
        setting("server", f"{server['url']}  (SQLite in {folder})")
        for protocol in SETTINGS:
            setting("carrier", f"127.0.0.1:{simulator[said_as(protocol)]}  (yanshu simulate: {protocol.upper()} over TCP)")
        setting("webhook", f"127.0.0.1:{hooks.port}  (a receiver in this script)")
        admin = Api(server["url"], server["admin_key"])
        connectors = connect(admin, simulator, listen)
        setting("links", "up: bound to the carrier, over every protocol")
        api = with_webhook(admin, hooks)
        act("One verification code, from the request to the reply")
        tell(api, hooks)
        act("The same platform over five protocols")
        tell_of_protocols(api, connectors)
        act("A connector that refuses, and another that delivers")
        tell_of_failover(api, connectors)


def said_as(protocol: str) -> str:
    """What `yanshu simulate` calls the port of a protocol."""
    return "port" if protocol == "smpp" else f"{protocol}_port"


def connect(admin: Api, simulator: dict[str, Any], listen: int) -> dict[str, str]:
    """Make a connector over each protocol, one that refuses, and the default route; their ids by name."""
    made: dict[str, str] = {}
    for name, protocol in [("smpp", "smpp"), ("busy", "smpp"), *((protocol, protocol) for protocol in SETTINGS if protocol != "smpp")]:
        settings = {**SETTINGS[protocol]}
        if name == "busy":
            settings["system_id"] = "busy"
        if protocol == "sgip":
            settings["listen_port"] = listen
        body = {"name": name, "protocol": protocol, "host": "127.0.0.1", "port": simulator[said_as(protocol)], "settings": settings}
        body |= {"password": "simulate", "simulated": True, "sender": "10690000"}
        made[name] = admin.call("POST", "/v1/connectors", body)["id"]
    admin.call("POST", "/v1/routes", {"name": "default", "rank": 10, "connectors": list(made.values())})
    for name, ident in made.items():
        wait(f"the link of {name}", lambda ident=ident: admin.call("GET", f"/v1/connectors/{ident}/health")["state"] == "up")
    return made


def with_webhook(admin: Api, hooks: Hooks) -> Api:
    """Make a test key and its webhook endpoint; return an API with that key."""
    api = Api(admin.url, admin.call("POST", "/v1/api_keys", {"name": "demo", "livemode": False, "scopes": SCOPES})["secret"])
    events = ["message.*", "inbound.*"]
    hooks.secret = api.call("POST", "/v1/webhook_endpoints", {"url": f"http://127.0.0.1:{hooks.port}/hook", "events": events})["secret"]
    return api


def tell(api: Api, hooks: Hooks) -> None:
    """Send, wait for the end, and print the timeline."""
    body = {"to": PHONE, "text": TEXT, "lane": "otp"}
    print(f"\n  POST /v1/messages\n  {json.dumps(body, ensure_ascii=False)}\n", flush=True)
    started = time.time()
    sent = api.call("POST", "/v1/messages", body)
    lines = [(time.time() - started, "HTTP", f"202: {sent['id']}, {sent['segments']} segment ({sent['encoding']}, {sent['units']} units)")]
    message = wait("the receipt", lambda: delivered(api, sent["id"]))
    inbound = wait("the reply", lambda: api.call("GET", "/v1/inbound")["data"])[0]
    wait("the webhooks", lambda: {"message.delivered", "inbound.received"} <= {event["type"] for _, _, event in list(hooks.calls)})
    lines += [(at(event["at"], started), "store", EVENTS.get(event["type"], event["type"])) for event in message["timeline"]]
    for row in api.call("GET", f"/v1/messages/{message['id']}/submissions")["data"]:
        lines.append((at(row["answered_at"], started), "SMPP", f"submit_sm_resp: segment {row['segment']} is {row['carrier_message_id']}"))
        lines.append((at(row["receipt"]["at"], started), "SMPP", f"deliver_sm: receipt {row['receipt']['stat']}"))
    reply = f"{inbound['from']} replied {inbound['text']}, in reply to {inbound['in_reply_to']}"
    lines.append((at(inbound["created_at"], started), "inbound", reply))
    for arrived, genuine, event in hooks.calls:
        lines.append((arrived - started, "webhook", f"{event['type']}, signature {'verified' if genuine else 'WRONG'}"))
    for seconds, where, what in sorted(lines):
        print(f"  {seconds:+7.3f} s  {where:<8} {what}", flush=True)
    explain(api, message["id"])
    if not all(genuine for _, genuine, _ in hooks.calls):
        raise Failed("a webhook had a wrong signature")


def tell_of_protocols(api: Api, connectors: dict[str, str]) -> None:
    """Send one message over each protocol, and print how each was explained."""
    for protocol in SETTINGS:
        sent = send(api, PHONE, connectors[protocol])
        wait(f"the receipt over {protocol}", lambda sent=sent: delivered(api, sent))
        (row,) = api.call("GET", f"/v1/messages/{sent}/submissions")["data"]
        print(f"\n  {protocol.upper():<5} {row['carrier_message_id']}, receipt {row['receipt']['stat']}", end="")
        explain(api, sent)


def tell_of_failover(api: Api, connectors: dict[str, str]) -> None:
    """Send to a number that the first of two connectors refuses, and print how that was explained."""
    sent = send(api, REFUSED_PHONE, connectors["busy"], connectors["cmpp"])
    message = wait("the receipt after the failover", lambda: delivered(api, sent))
    rows = api.call("GET", f"/v1/messages/{sent}/submissions")["data"]
    names = {ident: name for name, ident in connectors.items()}
    for row in rows:
        print(f"\n  attempt {row['attempt']} over {names[row['connector']]}: {row['status']} {row['code'] or ''}", end="")
    explain(api, sent)
    if message["connector"] != connectors["cmpp"]:
        raise Failed("the second connector did not get it")


def send(api: Api, to: str, *pool: str) -> str:
    """Send a message over these connectors, the first one first; its id."""
    body = {"to": to, "text": TEXT, "lane": "otp", "routing": {"pool": list(pool)}}
    ident: str = api.call("POST", "/v1/messages", body)["id"]
    return ident


def explain(api: Api, ident: str) -> None:
    """Print how the platform explains a message."""
    print(f"\n  GET /v1/messages/{ident}/explain")
    for sentence in api.call("GET", f"/v1/messages/{ident}/explain")["sentences"]:
        print(f"  - {sentence}")
    sys.stdout.flush()


def delivered(api: Api, ident: str) -> Any:
    """Return the message once it is delivered."""
    message = api.call("GET", f"/v1/messages/{ident}")
    return message if message["status"] == "delivered" else None


def act(title: str) -> None:
    """Print the title of an act."""
    print(f"\n{title}\n{'-' * len(title)}", flush=True)


def setting(name: str, what: str) -> None:
    """Print one line of what there is."""
    print(f"  {name:<8} {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
