"""Incidents: what is wrong with a connector so that a person must act; opened once, and closed when it is well again."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from yanshu.domain.numbers import Operator


class IncidentKind(StrEnum):
    """What is wrong."""

    LINK_BLOCKED = "link_blocked"  # the carrier refuses the account, or takes nothing for long, or we cannot listen
    NO_LINK = "no_link"  # no link has worked for a while
    BREAKER_OPEN = "breaker_open"  # most of what it carried failed
    TOO_GOOD = "too_good"  # its receipts are better than phones can be


class Incident(Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a connector, with all numbers or with those of an operator.

    `detail` is the last word of the link, the cause of the breaker, or how many receipts are doubted; `count` is how often it has
    begun since it was opened.
    """

    id: str
    kind: IncidentKind
    connector_id: str
    opened_at: datetime
    updated_at: datetime
    operator: Operator | None = None
    detail: str = ""
    count: int = 1
    closed_at: datetime | None = None
    version: int = 1

    @property
    def key(self) -> tuple[IncidentKind, str, Operator | None]:
        """What it is about: of one thing there is one open incident."""
        return self.kind, self.connector_id, self.operator

    def sentence(self, name: str, language: str) -> str:
        """Say what is wrong and what to do, with the connector's name: in Chinese for zh…, else in English."""
        is_zh = language.startswith("zh")
        words = _TELLINGS[self.kind][is_zh]
        whose = "" if self.operator is None else _WHOSE[is_zh].format(operator=self.operator)
        return words.format(name=name, id=self.connector_id, detail=self.detail, whose=whose)


_WHOSE = (" to numbers of {operator}", "（{operator} 号码）")
_TELLINGS: dict[IncidentKind, tuple[str, str]] = {
    IncidentKind.LINK_BLOCKED: (
        "A link of connector {name} is blocked: {detail}. It is tried seldom until then: correct the account, password or settings"
        " (PATCH /v1/connectors/{id}), or ask the carrier.",
        "通道 {name} 的连接被阻止：{detail}。在此期间只会偶尔重试：请更正账号、密码或设置（PATCH /v1/connectors/{id}），或联系供应商。",
    ),
    IncidentKind.NO_LINK: (
        "No link of connector {name} works: {detail}. Check host, port and network, or ask the carrier; it is tried again by itself.",
        "通道 {name} 没有可用的连接：{detail}。请检查主机、端口和网络，或联系供应商；系统会自动重试。",
    ),
    IncidentKind.BREAKER_OPEN: (
        "Most of what connector {name} carried{whose} failed ({detail}), so it gets probes alone. GET /v1/connectors/{id}/health has the"
        " figures and classes: take them to the carrier.",
        "通道 {name}{whose}的大部分短信失败（{detail}），目前只放行试探短信。"
        "请凭 GET /v1/connectors/{id}/health 的数字与返回码类别联系供应商。",
    ),
    IncidentKind.TOO_GOOD: (
        "All receipts of connector {name} are good and nearly all come within a second ({detail} in a quarter of an hour): phones are"
        " not like that. Send to phones of your own and look whether texts arrive, and ask the carrier whose receipts these are.",
        "通道 {name} 的状态报告全部为成功，且几乎都在一秒内返回（一刻钟内 {detail} 条），真实手机不会如此。"
        "请向自己的手机发送并核实是否收到，并向供应商核实状态报告的来源。",
    ),
}
