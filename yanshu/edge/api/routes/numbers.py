"""/v1/numbers: what is known of a phone number."""

from yanshu.domain.errors import CallerError, Invalid
from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.schemas.numbers import NumberOut, show_number
from yanshu.rules.contacts.phones import parse_phone


async def get_number(call: Call) -> Answer:
    """Return what is known of a number; nothing is sent and nobody is asked."""
    try:
        number = parse_phone(call.ids["e164"], livemode=True)
    except CallerError as error:
        raise Invalid(error.code, param="e164", fix="a mainland mobile number, or + and the country code") from error
    return Answer(200, show_number(call.services.prefixes.facts_of(number)))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/numbers/{e164:str}",
        handler=get_number,
        scope="numbers:read",
        summary="Get what is known of a number",
        answer=NumberOut,
        refuses=(422,),
    ),
)
