"""Refuse embedding spaces that no index is made for."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_revisions")]

    operations = [
        migrations.AlterField(
            model_name="embeddingspace",
            name="dimension",
            field=models.PositiveIntegerField(validators=[MinValueValidator(64), MaxValueValidator(1024)]),
        ),
        migrations.AddConstraint(
            model_name="embeddingspace",
            constraint=models.CheckConstraint(
                condition=models.Q(dimension__range=(64, 1024)), name="dimension_64_to_1024"
            ),
        ),
    ]
