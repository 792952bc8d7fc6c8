"""Reasons: why a message is where it is, who can act, and what they can do, in Chinese and English."""

from typing import Any

from msgspec import Struct

from yanshu.domain.outcomes import TOLD


class Reason(Struct, frozen=True):
    """Who owns a reason (platform, workspace, content, recipient, carrier, connector) and advice for a person."""

    owner: str
    en: str
    zh: str


# Reasons that stages find themselves.
_OURS: dict[str, Reason] = {
    "submit_unanswered": Reason(
        "carrier",
        "The carrier did not answer the submit; a late receipt may still tell.",
        "供应商未应答提交，可能稍后由状态报告确认结果。",
    ),
    "outcome_unknown": Reason(
        "carrier",
        "The carrier never said what became of it. Ask the carrier before sending again: the person may have it.",
        "供应商始终未告知结果。重发前请先向供应商核实，对方可能已收到。",
    ),
    "no_receipt": Reason("carrier", "The carrier took it but sent no receipt in time.", "供应商已接收，但未在时限内返回状态报告。"),
    "validity_passed": Reason(
        "platform",
        "It could not be submitted within its validity. Check the connector's link and throughput, or give it more time.",
        "在有效期内未能提交。请检查通道连接与流速，或延长有效期。",
    ),
    "segments_lost": Reason("carrier", "A part of the long text was not delivered.", "长短信有部分未送达。"),
    "partial_receipts": Reason(
        "carrier", "Only some segments were reported, none of them failed.", "仅收到部分分条的状态报告，且均未失败。"
    ),
    "paused": Reason("workspace", "Its batch is paused. Resume or cancel the batch.", "所属批次已暂停，请恢复或取消该批次。"),
    "batch_canceled": Reason("workspace", "Its batch was canceled.", "所属批次已取消。"),
    "canceled_by_caller": Reason("workspace", "It was taken back by a request.", "已按请求撤回。"),
    "phone_invalid": Reason("recipient", "The number cannot be read as a phone number.", "号码格式无法识别。"),
    "phone_not_mobile": Reason("recipient", "The number is no mobile number.", "不是手机号码。"),
    "test_key_live_recipient": Reason("workspace", "A test key reaches test numbers only.", "测试密钥只能发送到测试号码。"),
    "template_param_missing": Reason("content", "A place of the text got no value.", "文本中有变量未提供值。"),
    "template_param_unused": Reason("content", "A value has no place in the text.", "提供了文本中不存在的变量。"),
    "template_param_invalid": Reason("content", "A value does not fit its place.", "变量值不符合要求。"),
    "text_too_long": Reason("content", "The text has too many segments; shorten it.", "短信条数过多，请缩短文本。"),
    "segments_missing": Reason(
        "workspace",
        "Segments of this long text never came over the bind. Send the whole text again.",
        "接入侧提交的长短信缺少部分分条，请重新发送整条短信。",
    ),
    "text_empty": Reason("content", "There is no visible text.", "没有可见的文本内容。"),
    "no_route_accepts_content": Reason(
        "platform",
        "No route leads to a usable connector. Define one, or look at the candidates.",
        "没有可用的路由与通道，请配置路由或查看候选通道。",
    ),
    "suppressed": Reason(
        "recipient",
        "The number is dead: message after message found nobody. GET /v1/numbers/{number} tells since when and when it is tried again; "
        "DELETE /v1/numbers/{number}/lesson lifts it.",
        "号码已判定为空号：多次发送均无人接收。GET /v1/numbers/{号码} 可查看起始时间与再次尝试的时间，"
        "DELETE /v1/numbers/{号码}/lesson 可解除。",
    ),
    "duplicate_content": Reason("workspace", "The same deduplication key was used within its window.", "去重窗口内已使用相同的去重键。"),
}
# What a carrier's code led to has the class of the code as its reason (`domain.outcomes`).
_CARRIERS = {str(outcome): Reason(told.owner, told.en, told.zh) for outcome, told in TOLD.items() if told.owner is not None}
# One row a code; the codes a stage writes into `reason_code`.
REASONS: dict[str, Reason] = _OURS | _CARRIERS


def reason_of(code: str | None, raw: str | None, language: str) -> dict[str, Any] | None:
    """Return `{code, owner, advice, raw}` in `language` (zh…, else English), or None without a code."""
    if code is None:
        return None
    known = REASONS.get(code)
    advice = "" if known is None else known.zh if language.startswith("zh") else known.en
    return {"code": code, "owner": known.owner if known else "carrier", "advice": advice, "raw": raw}
