"""Stand-ins of SMS clouds: they check every request with the vendor's own public SDK and answer in the vendor's words."""

import asyncio
import ssl
from collections.abc import Callable
from hashlib import sha256
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from alibabacloud_openapi_util.client import Client as AlibabaSigner
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer as HuaweiSigner
from msgspec import Struct
from msgspec.json import decode, encode
from tencentcloud.common.abstract_client import AbstractClient as TencentClient
from vonage_http_client.auth import Auth as VonageAuth

ACCOUNT, SECRET = "AK1d", "s3cret+/="
Answering = Callable[["Call"], web.StreamResponse]


class Call(Struct, frozen=True):
    """One request as it came; names of headers are in lower case."""

    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def document(self) -> Any:
        return decode(self.body)

    def signed(self) -> dict[str, str]:
        """The headers that the signature says it covers."""
        names = self.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        return {name: self.headers[name] for name in names}


def alibaba(call: Call) -> bool:
    request = SimpleNamespace(method="POST", pathname=call.path, query=call.parameters, headers=call.signed())
    digest = sha256(call.body).hexdigest()
    expected = AlibabaSigner.get_authorization(request, "ACS3-HMAC-SHA256", digest, ACCOUNT, SECRET)
    return (call.headers["authorization"], call.headers["x-acs-content-sha256"]) == (expected, digest)


def tencent(call: Call) -> bool:
    header = {name: call.headers[name.lower()] for name in ("Content-Type", "Host", "X-TC-Timestamp")}
    request = SimpleNamespace(method="POST", uri=call.path, data=call.body, header=header)
    scope = call.headers["authorization"].partition("Credential=")[2].partition(",")[0].split("/")
    signature = TencentClient._get_tc3_signature(None, {}, request, scope[1], "sms", SECRET)
    return scope[0::2] == [ACCOUNT, "sms"] and call.headers["authorization"].endswith(f"Signature={signature}")


def huawei(call: Call) -> bool:
    headers = {"Content-Type" if name == "content-type" else name: value for name, value in call.signed().items()}
    host = call.headers["host"]
    request = SdkRequest(method="POST", host=host, resource_path=call.path, query_params=[], header_params=headers, body=call.body)
    signed = HuaweiSigner(BasicCredentials(ACCOUNT, SECRET)).sign(request)
    return signed.header_params["Authorization"] == call.headers["authorization"]


def basic(call: Call) -> bool:
    return call.headers["authorization"] == VonageAuth(api_key=ACCOUNT, api_secret=SECRET).create_basic_auth_string()


def vonage_signed(call: Call) -> bool:
    auth = VonageAuth(api_key=ACCOUNT, signature_secret=SECRET, signature_method="sha256")
    return call.form["api_key"] == ACCOUNT and auth.check_signature(call.form)


CHECKS: dict[str, Callable[[Call], bool]] = {
    "alibaba": alibaba,
    "generic_form": lambda call: (call.form["account"], call.form["password"]) == (ACCOUNT, SECRET),
    "generic_json": basic,
    "huawei": huawei,
    "tencent": tencent,
    "twilio": basic,
    "vonage": basic,
    "vonage_signed": vonage_signed,
}


def said(status: int, content: object) -> Answering:
    """Answer with JSON, or with octets as they are."""
    body = content if isinstance(content, bytes) else encode(content)
    return lambda _: web.Response(status=status, body=body, content_type="application/json")


def huawei_said(status: str, total: int = 1) -> dict[str, object]:
    return {"code": status, "result": [{"smsMsgId": "hw_1", "status": status, "total": total}]}


ACCEPTED: dict[str, Answering] = {
    "alibaba": said(200, {"Code": "OK", "BizId": "0091^0", "RequestId": "R"}),
    "generic_form": said(200, b"code=0&id=7"),
    "generic_json": said(202, {"id": "7"}),
    "huawei": said(200, huawei_said("000000")),
    "tencent": said(200, {"Response": {"SendStatusSet": [{"SerialNo": "2028:1", "Code": "Ok"}]}}),
    "twilio": said(201, {"sid": "SM1", "status": "queued"}),
    "vonage": said(200, {"messages": [{"status": "0", "message-id": "0A1"}]}),
    "vonage_signed": said(200, {"messages": [{"status": "0", "message-id": "0A1"}]}),
}
FORGED: dict[str, Answering] = {
    "alibaba": said(400, {"Code": "SignatureDoesNotMatch"}),
    "generic_form": said(401, b"code=9"),
    "generic_json": said(401, {}),
    "huawei": said(401, {"code": "E000001"}),
    "tencent": said(200, {"Response": {"Error": {"Code": "AuthFailure.SignatureFailure"}}}),
    "twilio": said(401, {"code": 20003}),
    "vonage": said(200, {"messages": [{"status": "4"}]}),
    "vonage_signed": said(200, {"messages": [{"status": "14"}]}),
}


class Cloud:
    """A cloud on 127.0.0.1. `answer` decides what a genuine request gets; `gate` None lets answers out, else they wait for it."""

    def __init__(self, provider: str, tls: ssl.SSLContext | None = None) -> None:
        self.provider = provider
        self.answer: Answering = ACCEPTED[provider]
        self.gate: asyncio.Event | None = None
        self.calls: list[Call] = []
        self.port = 0
        self._tls = tls
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=self._tls).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        path, _, query = request.raw_path.partition("?")
        call = Call(path, query, headers, await request.read())
        self.calls.append(call)
        if self.gate is not None:
            await self.gate.wait()
        if not CHECKS[self.provider](call):
            return FORGED[self.provider](call)
        return self.answer(call)
