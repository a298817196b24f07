from tests.recommender.conftest import commit, fresh_process, models, site

__all__ = ["commit", "fresh_process", "models", "site"]
