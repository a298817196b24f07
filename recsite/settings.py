"""Django settings. Values that differ between machines come from `recsite.environment`."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from catalog.redis_address import cluster_nodes, sentinels
from recsite import databases, environment, login_lock, queues, schedule, unfold
from recsite.environment import BASE_DIRECTORY, LOCAL, LOCAL_DIRECTORY, env

# A demo site is entered without a password, on whatever servers: there is nothing to protect.
_is_production = not (LOCAL or environment.DEMO_SITE)
if _is_production:
    environment.refuse_insecure()

SECRET_KEY = environment.SECRET_KEY or environment.local_secret("secret_key")
DEBUG = environment.DEBUG
ALLOWED_HOSTS = environment.ALLOWED_HOSTS
CSRF_TRUSTED_ORIGINS = environment.CSRF_TRUSTED_ORIGINS

INSTALLED_APPS = [
    "recsite",
    "catalog",
    "interactions",
    "experiments",
    "recommender",
    "unfold",
    "unfold.contrib.import_export",
    "import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "corsheaders",
    "django_htmx",
    "axes",
]

MIDDLEWARE = [
    "recsite.logs.RequestIdMiddleware",
    "recsite.metrics.RequestMetricsMiddleware",
    "recsite.overload.OverloadMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "recsite.site_only.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "recsite.csp.ContentSecurityPolicyMiddleware",
    "recsite.throttling.FormLimitMiddleware",
    "recsite.site_only.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "recsite.site_only.CsrfViewMiddleware",
    "recsite.site_only.AuthenticationMiddleware",
    "recommender.participation.ParticipationMiddleware",
    "recsite.site_only.MessageMiddleware",
    "recsite.audit.AuditMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "recsite.urls"
WSGI_APPLICATION = "recsite.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIRECTORY / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Postgres: the truth -------------------------------------------------------------------------------------------
DATABASES = databases.configured()
DATABASE_ROUTERS = ["catalog.postgres.reading.ReplicaRouter"] if environment.REPLICA_URLS else []
REPLICA_LAG_SECONDS = environment.REPLICA_LAG_SECONDS
if environment.REPLICA_URLS:
    MIDDLEWARE.insert(MIDDLEWARE.index("recsite.overload.OverloadMiddleware") + 1, "recsite.replicas.ReplicaMiddleware")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: cache, feature store and broker, never the truth -------------------------------------------------------
_socket = environment.local_run_directory() / "valkey.sock"
REDIS_URL = environment.REDIS_URL or f"unix://{_socket}?db=0"
# What is wrong with it is said at the start, not by the first request.
cluster_nodes(REDIS_URL)
REDIS_TIMEOUT_SECONDS = environment.REDIS_TIMEOUT_SECONDS
REDIS_KEY_PREFIX = environment.REDIS_KEY_PREFIX or f"recsite:{DATABASES['default']['NAME']}"

# --- Celery --------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = environment.CELERY_BROKER_URL or (
    f"redis+socket://{_socket}?virtual_host=1" if not environment.REDIS_URL else environment.REDIS_URL
)
if cluster_nodes(CELERY_BROKER_URL):
    raise ImproperlyConfigured(
        "Celery cannot keep its queues in a Redis Cluster: set CELERY_BROKER_URL to one server or to sentinels "
        "(REDIS_URL may stay redis+cluster://)."
    )
_sentinels = sentinels(CELERY_BROKER_URL)
CELERY_BROKER_URL, _of_broker = (CELERY_BROKER_URL, {}) if _sentinels is None else _sentinels.broker()
CELERY_BROKER_TRANSPORT_OPTIONS = {
    **_of_broker,
    # Longer than any task may run, else a task is delivered twice at once.
    "visibility_timeout": 3 * 3600,
    # kombu sweeps for lost tasks only every ~100 s otherwise.
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
    "global_keyprefix": f"{REDIS_KEY_PREFIX}:celery:",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 2 * 3600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"
# No result is kept, so nothing of them is to be cleaned up.
CELERY_RESULT_EXPIRES = None
CELERY_TASK_QUEUES = queues.QUEUES
CELERY_TASK_ROUTES = queues.ROUTES
CELERY_TASK_DEFAULT_QUEUE = queues.MAINTENANCE
CELERY_BEAT_SCHEDULER = "recsite.beat:Scheduler"
CELERY_BEAT_SCHEDULE = schedule.SCHEDULE

# --- The catalogue in memory: on a disk of this machine, never one over the network --------------------------------
CATALOGUE_DIRECTORY = environment.CATALOGUE_DIRECTORY or str(
    LOCAL_DIRECTORY / "catalogue" / DATABASES["default"]["NAME"]
)

# --- The recommender: see recommender/conf.py for every name and its default ---------------------------------------
RECOMMENDER_MODEL_STORE = environment.MODEL_STORE
RECOMMENDER_MODEL_DIRECTORY = environment.MODEL_DIRECTORY or str(
    LOCAL_DIRECTORY / "models" / DATABASES["default"]["NAME"]
)
RECOMMENDER_TRAINING_ENGINE = environment.TRAINING_ENGINE
RECOMMENDER_SPARK = {"master": environment.SPARK_MASTER, "event_files": environment.SPARK_EVENT_FILES, "options": {}}
if environment.MILVUS_URI:
    RECOMMENDER_VECTOR_INDEXES = {
        "default": {
            "BACKEND": "recommender.vector_index.milvus.MilvusIndexBackend",
            "OPTIONS": {"uri": environment.MILVUS_URI, "token": environment.MILVUS_TOKEN},
        }
    }
RECOMMENDER_ITEM_URL = env.str("ITEM_URL", default="/items/{item_id}/")

# Where posted events are kept first.
INTERACTIONS_EVENT_LOG = {
    "postgres": {"BACKEND": "interactions.event_log.postgres.PostgresEventLog"},
    "kafka": {
        "BACKEND": "interactions.event_log.kafka.KafkaEventLog",
        "OPTIONS": {"servers": environment.KAFKA_SERVERS},
    },
}.get(environment.EVENT_LOG, {"BACKEND": environment.EVENT_LOG})

# What else goes when a person is erased: apps above `interactions` name their functions here.
INTERACTIONS_ALSO_ERASE = {
    "exposures": "experiments.exposure.erase",
    "shadow_lists": "recommender.shadowing.lists.erase",
    "kept_lists": "recommender.kept_lists.erase",
    "kept_answers": "catalog.api.once.erase",
}

INTERACTIONS_ALSO_EXPORT = {
    "exposures": "experiments.exposure.export",
    "shadow_lists": "recommender.shadowing.lists.export",
}
INTERACTIONS_PARTITION_BY = environment.PARTITION_BY
INTERACTIONS_RETENTION_DAYS = environment.RETENTION_DAYS or None

# --- HTTP API ------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["recsite.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["recsite.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["recsite.rendering.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "recsite.rendering.JsonOnly",
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "recsite.errors.handle_exception",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_THROTTLE_CLASSES": ["recsite.throttling.KeyThrottle"],
    "NUM_PROXIES": environment.NUM_PROXIES,
}
# Requests a minute; 0: no limit. A secret key is a server's own: its limit stops a loop gone wild, not a busy site.
RATE_LIMITS = {"secret": 600_000, "publishable": 60_000, "visitor": 600, "address": 3_000}
if _misnamed := set(environment.RATE_LIMITS) - set(RATE_LIMITS):
    raise ImproperlyConfigured(f"RATE_LIMITS knows {', '.join(RATE_LIMITS)}, not {', '.join(sorted(_misnamed))}.")
RATE_LIMITS |= environment.RATE_LIMITS
NUM_PROXIES = environment.NUM_PROXIES
SPECTACULAR_SETTINGS = {
    "TITLE": "recsite",
    "DESCRIPTION": "Recommendations, events and the catalogue of this site.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "VerdictEnum": ["accepted", "rejected"],
        "EventVerdictEnum": ["accepted", "duplicate", "rejected"],
        "ExperimentStatusEnum": ["draft", "running", "stopped"],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "recsite.openapi.add_errors",
    ],
    # Swagger UI from this site: the page works without the internet and under a strict policy.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
# Whose pages may call it is said by publishable keys (`recsite.cors`), by no list here.
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_METHODS = ["GET", "POST"]
CORS_ALLOW_HEADERS = ["authorization", "content-type", "idempotency-key", "x-user-signature"]
CORS_EXPOSE_HEADERS = ["X-Request-Id", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
CORS_PREFLIGHT_MAX_AGE = 600

# Threads of a web process, as its command line has them: `recsite.overload` gives each kind of request a share.
WEB_THREADS = environment.WEB_THREADS

# --- Site ----------------------------------------------------------------------------------------------------------
DEMO_SITE = environment.DEMO_SITE
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
# Locally the finders serve what `collectstatic` gathers in production.
STATIC_ROOT = None if LOCAL else BASE_DIRECTORY / "staticfiles"
WHITENOISE_USE_FINDERS = not _is_production
LOGIN_URL = "/sign-in/"
# Only the admin's own page signs people in by password.
LOGIN_REDIRECT_URL = "admin:index"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = login_lock.TRIES
AXES_COOLOFF_TIME = login_lock.CLOSED_FOR
# Of a name and an address together: who knows an editor's name could else keep him out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = login_lock.client_address
AXES_CLIENT_STR_CALLABLE = login_lock.client_in_log
AXES_LOCKOUT_CALLABLE = login_lock.closed
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
# W003 looks for the middleware's own name; this site's is the same but for the API (`recsite.site_only`).
SILENCED_SYSTEM_CHECKS = ["security.W003"]
if _is_production:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

UNFOLD = unfold.UNFOLD

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "recsite.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": environment.LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    # Its lines have the path, which may name a person; `recsite.errors` logs a crash under the request's id.
    "loggers": {"django.request": {"level": "CRITICAL"}, "axes": {"level": "WARNING"}},
}
