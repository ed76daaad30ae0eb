"""Who is at the other end of a connection over loopback."""

from __future__ import annotations

import socket


def is_ours(sock: socket.socket) -> bool:
    """Whether the other end is a socket of this very process."""
    import psutil  # here, because hardly anybody asks

    try:
        there, here = sock.getpeername()[:2], sock.getsockname()[:2]
        ours = psutil.Process().net_connections("tcp")
    except (OSError, psutil.Error):
        return False
    # The port alone tells nothing: somebody else's connection to another address may have the same one.
    return any(each.laddr and each.raddr and (tuple(each.laddr), tuple(each.raddr)) == (there, here) for each in ours)
