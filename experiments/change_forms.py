"""What the admin asks for to change a running experiment."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from experiments.models import Variant


class WeightsForm(forms.Form):
    """One weight a variant."""

    def __init__(self, variants: list[Variant], data: Any = None) -> None:
        super().__init__(data, prefix="weight")
        for variant in variants:
            self.fields[variant.name] = forms.FloatField(
                label=variant.name, initial=variant.weight, min_value=0, widget=UnfoldAdminTextInputWidget()
            )

    def weights(self) -> dict[str, float]:
        """Return variant → weight of a valid form."""
        return dict(self.cleaned_data)


class CoverageForm(forms.Form):
    """What share of the users takes part."""

    coverage = forms.FloatField(label="Share of users, 0 to 1", widget=UnfoldAdminTextInputWidget())
