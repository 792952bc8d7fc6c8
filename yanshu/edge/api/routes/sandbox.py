"""/v1/sandbox: the virtual handsets that test keys write to."""

from yanshu.domain.errors import Forbidden, Missing
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.schemas.handsets import HandsetTextOut, InboxOut, PhoneOut, PhonesOut, ReplyIn, ReplyOut
from yanshu.edge.api.services import Sandbox


async def list_phones(call: Call) -> Answer:
    """List the handsets that something was sent to."""
    return Answer(200, PhonesOut(data=[PhoneOut(id=f"+{number}") for number in _sandbox(call).handsets()]))


async def get_inbox(call: Call) -> Answer:
    """Return what reached a handset, oldest first."""
    sandbox, number = _phone(call)
    texts = [HandsetTextOut(sender=text.sender, text=text.text, segments=text.segments, at=text.at) for text in sandbox.inbox(number)]
    return Answer(200, InboxOut(data=texts))


async def reply_from_phone(call: Call) -> Answer:
    """Send a text from a handset; it comes in as any inbound text does."""
    body: ReplyIn = call.body
    sandbox, number = _phone(call)
    return Answer(202, ReplyOut(segments=sandbox.reply(number, body.text, body.to)))


def _sandbox(call: Call) -> Sandbox:
    """Return the sandbox, for test keys, where this process has one."""
    if call.caller.livemode:
        raise Forbidden("scope_missing", scope="sandbox:use (test keys only)")
    if call.services.sandbox is None:
        raise Missing("sandbox", "here")
    return call.services.sandbox


def _phone(call: Call) -> tuple[Sandbox, str]:
    """Return the sandbox and the digits of the handset the path names."""
    sandbox, number = _sandbox(call), call.ids["number"].removeprefix("+")
    if number not in sandbox.handsets():
        raise Missing("sandbox_phone", call.ids["number"][:64])
    return sandbox, number


_ONE = "/v1/sandbox/phones/{number:str}"
_SCOPE = "sandbox:use"
ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/sandbox/phones",
        handler=list_phones,
        scope=_SCOPE,
        summary="List virtual handsets",
        answer=PhonesOut,
        refuses=(404,),
    ),
    Endpoint(method="GET", path=_ONE + "/inbox", handler=get_inbox, scope=_SCOPE, summary="Read a handset", answer=InboxOut),
    Endpoint(
        method="POST",
        path=_ONE + "/reply",
        handler=reply_from_phone,
        scope=_SCOPE,
        summary="Reply from a handset",
        status=202,
        body=ReplyIn,
        answer=ReplyOut,
    ),
)
