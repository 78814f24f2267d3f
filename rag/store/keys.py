"""What a Supabase key is by its looks. Nothing is verified: that is Supabase's."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Literal

KeyRole = Literal["publishable", "secret", "unknown"]


def role_of(key: str) -> tuple[KeyRole, str]:
    """What a key may do, and its kind in words for a person.

    ``sb_publishable_…`` and legacy tokens of the role ``anon`` insert; ``sb_secret_…`` and legacy
    tokens of ``service_role`` pass row security by.
    """
    if key.startswith("sb_publishable_"):
        return "publishable", "a publishable key"
    if key.startswith("sb_secret_"):
        return "secret", "a secret key"
    parts = key.split(".")
    if len(parts) == 3:
        try:
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        except (binascii.Error, ValueError):
            claims = None
        role = claims.get("role") if isinstance(claims, dict) else None
        if role == "anon":
            return "publishable", "a legacy anon key"
        if role == "service_role":
            return "secret", "a legacy service_role key"
    return "unknown", "of no kind that is known"
