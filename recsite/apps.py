from django.apps import AppConfig


class RecsiteConfig(AppConfig):
    name = "recsite"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Site and access"

    def ready(self) -> None:
        from corsheaders.signals import check_request_enabled

        from recsite import checks, cors  # noqa: F401 -- the checks register themselves

        check_request_enabled.connect(cors.is_allowed, dispatch_uid="recsite.cors")
