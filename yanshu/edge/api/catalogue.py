"""The catalogue of error codes: HTTP status, type, and what a person is told in Chinese and English."""

import re
from typing import NamedTuple


class Entry(NamedTuple):
    """One code. `{…}` places are filled with the error's values."""

    status: int
    type: str
    en: str
    zh: str


_INVALID = "invalid_request_error"
_AUTH = "authentication_error"
_PERMISSION = "permission_error"
_CONFLICT = "conflict_error"
_VALIDATION = "validation_error"
_POLICY = "policy_error"
_RECIPIENT = "recipient_error"
_RATE = "rate_limit_error"
_API = "api_error"

CATALOGUE: dict[str, Entry] = {
    "malformed_json": Entry(400, _INVALID, "The body is not the JSON expected here: {fix}.", "请求体不是合法的 JSON：{fix}。"),
    "invalid_content_type": Entry(400, _INVALID, "This {param} is not understood; use {fix}.", "不支持该 {param}，请使用 {fix}。"),
    "key_missing": Entry(401, _AUTH, "Send an API key: Authorization: Bearer ys_…", "缺少密钥，请携带 Authorization: Bearer ys_…"),
    "key_invalid": Entry(401, _AUTH, "This API key does not exist.", "密钥不存在。"),
    "key_expired": Entry(401, _AUTH, "This API key has expired; make or rotate one.", "密钥已过期，请新建或轮换。"),
    "key_revoked": Entry(401, _AUTH, "This API key was revoked.", "密钥已被吊销。"),
    "scope_missing": Entry(403, _PERMISSION, "The key lacks the scope {scope}.", "密钥缺少权限 {scope}。"),
    "ip_not_allowed": Entry(403, _PERMISSION, "The key may not be used from {address}.", "该密钥不允许从 {address} 使用。"),
    "test_key_live_recipient": Entry(
        403, _PERMISSION, "A test key reaches test numbers only: {fix}.", "测试密钥只能发送到测试号码：{fix}。"
    ),
    "resource_missing": Entry(404, "not_found_error", "There is no {what} {id}.", "{what} {id} 不存在。"),
    "method_not_allowed": Entry(405, _INVALID, "This path does not take {method}; see /docs.", "该路径不支持 {method}，请查看 /docs。"),
    "idempotency_in_progress": Entry(
        409, _CONFLICT, "A request with this key is still running; ask again shortly.", "同一幂等键的请求仍在处理，请稍后重试。"
    ),
    "idempotency_key_reused": Entry(409, _CONFLICT, "This Idempotency-Key was used for another body.", "该幂等键已用于不同的请求体。"),
    "client_reference_exists": Entry(
        409, _CONFLICT, "This client_reference was used within 24 hours.", "该 client_reference 在 24 小时内已使用。"
    ),
    "system_id_exists": Entry(409, _CONFLICT, "Another bind has this system_id.", "该 system_id 已被其他接入账号使用。"),
    "state_conflict": Entry(409, _CONFLICT, "Not possible in its present state ({status}).", "当前状态（{status}）不允许该操作。"),
    "batch_too_large": Entry(413, _INVALID, "Too large: {fix}.", "请求过大：{fix}。"),
    "parameter_missing": Entry(422, _VALIDATION, "{param} is required.", "缺少参数 {param}。"),
    "unknown_parameter": Entry(422, _VALIDATION, "{param} is not a parameter here{fix}.", "未知参数 {param}{fix}。"),
    "parameter_invalid": Entry(422, _VALIDATION, "{param} is not valid: {fix}.", "参数 {param} 无效：{fix}。"),
    "phone_invalid": Entry(422, _VALIDATION, "This is no phone number: {fix}.", "不是有效的电话号码：{fix}。"),
    "phone_not_mobile": Entry(422, _VALIDATION, "This is no mobile number: {fix}.", "不是手机号码：{fix}。"),
    "template_param_missing": Entry(422, _VALIDATION, "The place ${{{name}}} of the text got no value.", "文本变量 ${{{name}}} 未提供值。"),
    "template_param_unused": Entry(422, _VALIDATION, "The text has no place ${{{name}}}.", "文本中没有变量 ${{{name}}}。"),
    "template_param_invalid": Entry(422, _VALIDATION, "The value of {name} does not fit: {fix}.", "变量 {name} 的值不符合要求：{fix}。"),
    "send_at_past": Entry(422, _VALIDATION, "send_at has passed; give {fix}.", "send_at 已过去，请使用将来的时间。"),
    "send_at_too_far": Entry(422, _VALIDATION, "send_at is too far ahead: {fix}.", "send_at 过远：最多提前 366 天。"),
    "text_too_long": Entry(422, _VALIDATION, "The text is too long: {fix}.", "文本过长：{fix}。"),
    "segments_missing": Entry(
        422, _VALIDATION, "Segments of this long text never came; send it again.", "长短信的部分分条未收到，请重新发送。"
    ),
    "text_empty": Entry(422, _VALIDATION, "The text is empty: {fix}.", "文本为空：{fix}。"),
    "no_route_accepts_content": Entry(
        422,
        _POLICY,
        "No route leads to a usable connector; see POST /v1/routes and /explain.",
        "没有可用的路由与通道，请检查 POST /v1/routes。",
    ),
    "duplicate_content": Entry(422, _RECIPIENT, "This dedupe key was used within its window.", "该去重键在窗口期内已使用。"),
    "suppressed": Entry(
        422,
        _RECIPIENT,
        "Nobody has had this number since {since}, as its receipts say; it is tried again after {until}. See GET /v1/numbers.",
        "状态报告显示该号码自 {since} 起为空号，{until} 之后会再次尝试，详见 GET /v1/numbers。",
    ),
    "too_many_requests": Entry(429, _RATE, "Too many requests; wait as Retry-After says.", "请求过于频繁，请按 Retry-After 等待。"),
    "too_many_messages": Entry(429, _RATE, "Too many messages; wait as Retry-After says.", "发送过于频繁，请按 Retry-After 等待。"),
    "internal": Entry(500, _API, "Something went wrong here; give us the request id.", "服务内部错误，请提供 request_id。"),
    "overloaded": Entry(503, _API, "Nothing was done: busy just now; try again shortly.", "系统繁忙，请求未执行，请稍后重试。"),
    "maintenance": Entry(503, _API, "Nothing was done: stopping; try again shortly.", "服务维护中，请求未执行，请稍后重试。"),
}


class _Blank(dict[str, object]):
    """Values for a message's places; what is not known is left out."""

    def __missing__(self, key: str) -> str:
        return ""


def message_of(code: str, language: str, values: dict[str, object]) -> str:
    """Return the sentence for `code`."""
    entry = CATALOGUE[code]
    return (entry.zh if language.startswith("zh") else entry.en).format_map(_Blank(values))


def in_print(text: str) -> str:
    """Return a message as a page prints it: its places as `{name}`, braces that are meant as such once."""
    return re.sub(r"\{{2,3}", "{", re.sub(r"\}{2,3}", "}", text))
