"""What the runs of the invented gateways' shops have in common."""

from __future__ import annotations

from payproof.contracts.model import Result, Verdict

BAD = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
PROBES = (
    "steady", "cancelled", "refused", "forged-return", "replayed-return", "wrong-money", "late-success", "unverified",
    "refused-check", "network-error", "error-answer", "rate-limited", "always-unauthorized", "token-expired", "stampede",
    "double-submit", "back-and-retry", "paid-order", "lost-answer", "return-twice", "abandoned", "rotation", "revoked", "false-certificate",
    "unknown-certificate", "old-tls",
)  # fmt: skip


def findings(result: Result) -> dict[str, list[str]]:
    return {
        judgement.requirement: [finding.title for finding in judgement.findings if finding.verdict in BAD]
        for judgement in result.judgements
        if judgement.verdict in BAD
    }
