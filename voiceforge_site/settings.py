"""Settings, all from the environment (see .env.example) with defaults that need nothing outside Python."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from mlservices import catalog

from . import env, logs, serving
from .build import build_id

BASE_DIR = Path(__file__).resolve().parent.parent
_given = {name for name, value in os.environ.items() if value}
env.read_file(BASE_DIR / ".env")
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var"))).absolute()
# Where a server runs on this folder, commands are about that one, unless they are told another.
os.environ |= {name: value for name, value in serving.noted(VAR_DIR).items() if name not in _given}

# Where we are reached

DEBUG = env.flag("DEBUG")
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, low=1, high=65535)
PUBLIC_URL = env.origin("PUBLIC_URL", f"http://127.0.0.1:{PORT}")
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or ""
ALLOWED_HOSTS = [PUBLIC_HOST, "127.0.0.1", "localhost", "[::1]", *env.hosts("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
WEB_SERVER = env.choice("WEB_SERVER", "daphne", of=("daphne", "uvicorn", "granian"))
WEB_CONCURRENCY = env.integer("WEB_CONCURRENCY", 1, low=1, high=64)

# What must stay secret. Tried out on one machine, VoiceForge makes its own secrets and keeps them beside its
# data; in production, where data may outlive the machine, they must be given (checks.py says so).

DATABASE_URL = env.text("DATABASE_URL")
PRODUCTION = not DEBUG and (PUBLIC_URL.startswith("https://") or bool(DATABASE_URL))
SESSION_SECRET_FILE = VAR_DIR / "session-secret"
CREDENTIALS_KEY_FILE = VAR_DIR / "credentials-key"
if PRODUCTION:
    SESSION_SECRET = env.text("SESSION_SECRET")
    CREDENTIALS_KEYS = env.items("CREDENTIALS_KEY")
else:
    SESSION_SECRET = env.kept_secret("SESSION_SECRET", SESSION_SECRET_FILE, get_random_secret_key)
    CREDENTIALS_KEYS = env.items("CREDENTIALS_KEY") or [
        env.kept_secret("CREDENTIALS_KEY", CREDENTIALS_KEY_FILE, lambda: Fernet.generate_key().decode())
    ]
SECRET_KEY = SESSION_SECRET

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_HSTS_SECONDS = 30 * 24 * 3600  # sent over https only
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # other names below ours are not ours to decide about,
    "security.W021",  # nor are browsers' own lists
    "security.W008",  # http is sent to https by the proxy that ends TLS
    "drf_spectacular.W001",  # the names of enumerations in the API's description
]
BEHIND_PROXY = env.flag("BEHIND_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "channels",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "lucide",
    "django_q",
    "mlservices",
    "agents",
    "telephony",
    "voiceforge_site",
]

MIDDLEWARE = [
    "voiceforge_site.request_ids.RequestIds",
    "voiceforge_site.metrics.requests.Requests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "voiceforge_site.csp.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "voiceforge_site.access.keys.ApiKeys",
    "voiceforge_site.audit.actors.Actors",
    "voiceforge_site.access.viewer.Viewer",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "voiceforge_site.toasts.HtmxToasts",
    "voiceforge_site.errors.ErrorPages",
    "voiceforge_site.access.gate.Gate",
    "voiceforge_site.access.idempotency.Idempotency",
]

ROOT_URLCONF = "voiceforge_site.urls"
ASGI_APPLICATION = "voiceforge_site.asgi.application"
CSRF_FAILURE_VIEW = "voiceforge_site.errors.expired"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_USER_MODEL = "voiceforge_site.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
SESSION_ENGINE = "voiceforge_site.access.sessions"
# The rules that people read when they choose a password, in this order.
PASSWORD_RULES: dict[str, dict[str, object]] = {
    "MinimumLengthValidator": {"min_length": 10},
    "NumericPasswordValidator": {},
    "CommonPasswordValidator": {},
    "UserAttributeSimilarityValidator": {"user_attributes": ("username", "name", "email")},
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in PASSWORD_RULES.items()
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "voiceforge_site.context.shell",
            ],
        },
    }
]

# Data, messages between processes, jobs

DATABASES = {"default": env.database("DATABASE_URL", VAR_DIR / "voiceforge.sqlite3")}
ON_SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
if ON_SQLITE:
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # Statements are not prepared: one plan for all values takes 370 ms, not 13, to find who did little.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 10)

REDIS_URL = env.url("REDIS_URL", schemes=("redis", "rediss"))
# channels_redis lets Redis wait 5 s for a message, so the connection must not give up as early.
_CHANNEL_HOST = {"address": REDIS_URL, "socket_connect_timeout": 5, "socket_timeout": 15}
CHANNEL_LAYERS = {
    "default": (
        {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [_CHANNEL_HOST]}}
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}


_FILES = "django.core.cache.backends.filebased.FileBasedCache"


def _cache(name: str, entries: int, backend: str = _FILES) -> dict[str, object]:
    if not REDIS_URL:  # on disk, so that web sees the worker's heartbeat
        return {"BACKEND": backend, "LOCATION": VAR_DIR / name, "OPTIONS": {"MAX_ENTRIES": entries}}
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": name,
        "OPTIONS": {"socket_connect_timeout": 5, "socket_timeout": 5},
    }


# What the API remembers of chats, what was written down today and counts of keys have places of their own:
# who asks a lot is not to push out what slows the guessing of passwords.
CACHES = {
    "default": _cache("cache", 300),
    "noted": _cache("noted", 1000),
    "chats": _cache("chats", 1000),
    "rates": _cache("rates", 1000, "voiceforge_site.access.counts.Counts"),
}
TOOL_PRIVATE_HOSTS = env.items("TOOL_PRIVATE_HOSTS")
REALTIME_SESSIONS = env.integer("REALTIME_SESSIONS", 10, low=1, high=1000)
API_REQUESTS_A_MINUTE = env.integer("API_REQUESTS_A_MINUTE", 600, low=0, high=1_000_000)
Q_CLUSTER = {
    "name": "voiceforge",
    "workers": 2,  # a book that is read for minutes must not keep webhooks waiting
    "timeout": 600,
    "retry": 660,
    "max_attempts": 3,
    "catch_up": False,
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

DATA_UPLOAD_MAX_NUMBER_FIELDS = 2500  # an agent with all the facts it may have

# The REST API. Who may do what is decided at the door (access.gate), before a resource is asked.

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["mlservices.rest.parsing.Json"],
    "DEFAULT_PAGINATION_CLASS": "mlservices.rest.paging.Pages",
    "DEFAULT_FILTER_BACKENDS": [
        "mlservices.rest.filters.WhatIsGiven",
        "mlservices.rest.filters.Searched",
        "mlservices.rest.filters.Ordered",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,  # all is JSON: `format` is a parameter like others
    "EXCEPTION_HANDLER": "mlservices.rest.problems.answered",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNICODE_JSON": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "VoiceForge",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    # Fields of one name that take different words: what each set of words is called.
    "ENUM_NAME_OVERRIDES": {
        "AgentStatus": "agents.models.Agent.Status",
        "CallStatus": "telephony.models.Call.Status",
        "CallDirection": "telephony.models.Call.Direction",
        "ServiceStatus": "voiceforge_site.rest.services.STATUSES",
        "ExportState": "telephony.models.CallExport.State",
        "PlannedCallState": "telephony.models.PlannedCall.State",
        "WebhookState": "voiceforge_site.hooks.models.Webhook.State",
        "DeliveryState": "voiceforge_site.hooks.models.Delivery.State",
    },
    "PREPROCESSING_HOOKS": ["voiceforge_site.rest.document.resources"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "voiceforge_site.rest.document.completed",
    ],
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "voiceforge_site" / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# Static files carry their build in the address, so that browsers may keep them for ever.

STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_URL = "/static/" if DEBUG else f"/static/{build_id(BASE_DIR / 'static')}/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
if not DEBUG:
    WHITENOISE_IMMUTABLE_FILE_TEST = ".*"
MEDIA_ROOT = VAR_DIR / "media"

# The ML service: ours on a loopback port, or a Space.

ML_PORT = env.integer("ML_PORT", 8070, low=1, high=65535)
if ML_PORT == PORT:
    raise ImproperlyConfigured(f"ML_PORT={ML_PORT} is PORT as well: give one of them another number.")
HF_ML_API_URL = env.url("HF_ML_API_URL")
if env.flag("USE_HF_SPACES_ML") and not HF_ML_API_URL:
    raise ImproperlyConfigured("USE_HF_SPACES_ML=true needs HF_ML_API_URL: the address of your Space.")
HF_ML_KEEP_WARM = env.integer("HF_ML_KEEP_WARM", 0, low=0, high=1440)  # minutes
if HF_ML_KEEP_WARM and not HF_ML_API_URL:
    raise ImproperlyConfigured(f"HF_ML_KEEP_WARM={HF_ML_KEEP_WARM} needs HF_ML_API_URL: the Space to ask.")
MODELS_DIR = Path(env.text("HF_HOME", str(VAR_DIR / "models"))).absolute()
STT_ENGINE = env.choice("STT_ENGINE", "whisper-tiny.en", of=catalog.ids(catalog.Kind.STT))
TTS_ENGINE = env.choice("TTS_ENGINE", "piper-joe", of=catalog.ids(catalog.Kind.TTS))
LLM_ENGINE = env.choice("LLM_ENGINE", "smollm2-135m", of=catalog.ids(catalog.Kind.LLM))
RAY_ADDRESS = env.text("RAY_ADDRESS")
CUDA_VISIBLE_DEVICES = env.text("CUDA_VISIBLE_DEVICES")
ML_MODELS = env.choices("ML_MODELS", of=list(catalog.BY_ID))
_TWO = min(2, os.cpu_count() or 1)
ML_STT_WORKERS = env.integer("ML_STT_WORKERS", _TWO, low=1, high=64)
ML_TTS_WORKERS = env.integer("ML_TTS_WORKERS", _TWO, low=1, high=64)
ML_HF_TTS_WORKERS = env.integer("ML_HF_TTS_WORKERS", _TWO, low=1, high=64)
ML_LLM_WORKERS = env.integer("ML_LLM_WORKERS", 1, low=0, high=64)
LLM_FALLBACK = env.choices("LLM_FALLBACK", of=catalog.ids(catalog.Kind.LLM))
HF_TOKEN = env.text("HF_TOKEN")
HF_ML_API_TOKEN = env.text("HF_ML_API_TOKEN")
ML_API_TOKEN = env.text("ML_API_TOKEN")
AI_INTEGRATIONS_OPENAI_API_KEY = env.text("AI_INTEGRATIONS_OPENAI_API_KEY")
AI_INTEGRATIONS_OPENAI_BASE_URL = env.url("AI_INTEGRATIONS_OPENAI_BASE_URL", "https://api.openai.com/v1")
OPENAI_MODEL = env.text("OPENAI_MODEL", "gpt-4o-mini")
NVIDIA_API_KEY = env.text("NVIDIA_API_KEY")
NVIDIA_MODEL = env.text("NVIDIA_MODEL", "meta/llama-3.1-70b-instruct")
# Callers' voices leave this machine only where a model is named.
OPENAI_STT_MODEL = env.text("OPENAI_STT_MODEL")
OPENAI_TTS_MODEL = env.text("OPENAI_TTS_MODEL")
OPENAI_TTS_VOICE = env.text("OPENAI_TTS_VOICE", "alloy")
# Who is asked in whose stead; empty: what `mlservices.order` makes of the rest.
ML_FALLBACK = tuple(dict.fromkeys(env.choices("ML_FALLBACK", of=("space", "local", "openai"))))
if "space" in ML_FALLBACK and not HF_ML_API_URL:
    raise ImproperlyConfigured("ML_FALLBACK names space: HF_ML_API_URL must give its address.")
if "openai" in ML_FALLBACK and not (AI_INTEGRATIONS_OPENAI_API_KEY or NVIDIA_API_KEY):
    raise ImproperlyConfigured(
        "ML_FALLBACK names openai: AI_INTEGRATIONS_OPENAI_API_KEY or NVIDIA_API_KEY must be given."
    )
_WORKERS = ("ML_STT_WORKERS", "ML_TTS_WORKERS", "ML_LLM_WORKERS")
if HF_ML_API_URL and not ML_FALLBACK and env.any_given(_WORKERS):  # whoever names them wants them beside it
    ML_FALLBACK = ("space", "local", "openai")

# Providers: a first credential is made of these at set-up; after that the database rules.

TWILIO_ACCOUNT_SID = env.text("TWILIO_ACCOUNT_SID")
TWILIO_AUTH_TOKEN = env.text("TWILIO_AUTH_TOKEN")
TWILIO_PHONE_NUMBER = env.text("TWILIO_PHONE_NUMBER")
TWILIO_API_URL = env.url("TWILIO_API_URL")
ZADARMA_API_KEY = env.text("ZADARMA_API_KEY")
ZADARMA_API_SECRET = env.text("ZADARMA_API_SECRET")
ZADARMA_SIP_USERNAME = env.text("ZADARMA_SIP_USERNAME")
ZADARMA_SIP_PASSWORD = env.text("ZADARMA_SIP_PASSWORD")
ZADARMA_SIP_DOMAIN = env.text("ZADARMA_SIP_DOMAIN", "sip.zadarma.com")
ZADARMA_API_URL = env.url("ZADARMA_API_URL", "https://api.zadarma.com")

# The SIP gateway, where there are SIP lines.

SIP_ADDRESS = env.text("SIP_ADDRESS")
SIP_PORT = env.integer("SIP_PORT", 5060, low=0, high=65535)
SIP_RTP_PORT = env.integer("SIP_RTP_PORT", 20000, low=1024, high=64536)
SIP_RTP_TIMEOUT = env.integer("SIP_RTP_TIMEOUT", 30, low=1, high=3600)  # seconds
SIP_CA_FILE = env.text("SIP_CA_FILE", ssl.get_default_verify_paths().cafile or "")

# What calls cost, for the page of each.

TWILIO_PRICE_PER_MINUTE = env.amount("TWILIO_PRICE_PER_MINUTE")
CURRENCY = env.text("CURRENCY", "USD")

# Who is told when a service check raises an alert, and when it is over.

ALERT_WEBHOOK_URL = env.url("ALERT_WEBHOOK_URL")

# Put out of sight wherever they stand, in log lines and in the audit trail.
SECRETS = [
    SECRET_KEY,
    *CREDENTIALS_KEYS,
    HF_TOKEN,
    HF_ML_API_TOKEN,
    ML_API_TOKEN,
    AI_INTEGRATIONS_OPENAI_API_KEY,
    NVIDIA_API_KEY,
    TWILIO_AUTH_TOKEN,
    ZADARMA_API_KEY,
    ZADARMA_API_SECRET,
    ZADARMA_SIP_PASSWORD,
    DATABASES["default"].get("PASSWORD", ""),
    urlsplit(REDIS_URL).password or "",
    urlsplit(ALERT_WEBHOOK_URL).path,  # of many such addresses the path is the secret
]
LOG_FORMAT = env.choice("LOG_FORMAT", "text", of=("text", "json"))
LOGGING = logs.config(
    level=env.choice("LOG_LEVEL", "INFO", of=("DEBUG", "INFO", "WARNING", "ERROR")),
    form=LOG_FORMAT,
    secrets=SECRETS,
)

# Where the processes of this machine count for /api/metrics.

METRICS_DIR: Path | None = VAR_DIR / "metrics"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
