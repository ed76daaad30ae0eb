"""What keeps everything from working at a gateway, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from payproof.contracts.profile import Profile
from payproof.simulator.books.records import CLIENT_ID


def remedy_of(profile: Profile, operation: str, status: int, texts: Sequence[str]) -> str:
    """What to check when the plainest call is answered so. Only a refusal of the credentials speaks of the credentials."""
    known = [
        error
        for error in profile.errors.values()
        if error.envelope and operation in error.operations and error.status < 500
    ]
    if any(error.is_among(texts) for error in known) or status == 401:
        has_id = any(each.name == CLIENT_ID for each in profile.credentials)
        return f"check {'sandbox.client_id and ' if has_id else ''}sandbox.secret_key"
    if status == 429:
        return "wait, lower sandbox.rate, or ask who else uses this account"
    if status >= 500:
        return "the sandbox itself does not work: try again later, or tell its operator"
    if status in (404, 405) or 300 <= status < 400:
        return "check sandbox.base_url: nothing of the API answers there"
    return f'see what it says; the profile "{profile.name}" does not know this answer, and another gateway may fit'
