"""Callbacks signed by the vendors' own SDKs, at the door: what they sign is taken, what is changed on the way is not."""

from msgspec.json import encode
from twilio.request_validator import RequestValidator
from vonage_http_client.auth import Auth as VonageAuth

from tests.unit.edge.test_callbacks import PUBLIC_URL, SECRET, House, connector, receipts

FORM = "application/x-www-form-urlencoded"


async def test_what_twilio_signs_is_checked_as_its_own_sdk_does() -> None:
    house, path = House(connector("twilio")), receipts("con_twilio")
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+14158675309", "Extra": "中 &="}
    body = b"MessageSid=SM1&MessageStatus=delivered&To=%2B14158675309&Extra=%E4%B8%AD+%26%3D"
    signature = RequestValidator(SECRET).compute_signature(PUBLIC_URL + path, fields)
    heard = await house.call(path, body, content_type=FORM, x_twilio_signature=signature)
    assert (heard.status, heard.body, heard.headers[b"content-type"]) == (200, b"<Response/>", b"text/xml")
    forged = await house.call(path, body.replace(b"delivered", b"failed"), content_type=FORM, x_twilio_signature=signature)
    assert (forged.status, len(house.arrivals)) == (403, 1)
    assert house.counted() == {"taken": 1.0, "forged": 1.0}


async def test_what_vonage_signs_is_checked_as_its_own_sdk_does() -> None:
    house, path = House(connector("vonage_signed")), receipts("con_vonage_signed")
    fields = {"msisdn": "447700900000", "messageId": "0A1", "status": "delivered", "timestamp": "1795352221", "nonce": "n"}
    signature = VonageAuth(api_key="AC1", signature_secret=SECRET, signature_method="sha256").sign_params(dict(fields))
    query = "&".join(f"{name}={value}" for name, value in {**fields, "sig": signature}.items())
    assert (await house.call(path, query=query, method="GET")).status == 200
    assert (await house.call(path, query=query.replace("delivered", "failed"), method="GET")).status == 403
    assert (await house.call(path, encode({**fields, "sig": signature}), content_type="application/json")).status == 200
    assert (await house.call(path, encode({**fields, "sig": signature, "x": 1}), content_type="application/json")).status == 403
    assert len(house.arrivals) == 2
