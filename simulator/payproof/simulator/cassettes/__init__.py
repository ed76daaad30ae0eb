"""Recordings of a sandbox: written redacted, in VCR's own format, and served again without a network."""

from payproof.simulator.cassettes.player import Cassette
from payproof.simulator.cassettes.reading import RecordedExchange, Recording, read
from payproof.simulator.cassettes.stamp import Stamp
from payproof.simulator.cassettes.writer import CassetteFile, CassetteWriter

__all__ = ["Cassette", "CassetteFile", "CassetteWriter", "RecordedExchange", "Recording", "Stamp", "read"]
