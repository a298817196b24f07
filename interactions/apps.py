from django.apps import AppConfig
from django.core.checks import register


class InteractionsConfig(AppConfig):
    name = "interactions"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Interactions"

    def ready(self) -> None:
        from interactions.event_log.handler import check_event_log
        from interactions.partitions import check_partition_by

        register(check_event_log)
        register(check_partition_by)
