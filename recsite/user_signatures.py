"""Who somebody is to a publishable key, which everybody can read: himself, or a visitor known by a secret of his own.

An id that a browser has made for itself, `visitor-` and a random UUID, is its own proof: nobody can guess another's.
Any other id is the site's own, and guessable; its server proves it with an HMAC-SHA256 of the id under the key's
signing secret, in the header `X-User-Signature`. The secret follows from SECRET_KEY, so that this site's templates can
sign; a server elsewhere is given it once (`manage.py create_api_key`).
"""

from __future__ import annotations

import hashlib
import hmac
import re

from django.conf import settings

HEADER = "X-User-Signature"
_OWN_ID = re.compile(r"visitor-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)


def signing_secret(prefix: str) -> str:
    """Return the secret, 64 hexadecimal digits, with which a server signs ids for the key of this prefix."""
    return _hmac(settings.SECRET_KEY, f"recsite.user_signatures:{prefix}")


def sign(prefix: str, user_id: str) -> str:
    """Return the signature of an id, 64 hexadecimal digits."""
    return _hmac(signing_secret(prefix), user_id)


def proves(prefix: str, user_id: str, signature: str) -> bool:
    """Tell whether whoever sends `signature` may act for `user_id` with the key of this prefix."""
    if _OWN_ID.fullmatch(user_id):
        return True
    return hmac.compare_digest(sign(prefix, user_id).encode(), signature.encode("utf-8", "surrogatepass"))


def _hmac(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
