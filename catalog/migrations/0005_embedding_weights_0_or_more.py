"""Refuse weights of embedding spaces that cannot be blended, and say what an encoder is."""

import math

from django.core.validators import MinValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0004_image_urls_may_be_paths")]

    operations = [
        migrations.AlterField(
            model_name="embeddingspace",
            name="weight",
            field=models.FloatField(
                default=1.0,
                help_text="Share of this space when several are blended; 0: it is not used.",
                validators=[MinValueValidator(0.0)],
            ),
        ),
        migrations.AlterField(
            model_name="embeddingspace",
            name="encoder",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Key of RECOMMENDER_ENCODERS: what computes the vectors in a rebuild. "
                "Empty: they are uploaded.",
                max_length=200,
            ),
        ),
        migrations.AddConstraint(
            model_name="embeddingspace",
            constraint=models.CheckConstraint(
                condition=models.Q(weight__gte=0, weight__lt=math.inf), name="weight_0_or_more_and_finite"
            ),
        ),
    ]
