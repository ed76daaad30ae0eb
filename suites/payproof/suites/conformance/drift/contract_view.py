"""The third side: what the contract says of the answers that the other two gave."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from payproof.contracts.comparing.drift import Touched
from payproof.contracts.contract import Contract, ContractProblem, contract_of
from payproof.contracts.contract.document import resolved, walk
from payproof.contracts.contract.responses import answers_to
from payproof.contracts.entries import Request, Response
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Profile
from payproof.suites.conformance.drift.comparing import Raw
from payproof.suites.conformance.drift.observe import Observation

_BOTH = "allows both"


class Terms:
    """A contract that is asked about looks. ``problem``: why there is none to ask."""

    def __init__(self, profile: Profile, base_url: str) -> None:
        self._contract: Contract | None = None
        self.problem = ""
        try:
            contract = contract_of(profile, base=urlsplit(base_url).path)
            contract.response_problems(Request(method="GET", url=base_url + "/"), Response(status=404))
            self._contract = contract
        except PayproofError as error:
            self.problem = error.message
        except ImportError as error:
            self.problem = f"{error.name} is not installed (pip install 'payproof[suites]')"

    def breaches(self, look: Observation) -> tuple[ContractProblem, ...]:
        """Where an answer of the API is not as the contract has it."""
        if self._contract is None or look.request is None or look.response is None:
            return ()
        return self._contract.response_problems(look.request, look.response)

    def says(self, raw: Raw) -> str:
        """What the contract says of a difference; empty when it speaks of no such thing."""
        if self._contract is None or raw.gateway.request is None:
            return ""
        if raw.is_whole:
            return self._of_answers(raw)
        place = place_of(raw.path)
        wrong = {
            side: problem
            for side, look in (("simulator", raw.simulator), ("gateway", raw.gateway))
            for problem in self.breaches(look)
            if problem.place == place
        }
        if wrong:
            return _words(next(iter(wrong.values())).expected)
        return _BOTH if place else ""

    def _of_answers(self, raw: Raw) -> str:
        """Statuses first, then texts."""
        assert self._contract
        assert raw.gateway.request
        answers = answers_to(self._contract, self._contract.match(raw.gateway.request))
        statuses = [str(look.facts.get("status")) for look in (raw.simulator, raw.gateway)]
        if missing := [status for status in dict.fromkeys(statuses) if status not in answers]:
            return f"no {', '.join(missing)}: has {', '.join(answers)}"
        for look, who in ((raw.gateway, raw.simulator), (raw.simulator, raw.gateway)):
            for problem in self.breaches(look):
                if problem.place.startswith("body") and not any(
                    problem.place == other.place for other in self.breaches(who)
                ):
                    return f"{problem.place.removeprefix('body ')}: {_words(problem.expected)}"
        return f"has {', '.join(dict.fromkeys(statuses))}"

    def fact(self, raw: Raw, fact: Touched) -> Touched:
        """The fact, with the weight that the contract gives to this place."""
        place = place_of(raw.path)
        for look in (raw.gateway, raw.simulator):
            for problem in self.breaches(look):
                if problem.weight and (problem.place == place or raw.is_whole):
                    return replace(fact, provenance=problem.weight, source=problem.source)
        weight, source = self._known_from(raw)
        return replace(fact, provenance=weight, source=source)

    def _known_from(self, raw: Raw) -> tuple[str, str]:
        """(weight, source) of the nearest place on the way to a path that says where it is known from."""
        if self._contract is None or raw.gateway.request is None:
            return "", ""
        document = self._contract.document
        answers = answers_to(self._contract, self._contract.match(raw.gateway.request))
        raw_answer: Any = answers.get(str(raw.gateway.facts.get("status")))
        answer: Any = resolved(document, raw_answer) if raw_answer else {}
        media: Any = answer.get("content", {}).get("application/json", {})
        steps: list[str | int] = list(raw.path.removesuffix(" length").split(".")[1:])
        nodes = [answer, *(walk(document, media.get("schema", {}), steps) if raw.path.startswith("body.") else ())]
        known = [node["x-provenance"] for node in nodes if "x-provenance" in node]
        return (str(known[-1].get("weight", "")), str(known[-1].get("source", ""))) if known else ("", "")

    def both(self, simulator: Observation, gateway: Observation) -> Iterator[ContractProblem]:
        """Where simulator and gateway agree, and the contract has it otherwise."""
        there = {(problem.place, json.dumps(problem.actual, default=str)) for problem in self.breaches(simulator)}
        for problem in self.breaches(gateway):
            if (problem.place, json.dumps(problem.actual, default=str)) in there:
                yield problem


def place_of(path: str) -> str:
    """An observed path as the contract's problems name it."""
    if path.startswith("headers."):
        return f"header {path.removeprefix('headers.')}"
    if path.startswith("body."):
        inner = re.sub(r"\[(\d+)\]", r".\1", path.removesuffix(" length"))
        return "body /" + inner.removeprefix("body.").replace(".", "/")
    return path if path in ("status", "body") else ""


def _words(expected: Json) -> str:
    if isinstance(expected, dict) and len(expected) == 1:
        (name, value), *_ = expected.items()
        if isinstance(value, list):
            return f"{name} {', '.join(map(str, value))}"
        if isinstance(value, str):
            return f"{name} {value}"
    return expected if isinstance(expected, str) else json.dumps(expected, ensure_ascii=False)
