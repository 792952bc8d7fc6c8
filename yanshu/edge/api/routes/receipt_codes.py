"""/v1/receipt_codes: what a carrier's code means."""

from yanshu.edge.api.endpoints import Answer, Call, Endpoint
from yanshu.edge.api.schemas.receipt_codes import CodeQuery, ReceiptCodeOut, show_code


async def get_receipt_code(call: Call) -> Answer:
    """Return what a code means at a carrier; one that nobody knows is told as unknown, as in an explanation."""
    query: CodeQuery = call.query
    code = call.ids["code"]
    finding = call.services.codes.find(query.carrier, code, "")
    return Answer(200, show_code(code, query.carrier, finding, call.language))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/receipt_codes/{code:str}",
        handler=get_receipt_code,
        scope="messages:read",
        summary="Get what a receipt code means",
        query=CodeQuery,
        answer=ReceiptCodeOut,
        refuses=(422,),
    ),
)
