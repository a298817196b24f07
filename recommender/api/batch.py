"""Lists for several users at once: what is asked for is the same, each user has a verdict of his own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from catalog.api.errors import ApiError
from catalog.api.json_body import type_name
from recommender.api import parameters
from recommender.api.parameters import Parameters
from recommender.exceptions import BackendError

MOST_USERS = 100
"""Some two seconds' worth of lists that nobody was shown lately."""
TEXTS = ("type", "context", "item_id", "expand", "language", "device", "app_version")
FIELDS = ("user_ids", "limit", "exclude", *TEXTS)


def parse(body: Mapping[str, Any]) -> tuple[list[Any], Parameters]:
    """Return the ids as they are sent, and what is asked for all of them.

    Raises
    ------
    ApiError
        Naming the first field that is unknown or unusable; too_many_users (413).
    """
    for name in body:
        if name not in FIELDS:
            raise ApiError("field_unknown", f"There is no field {name!r}; allowed: {', '.join(FIELDS)}.", field=name)
    if "user_ids" not in body:
        raise ApiError("field_required", 'user_ids is missing; send {"user_ids": [...]}.', field="user_ids")
    user_ids = _list(body, "user_ids")
    if len(user_ids) > MOST_USERS:
        message = f"Limit is {MOST_USERS} users per request (got {len(user_ids):,})."
        raise ApiError("too_many_users", message, status=413, field="user_ids")
    return user_ids, parameters.parse(_as_query(body), FIELDS)


def answer(user_ids: list[Any], make: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """Return the counts, and of each user his list or what is wrong, in the order given.

    Parameters
    ----------
    make
        Returns the document of a user's list. What it raises of the request, which is the same for all, is raised on.
    """
    results: list[dict[str, Any]] = []
    seen: set[str] = set()
    for index, given in enumerate(user_ids):
        try:
            user_id = _user_id(given, index, seen)
            results.append({"index": index, "status": "accepted", "user_id": user_id, "list": make(user_id)})
        except ApiError as error:
            results.append(_refusal(index, error.code, error.message, error.field))
        except BackendError as error:
            results.append(_refusal(index, error.code, "Recommendations are not available now; please retry.", None))
    accepted = sum(result["status"] == "accepted" for result in results)
    return {"accepted": accepted, "rejected": len(results) - accepted, "results": results}


def _refusal(index: int, code: str, message: str, field: str | None) -> dict[str, Any]:
    return {"index": index, "status": "rejected", "code": code, "message": message, "field": field}


def _user_id(given: Any, index: int, seen: set[str]) -> str:
    field = f"user_ids[{index}]"
    if not isinstance(given, str):
        raise ApiError("type", f"{field} must be a string, got {type_name(given)}.", field=field)
    user_id = parameters.identifier(given, field)
    if user_id in seen:
        raise ApiError("user_twice", f"{field} {user_id!r} is in this request already.", field=field)
    seen.add(user_id)
    return user_id


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    value = body.get(name, [])
    if not isinstance(value, list):
        raise ApiError("type", f"{name} must be a list, got {type_name(value)}.", field=name)
    return value


def _as_query(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields as `parameters.parse` takes them: those of a single list's address."""
    query: dict[str, str] = {}
    for name in TEXTS:
        if name in body:
            if not isinstance(body[name], str):
                raise ApiError("type", f"{name} must be a string, got {type_name(body[name])}.", field=name)
            query[name] = body[name]
    exclude = _list(body, "exclude")
    for place, item_id in enumerate(exclude):
        if not isinstance(item_id, str):
            field = f"exclude[{place}]"
            raise ApiError("type", f"{field} must be a string, got {type_name(item_id)}.", field=field)
    query["exclude"] = ",".join(exclude)
    if "limit" in body:
        if isinstance(body["limit"], bool) or not isinstance(body["limit"], int):
            raise ApiError("type", f"limit must be a whole number, got {type_name(body['limit'])}.", field="limit")
        query["limit"] = str(body["limit"])
    return query
