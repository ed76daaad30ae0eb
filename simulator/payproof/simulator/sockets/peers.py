"""Who is at the other end of a connection over loopback."""

from __future__ import annotations

import socket


def is_ours(sock: socket.socket) -> bool:
    """Whether the other end is a socket of this very process."""
    import psutil  # here, because hardly anybody asks

    try:
        peer = sock.getpeername()[:2]
        ours = psutil.Process().net_connections("tcp")
    except (OSError, psutil.Error):
        return False
    return any(each.laddr and tuple(each.laddr) == peer for each in ours)
