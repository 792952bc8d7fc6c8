"""Outcome classes: what a carrier's code means, whoever wrote it; everything that follows is decided by class and lane."""

from enum import StrEnum

from msgspec import Struct


class OutcomeClass(StrEnum):
    """Our own taxonomy of what became of a submit or a segment (china-sms.md §5)."""

    DELIVERED = "delivered"
    ACCEPTED = "accepted"  # on its way; not the last word
    INVALID_NUMBER = "invalid_number"  # nobody has this number
    SUSPENDED = "suspended"  # out of service for now: debt, pause
    OFF_OR_UNREACHABLE = "off_or_unreachable"
    DEAD_OR_OFF = "dead_or_off"  # the operator does not tell which
    HANDSET = "handset"  # full, or no SMS on it
    NO_SMS_SERVICE = "no_sms_service"
    BLACKLIST = "blacklist"
    UNSUBSCRIBED = "unsubscribed"
    CONTENT_BLOCKED = "content_blocked"
    SIGNATURE = "signature"  # not filed, or against its rules
    GATEWAY_BLOCKED = "gateway_blocked"  # blocked, nobody says why
    FREQUENCY = "frequency"
    TIME_WINDOW = "time_window"
    PORTED = "ported"  # the number lives at another operator
    CARRIER_ERROR = "carrier_error"
    EXPIRED = "expired"
    NOT_ORDERED = "not_ordered"  # service code, billing, contract
    PARAM = "param"  # the carrier does not understand a field
    UNKNOWN = "unknown"


class Owner(StrEnum):
    """Who must act when a segment did not arrive."""

    PLATFORM = "platform"
    WORKSPACE = "workspace"
    CONTENT = "content"
    RECIPIENT = "recipient"
    CARRIER = "carrier"
    CONNECTOR = "connector"

    def in_language(self, language: str) -> str:
        """Return the word for it: Chinese for zh…, else English."""
        return _OWNERS_ZH[self] if language.startswith("zh") else self.value


_OWNERS_ZH: dict[Owner, str] = {
    Owner.PLATFORM: "平台",
    Owner.WORKSPACE: "工作区",
    Owner.CONTENT: "内容",
    Owner.RECIPIENT: "接收者",
    Owner.CARRIER: "供应商",
    Owner.CONNECTOR: "通道",
}


class Told(Struct, frozen=True):
    """What people are told of a class: who must act (None: nobody), what happened and what to do, in both languages."""

    owner: Owner | None
    en: str
    zh: str

    def in_language(self, language: str) -> str:
        """Return the sentences: Chinese for zh…, else English."""
        return self.zh if language.startswith("zh") else self.en


TOLD: dict[OutcomeClass, Told] = {
    OutcomeClass.DELIVERED: Told(None, "It is on the phone.", "已送达手机。"),
    OutcomeClass.ACCEPTED: Told(None, "The network has it and will report again.", "网络已接收，后续还会有状态报告。"),
    OutcomeClass.INVALID_NUMBER: Told(
        Owner.RECIPIENT,
        "Nobody has this number. Take it off your lists and ask for a new one.",
        "该号码为空号。请从名单中移除，并向对方索取新号码。",
    ),
    OutcomeClass.SUSPENDED: Told(
        Owner.RECIPIENT,
        "The line is suspended, mostly for debt or at its owner's wish. It may come back: send again another day.",
        "号码已停机，多因欠费或机主办理停机。恢复后可再发送。",
    ),
    OutcomeClass.OFF_OR_UNREACHABLE: Told(
        Owner.RECIPIENT,
        "The phone was off or out of reach. Send again later if it still matters.",
        "手机关机或不在服务区。如仍有必要，请稍后再发。",
    ),
    OutcomeClass.DEAD_OR_OFF: Told(
        Owner.RECIPIENT,
        "The number is dead, suspended or its phone is off; the operator does not tell which. Drop it when it fails again and again.",
        "号码为空号、停机或关机，运营商未加区分。若多次失败，请停止发送。",
    ),
    OutcomeClass.HANDSET: Told(
        Owner.RECIPIENT,
        "The phone could not take it: its memory is full, or it or its signal had a fault. Send again later.",
        "手机未能接收：存储已满，或终端、信号异常。请稍后再发。",
    ),
    OutcomeClass.NO_SMS_SERVICE: Told(
        Owner.RECIPIENT,
        "The number has no text messages. Use another way to reach this person.",
        "该号码未开通短信。请改用其他方式联系对方。",
    ),
    OutcomeClass.BLACKLIST: Told(
        Owner.RECIPIENT,
        "The number is on a block list of the operator or gateway, mostly after a complaint. Its owner may ask the operator to lift it.",
        "号码在运营商或网关的黑名单中，多因投诉。机主可致电运营商申请解除。",
    ),
    OutcomeClass.UNSUBSCRIBED: Told(
        Owner.RECIPIENT,
        "The person has opted out. Send no more marketing to this number.",
        "对方已退订。请勿再向其发送营销短信。",
    ),
    OutcomeClass.CONTENT_BLOCKED: Told(
        Owner.CONTENT,
        "The network blocked the text. Change its words or links; marketing needs its opt-out line. The same text will be blocked again.",
        "网络拦截了短信内容。请修改用语或链接，营销短信须含退订说明；原文重发仍会被拦截。",
    ),
    OutcomeClass.SIGNATURE: Told(
        Owner.CONTENT,
        "The signature is not filed with this operator, or breaks its rules. File it, or use one that is filed.",
        "签名未在该运营商报备或不合规。请先报备，或改用已报备的签名。",
    ),
    OutcomeClass.GATEWAY_BLOCKED: Told(
        Owner.CARRIER,
        "A gateway blocked it and does not say why. Ask the carrier; text, signature and frequency are the usual causes.",
        "网关拦截，未说明原因。请向供应商核实，常见原因为内容、签名或频次。",
    ),
    OutcomeClass.FREQUENCY: Told(
        Owner.WORKSPACE,
        "Too many messages: to this number, or over this connector. Send fewer, or spread them over time.",
        "发送过于频繁：该号码或该通道已超限。请减少或分散发送。",
    ),
    OutcomeClass.TIME_WINDOW: Told(
        Owner.WORKSPACE,
        "Such messages may not be sent at this hour. Send within the allowed hours.",
        "当前时段不允许发送此类短信。请在允许的时段内发送。",
    ),
    OutcomeClass.PORTED: Told(
        Owner.PLATFORM,
        "The number has moved to another operator. It needs a connector that reaches that one.",
        "号码已携号转网。需经能到达新运营商的通道发送。",
    ),
    OutcomeClass.CARRIER_ERROR: Told(
        Owner.CARRIER,
        "The carrier or the operator had a fault inside. Another connector may do; report the code when it goes on.",
        "供应商或运营商内部故障。可换通道发送；若持续出现，请将返回码告知供应商。",
    ),
    OutcomeClass.EXPIRED: Told(
        Owner.RECIPIENT,
        "The network tried until the validity ended, mostly because the phone was off.",
        "网络在有效期内未能送达，多因手机长时间关机。",
    ),
    OutcomeClass.NOT_ORDERED: Told(
        Owner.CONNECTOR,
        "The contract does not cover it: service code, billing or login. Compare the connector's settings with the carrier.",
        "合同未覆盖：业务代码、计费或鉴权不符。请与供应商核对通道设置。",
    ),
    OutcomeClass.PARAM: Told(
        Owner.CONNECTOR,
        "The carrier does not understand a field: number, sender or setting. Compare the connector's settings with the carrier.",
        "供应商无法识别某个字段：号码、接入号或设置。请与供应商核对通道设置。",
    ),
    OutcomeClass.UNKNOWN: Told(
        Owner.CARRIER,
        "It is not known why. Ask the carrier what its code means; another connector may do.",
        "原因不明。请向供应商核实返回码的含义，或换通道发送。",
    ),
}
