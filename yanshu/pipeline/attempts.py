"""Attempts: what each try at a message came to, in the carrier's words and in ours; a part of its explanation."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from yanshu.domain.events import Event
from yanshu.domain.outcomes import TOLD
from yanshu.domain.submissions import Submission, SubmissionStatus
from yanshu.pipeline.causes import Causes, Known
from yanshu.pipeline.resend import Enough

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "attempt": "Attempt {attempt}, segment {segment} of {total} over {connector}: {status}{code}.",
        "receipt": "Receipt for segment {segment}: {code}.",
        "meaning": " {advice}{owner}",
        "owner": " Who can act: {owner}.",
        "now": "After that it is sent again over {connector}.",
        "later": "After that it waits to be sent again over {connector}.",
        "late": "Attempt {attempt} was reported delivered after another had begun.",
        "twice": "More than one attempt was delivered: the person has it more than once.",
        Enough.CLASS: "It is not sent again: after such an outcome another attempt would end alike.",
        Enough.UNPROVEN: "It is not sent again: nobody knows whether it arrived, and it does not accept to arrive twice (routing.risk).",
        Enough.PARTLY_DELIVERED: "It is not sent again: a part of it arrived, and it does not accept to arrive twice (routing.risk).",
        Enough.TRIES: "It is not sent again: what its lane allows after such an outcome is used up.",
        Enough.ATTEMPTS: "It is not sent again: it had all the attempts of its lane.",
        Enough.TOO_LATE: "It is not sent again: another attempt would come too late.",
        Enough.NO_CONNECTOR: "It is not sent again: no other connector is left.",
    },
    "zh": {
        "attempt": "第 {attempt} 次提交，第 {segment}/{total} 条，经 {connector}：{status}{code}。",
        "receipt": "第 {segment} 条的状态报告：{code}。",
        "meaning": "{advice}{owner}",
        "owner": "处理方：{owner}。",
        "now": "随后经 {connector} 重发。",
        "later": "随后等待经 {connector} 重发。",
        "late": "第 {attempt} 次提交在另一次已开始后才报告送达。",
        "twice": "不止一次提交已送达：对方收到了不止一份。",
        Enough.CLASS: "不再重发：此类结果重发也会同样失败。",
        Enough.UNPROVEN: "不再重发：无法确认是否已送达，且该短信未接受重复送达的风险（routing.risk）。",
        Enough.PARTLY_DELIVERED: "不再重发：部分内容已送达，且该短信未接受重复送达的风险（routing.risk）。",
        Enough.TRIES: "不再重发：该类别在此类结果后允许的重发次数已用完。",
        Enough.ATTEMPTS: "不再重发：该类别的提交次数已用完。",
        Enough.TOO_LATE: "不再重发：再次发送已经太晚。",
        Enough.NO_CONNECTOR: "不再重发：没有其他可用通道。",
    },
}
_STATUS_ZH: dict[SubmissionStatus, str] = {
    SubmissionStatus.UNANSWERED: "未应答",
    SubmissionStatus.ACCEPTED: "已接受",
    SubmissionStatus.REFUSED: "被拒绝",
    SubmissionStatus.DELIVERED: "已送达",
    SubmissionStatus.UNDELIVERED: "未送达",
    SubmissionStatus.UNCLEAR: "结果不明",
}
_AGAIN = {"message.queued": "now", "message.scheduled": "later"}


class Attempts:
    """Tells of the submissions of one message, in the order in which they were made."""

    def __init__(self, known: Known, causes: Causes) -> None:
        self._known = known
        self._causes = causes

    def show(self, submissions: Sequence[Submission], language: str) -> list[dict[str, Any]]:
        """Return the data, one a segment of an attempt."""
        return [self._show(submission, language) for submission in submissions]

    def tell(self, submissions: Sequence[Submission], events: Sequence[Event], language: str) -> list[str]:
        """Return sentences in `language` (zh…, else English); `events` are the message's, and tell what followed an attempt."""
        words = _WORDS["zh" if language.startswith("zh") else "en"]
        followed = dict(self._followed(events, words))
        told: list[str] = []
        for attempt, rows in groupby(submissions, key=lambda row: row.attempt):
            for row in rows:
                told += self._tell(row, words, language)
            if sentence := followed.get(attempt):
                told.append(sentence)
        return told + _delivered(submissions, words)

    def _followed(self, events: Sequence[Event], words: dict[str, str]) -> Iterator[tuple[int, str]]:
        """Attempt → what followed its failure."""
        for event in events:
            attempt, why = event.data.get("attempt"), event.data.get("resend")
            if attempt is None:
                continue
            if why is not None:
                yield attempt, words[why]
            elif event.type in _AGAIN:
                yield attempt, words[_AGAIN[event.type]].format(connector=self._name(event.data["connector"]))

    def _tell(self, s: Submission, words: dict[str, str], language: str) -> list[str]:
        """Tell of one segment: the submit, the report on it, what the last word means and who can act."""
        code = f" ({s.code})" if s.code else ""
        place = {"attempt": s.attempt, "segment": s.segment, "total": s.total, "connector": self._name(s.connector_id)}
        status = _STATUS_ZH[s.status] if language.startswith("zh") else s.status
        told = [words["attempt"].format(**place, status=status, code=code)]
        if s.receipt_status is not None:
            reported = " ".join(dict.fromkeys(filter(None, (s.receipt_status, s.receipt_code))))
            told.append(words["receipt"].format(segment=s.segment, code=reported))
        if (meaning := self._meaning(s, language)) is not None:
            owner = words["owner"].format(owner=meaning["owner"].in_language(language)) if meaning["owner"] else ""
            told[-1] += words["meaning"].format(advice=meaning["advice"], owner=owner)
        return told

    def _show(self, submission: Submission, language: str) -> dict[str, Any]:
        return {
            "attempt": submission.attempt,
            "segment": submission.segment,
            "connector": submission.connector_id,
            "status": submission.status,
            "carrier_message_id": submission.carrier_message_id,
            "code": submission.code,
            "answered_at": submission.answered_at,
            "receipt": _receipt(submission),
            "meaning": self._meaning(submission, language),
        }

    def _meaning(self, submission: Submission, language: str) -> dict[str, Any] | None:
        """Return what the carrier's last word means."""
        found = self._causes.find(submission)
        if found is None:
            return None
        told = TOLD[found.outcome]
        return {"class": found.outcome, "grounds": found.grounds, "owner": told.owner, "advice": told.in_language(language)}

    def _name(self, connector_id: str) -> str:
        connector = self._known.connectors.get(connector_id)
        return connector.name if connector else connector_id


def _delivered(submissions: Sequence[Submission], words: dict[str, str]) -> list[str]:
    """Tell of attempts that arrived although another had begun."""
    attempts: dict[int, list[bool]] = {}
    for row in submissions:
        attempts.setdefault(row.attempt, []).append(row.status is SubmissionStatus.DELIVERED)
    arrived = [attempt for attempt, segments in attempts.items() if all(segments)]
    last = max(attempts, default=0)
    told = [words["late"].format(attempt=attempt) for attempt in arrived if attempt < last]
    return [*told, words["twice"]] if len(arrived) > 1 else told


def _receipt(submission: Submission) -> dict[str, Any] | None:
    """Return the carrier's report in its own words."""
    if submission.receipt_status is None:
        return None
    return {"stat": submission.receipt_status, "err": submission.receipt_code, "at": submission.receipt_at}
