from django.apps import AppConfig


class RecsiteConfig(AppConfig):
    name = "recsite"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Site and access"
