"""/v1/sandbox: the virtual handsets that test keys write to."""

from yanshu.domain.errors import Forbidden, Missing
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.schemas.handsets import HandsetTextOut, InboxOut, PhoneOut, PhonesOut, ReplyIn, ReplyOut
from yanshu.edge.api.services import Sandbox
from yanshu.ports.filters import MessageFilter, Page


async def list_phones(call: Call) -> Answer:
    """List the handsets that something was sent to."""
    numbers = [number for number in _sandbox(call).handsets() if await _texts_to(call, number)]
    return Answer(200, PhonesOut(data=[PhoneOut(id=f"+{number}") for number in numbers]))


async def get_inbox(call: Call) -> Answer:
    """Return what reached a handset, oldest first."""
    sandbox, number, mine = await _phone(call)
    inbox = [text for text in sandbox.inbox(number) if text.text in mine]
    return Answer(200, InboxOut(data=[HandsetTextOut(sender=t.sender, text=t.text, segments=t.segments, at=t.at) for t in inbox]))


async def reply_from_phone(call: Call) -> Answer:
    """Send a text from a handset; it comes in as any inbound text does."""
    body: ReplyIn = call.body
    sandbox, number, _ = await _phone(call)
    return Answer(202, ReplyOut(segments=sandbox.reply(number, body.text, body.to)))


def _sandbox(call: Call) -> Sandbox:
    """Return the sandbox, for test keys, where this process has one."""
    if call.caller.livemode:
        raise Forbidden("scope_missing", scope="sandbox:use (test keys only)")
    if call.services.sandbox is None:
        raise Missing("sandbox", "here")
    return call.services.sandbox


async def _phone(call: Call) -> tuple[Sandbox, str, frozenset[str]]:
    """Return the sandbox, the digits of the handset the path names, and what the caller's workspace wrote to it."""
    sandbox, number = _sandbox(call), call.ids["number"].removeprefix("+")
    mine = await _texts_to(call, number) if number in sandbox.handsets() else frozenset()
    if not mine:
        raise Missing("sandbox_phone", call.ids["number"][:64])
    return sandbox, number, mine


async def _texts_to(call: Call, number: str) -> frozenset[str]:
    """Return what the caller's workspace last wrote to a number: test numbers are everybody's, the texts on them are not."""
    filters = MessageFilter(recipient=f"+{number}", livemode=False)
    async with call.services.store.read() as uow:
        page = await uow.messages.page(call.caller.workspace_id, filters, Page(limit=_TEXTS))
    return frozenset(message.text for message in page.messages)


_TEXTS = 200
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
