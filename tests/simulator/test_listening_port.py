"""The number of a port that refuses stays ours."""

from __future__ import annotations

import asyncio
import socket
import sys
import time

import pytest

from payproof.simulator.sockets.backlog import Attempt, fill
from payproof.simulator.sockets.connecting import connecting
from payproof.simulator.sockets.listening_port import ListeningPort


class Unwatched:
    def attempt_began(self, attempt: Attempt) -> None: ...

    def attempt_ended(self, attempt: Attempt, *, gave_up: bool) -> None: ...


def test_a_port_that_refuses_is_given_back_to_nobody_between_listening_and_refusing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whenever a socket is closed, somebody else tries to get its number."""

    class Watched(socket.socket):
        def close(self) -> None:
            number = self.getsockname()[1] if self.fileno() >= 0 else 0
            super().close()
            if number == taken["number"]:
                with socket.socket(fileno=None) as thief, pytest.raises(OSError, match="in use"):
                    thief.bind(("127.0.0.1", number))
                taken["tried"] += 1

    taken = {"number": 0, "tried": 0}

    async def scenario() -> list[str]:
        port = ListeningPort("127.0.0.1", 0, lambda sock: sock.close(), Unwatched())
        monkeypatch.setattr("payproof.simulator.sockets.listening_port.socket.socket", Watched)
        port.open()
        taken["number"] = port.number
        answers: list[str] = []
        for change in (port.refuse, port.open, port.refuse, port.open):
            change()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port.number)
            except ConnectionRefusedError:
                answers.append("refused")
            else:
                answers.append("taken")
                writer.close()
        taken["number"] = 0
        monkeypatch.undo()
        port.close()
        return answers

    assert asyncio.run(scenario()) == ["refused", "taken", "refused", "taken"]
    assert taken["tried"] >= 2


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's table of sockets")
def test_an_attempt_that_is_first_seen_after_its_second_packet_is_as_old_as_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening, socket.socket() as late:
        fillers = fill(listening)
        late.setblocking(False)
        late.connect_ex(listening.getsockname())
        began = time.monotonic()
        time.sleep(1.4)
        (found,) = [each for each in connecting(listening.getsockname()[1]) if each.local[1] == late.getsockname()[1]]
        assert found.age == pytest.approx(time.monotonic() - began, abs=0.3)
        for each in fillers:
            each.close()
