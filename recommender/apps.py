from django.apps import AppConfig
from django.core.checks import register


class RecommenderConfig(AppConfig):
    name = "recommender"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Recommender"

    def ready(self) -> None:
        """Register the system checks, and what a variant may say."""
        from experiments import configurations
        from recommender import checks, variants
        from recommender.training.encoders.checks import check_encoders
        from recommender.training.engines.checks import check_engine
        from recommender.vector_index.checks import check_vector_indexes

        register(checks.check_settings)
        register(checks.check_recipes)
        register(checks.check_model_store)
        register(check_vector_indexes)
        register(check_encoders)
        register(check_engine)
        configurations.register(variants.problems)
        configurations.register(variants.missing_version)
