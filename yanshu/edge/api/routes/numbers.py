"""/v1/numbers: what is known of a phone number, and what was learned about it."""

from yanshu.domain.errors import CallerError, Invalid, Missing
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.schemas.numbers import NumberOut, show_number
from yanshu.edge.api.schemas.platform import DeletedOut
from yanshu.edge.api.writing import write
from yanshu.ports.store import UnitOfWork
from yanshu.rules.contacts.phones import parse_phone
from yanshu.runtime.masks import mask_phone


async def get_number(call: Call) -> Answer:
    """Return what is known of a number; nothing is sent and nobody is asked."""
    facts, lesson = await call.services.numbers.facts_of(_number(call), call.services.clock.now())
    return Answer(200, show_number(facts, lesson))


async def delete_lesson(call: Call) -> Answer:
    """Forget what was learned about a number: its operator is told by its range again, and it is not dead."""
    number = _number(call)

    async def work(uow: UnitOfWork) -> tuple[str, DeletedOut]:
        if not await uow.lessons.forget([number]):
            raise Missing("lesson", number)
        # What is forgotten must not live on in the audit trail.
        return mask_phone(number), DeletedOut(id=number, object="lesson")

    return await write(call, "lesson.deleted", 200, work)


def _number(call: Call) -> str:
    try:
        return parse_phone(call.ids["e164"], livemode=True)
    except CallerError as error:
        raise Invalid(error.code, param="e164", fix="a mainland mobile number, or + and the country code") from error


_ONE = "/v1/numbers/{e164:str}"

ENDPOINTS = (
    Endpoint(
        method="GET",
        path=_ONE,
        handler=get_number,
        scope="numbers:read",
        summary="Get what is known of a number",
        answer=NumberOut,
        refuses=(422,),
    ),
    Endpoint(
        method="DELETE",
        path=f"{_ONE}/lesson",
        handler=delete_lesson,
        scope="numbers:write",
        summary="Forget what was learned about a number",
        answer=DeletedOut,
        refuses=(404, 422),
    ),
)
