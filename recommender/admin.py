"""The admin of this app: each part in a file of its own."""

from __future__ import annotations

from recommender import job_admin, placement_admin, rule_admin, rule_version_admin, version_admin

__all__ = ["job_admin", "placement_admin", "rule_admin", "rule_version_admin", "version_admin"]
