"""Explain what is wrong or missing, and how to mend it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommender.diagnosis import Finding, examine

MARKS = {"ok": "✓", "warning": "!", "error": "✗"}


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine()
        for finding in findings:
            self._print(finding)
        broken = sum(finding.level == "error" for finding in findings)
        if broken:
            raise CommandError(f"{broken} of {len(findings)} checks failed.")
        warned = sum(finding.level == "warning" for finding in findings)
        self.stdout.write(f"{len(findings)} checks, {warned} warnings.")

    def _print(self, finding: Finding) -> None:
        style = {"ok": self.style.SUCCESS, "warning": self.style.WARNING, "error": self.style.ERROR}[finding.level]
        self.stdout.write(f"{style(MARKS[finding.level])} {finding.subject}: {finding.message}")
        if finding.remedy:
            self.stdout.write(f"    → {finding.remedy}")
