"""Where posted events are kept first: Postgres itself (the default), or Kafka, whose consumers write them to Postgres.

INTERACTIONS_EVENT_LOG names the backend, as Django's STORAGES do: {"BACKEND": dotted path, "OPTIONS": {…}}.
"""
