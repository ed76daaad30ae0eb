"""The relay: a recording reverse proxy in front of a gateway's real sandbox, which forwards to that host and no other."""
