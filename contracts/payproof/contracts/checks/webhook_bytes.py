"""Notices as bytes: a signature is over what was sent, and not over what a JSON library makes of it."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.entries import Delivery
from payproof.contracts.events import NoticeVerified
from payproof.contracts.judging.deliveries import answer_of, taken, where_declared
from payproof.contracts.judging.probe_runs import ProbeRun, probe_runs
from payproof.contracts.judging.requirements import Case, must, should
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Json


@must("webhook.raw-body", needs="notices")
@where_declared
def raw_body(case: Case) -> Iterator[Finding]:
    """A genuine notice is taken however its bytes are written.

    Why: a signature covers bytes. Who decodes the JSON and encodes it again refuses genuine notices as soon as a key moves, an
    accent is escaped or an empty object becomes a list.

    Judged: a notice of a paid order is sent as the gateway writes it, and answered with success; then it is sent indented, with
    escaped letters and slashes, with its keys in another order, with blanks around; each is answered with success too. Whoever
    has the gateway verify notices asks about the very bytes that came.

    Fix: verify the signature over the body as it was received, before any framework parses it.
    """
    for probe_run in probe_runs(case.run, "spelled-notice"):
        sent = list(probe_run.after(StepName.NOTICED).of(Delivery))
        plain = {each.event: each for each in sent if each.plain}
        spelled = [each for each in sent if each.shape and each.event in plain]
        refused = next((each for each in plain.values() if not each.accepted), None)
        if not spelled:
            yield case.stuck(probe_run)
        elif refused is not None:
            yield _refused(case, probe_run, refused)
        else:
            yield from (_spelling(case, probe_run, plain[each.event], each) for each in spelled)


@should("webhook.secret-rolled", needs="notices")
@where_declared
def secret_rolled(case: Case) -> Iterator[Finding]:
    """A notice that is signed with two secrets, while one is rolled, is taken.

    Why: a secret is rolled without a gap only if the old one and the new one are good together; who looks at the first signature alone
    refuses every notice for a day.

    Judged: where the gateway lets a replaced secret be good for a while: a notice of a paid order is signed with the shop's secret and with
    another, which is once the newer and once the older; each is answered with success, as the same notice with one signature is.

    Fix: accept a notice when any of its signatures is right.
    """
    rolls = any(each.signs and each.grace for each in case.profile.credentials)
    for probe_run in probe_runs(case.run, "rolled-notice"):
        sent = list(probe_run.after(StepName.NOTICED).of(Delivery))
        plain = next((each for each in sent if each.plain), None)
        rolled = [each for each in sent if each.shape]
        refused = next((each for each in rolled if not each.accepted), None)
        if not rolls:
            yield case.not_applicable("a secret that was replaced is not good any more on this gateway")
        elif plain is None or not plain.accepted or not rolled:
            yield case.stuck(probe_run, because=("webhook.raw-body", "webhook.before-return", "flow.success"))
        elif refused is not None:
            yield case.failed(
                f"a genuine notice is refused when it is {refused.shape}",
                expected={"answer": "2xx"}, actual={"answer": answer_of(refused), "with one signature": answer_of(plain)},
                world=probe_run.world, seen=[plain, refused],
            )  # fmt: skip
        else:
            title = "taken, signed with a newer or an older secret, too"
            yield case.passed(title, actual={"answer": answer_of(rolled[0])}, world=probe_run.world, seen=rolled[:2])


def _refused(case: Case, probe_run: ProbeRun, plain: Delivery) -> Finding:
    """A notice as the gateway writes it is refused: for its bytes, when the gateway was asked about others than it had sent, or when
    no notice was taken in the whole run."""
    assert case.profile.notices is not None, "the judge asks only gateways that have notices"
    during = (plain.began, plain.began + plain.seconds)
    denied = [
        call
        for call in probe_run.calls("verify-notice")
        if isinstance(call.event, NoticeVerified)
        and call.event.genuine is False
        and during[0] <= call.began <= during[1]
    ]
    by_certificate = case.profile.notices.impostor is not None
    expected: dict[str, Json] = {"answer": "2xx"}
    actual: dict[str, Json] = {"answer": answer_of(plain)}
    if denied or not (by_certificate or taken(case.run)):
        why = (
            "the gateway did not know what it was asked to verify for its own"
            if denied
            else "and so is every other one"
        )
        return case.failed(
            f"a genuine notice is refused: {why}", expected=expected, actual=actual, world=probe_run.world,
            seen=[plain, *denied[:1]], unless=("webhook.before-return", "flow.success"),
        )  # fmt: skip
    insists = (
        "; who takes the certificate from the gateway's real host alone cannot be judged here" if by_certificate else ""
    )
    return case.not_exercised(
        f"a plain notice of a paid order is not answered with success either ({answer_of(plain)}){insists}",
        because="webhook.before-return", world=probe_run.world, seen=[plain],
    )  # fmt: skip


def _spelling(case: Case, probe_run: ProbeRun, plain: Delivery, spelled: Delivery) -> Finding:
    if spelled.accepted:
        title = f"taken, its body {spelled.shape}"
        return case.passed(title, actual={"answer": answer_of(spelled)}, world=probe_run.world, seen=[spelled])
    return case.failed(
        f"a genuine notice is refused when its body is written otherwise ({spelled.shape})",
        expected={"answer": answer_of(plain)},
        actual={"answer": answer_of(spelled)},
        world=probe_run.world,
        seen=[plain, spelled],
    )
