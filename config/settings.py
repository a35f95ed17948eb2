"""Settings, all from environment variables. docs/how-to/settings.md lists them.

CARE_ENV chooses the stance: `production` (the default, so that a forgotten variable is never
lax), `demo` (`make run`: embedded services, made-up patients) or `test`.
"""

import sys
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from config import logs, schedule
from config.env import Env

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

CARE_ENV = env.text("CARE_ENV", "production")
if CARE_ENV not in {"production", "demo", "test"}:
    raise ImproperlyConfigured("CARE_ENV must be production, demo or test.")
PRODUCTION = CARE_ENV == "production"

# Debug pages print request bodies, and so patients: there is no way to switch them on.
DEBUG = False
SECRET_KEY = env.text(
    "SECRET_KEY",
    None if PRODUCTION else "demo-and-test-only-" + "0" * 40,
    hint="Set it to a long random text, the same for web and workers. `make run` sets its own.",
)
# Secrets that were in use before: what they signed or sealed is still read, nothing new is.
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "" if PRODUCTION else "localhost,127.0.0.1,[::1],testserver")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "carerecords",
    "consent",
    "boycott",
    "spine",
    "reports",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "nhsuk_frontend_jinja",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_structlog",
]
if not PRODUCTION:
    # Made-up patients: production does not even know the commands.
    INSTALLED_APPS.append("demo")

MIDDLEWARE = [
    "config.database.answers.AnswerLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "config.headers.PrivatePagesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.session_limits.SessionLimitsMiddleware",
    # Log-in is the default; a view that needs none says so.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "carerecords.middleware.CurrentPracticeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.password_step.PasswordStepMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "config.errors.RefusalPageMiddleware",
    "config.outage.ViewFinishedMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "config.context_processors.one_csrf_token",
    "config.context_processors.navigation",
    "config.context_processors.previous_log_in",
    "config.context_processors.policy_strip",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "config.jinja.environment",
            "context_processors": CONTEXT_PROCESSORS,
        },
    },
    {
        # allauth's and the API documentation's own templates.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    },
]

DATABASE_URL = env.text(
    "DATABASE_URL",
    hint="Give a PostgreSQL address, for example postgres://user:password@host/name. "
    "`make run` and `make test` start one of their own.",
)
DATABASES = {
    "default": dj_database_url.parse(
        DATABASE_URL, engine="config.database", conn_max_age=600, conn_health_checks=True
    )
}
# A cursor of the server lives in a session; a pooler gives each transaction another one.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = env.flag("DATABASE_POOLED", False)
# Seconds for one answer to a page. A change of policy rightly waits for sends in flight: up to six.
DATABASE_ANSWER_SECONDS = env.number("DATABASE_ANSWER_SECONDS", 15)
# A host that vanished is found out within a minute by whoever waits for it, workers too.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 5,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
} | DATABASES["default"].get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "carerecords.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "config.authentication.WithPosts",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
if CARE_ENV == "test":
    # Half a second for each log-in is right for people and wrong for hundreds of tests.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "config.password_rules.Length", "OPTIONS": {"min_length": 10}},
    {"NAME": "config.password_rules.NotCommon"},
]

CELERY_BROKER_URL = env.text(
    "CELERY_BROKER_URL",
    hint="Give a broker: redis://host/0 for Valkey or amqp://user:password@host// for RabbitMQ.",
)

# Rows in PostgreSQL are the record, so results are not kept and a lost message costs one sweep.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "Europe/London"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A quorum queue on RabbitMQ; ignored by Valkey.
if CELERY_BROKER_URL.startswith("amqp"):
    CELERY_TASK_DEFAULT_QUEUE_TYPE = "quorum"
else:
    # The page must not wait for a broker that is away; redelivery of a dead worker's message is
    # not what recovery rests on (the sweep over leases is), so the long time-out is harmless.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_connect_timeout": 1,
        "socket_timeout": 3,
        "visibility_timeout": 3600,
        # Ring once: with the usual retries a page waits for seven seconds.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    }
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BEAT_SCHEDULE = schedule.entries(demo=CARE_ENV == "demo")

# Never closed by Celery: `config.celery` closes them when they are old or do not answer.
CELERY_DB_REUSE_MAX = sys.maxsize

# Celery must not replace the root logger: its own format knows nothing of ids.
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
LOGGING = logs.configure(env.text("LOG_LEVEL", "INFO" if CARE_ENV != "test" else "WARNING"))

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True

# --- The shell: static files, browsers' security, log-in, sessions ---------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Production serves what `collectstatic` hashed and compressed; the demo and the tests serve the
# sources, so that neither needs that step.
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else None
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = False
_STATIC_STORAGE = (
    "whitenoise.storage.CompressedManifestStaticFilesStorage"
    if PRODUCTION
    else "django.contrib.staticfiles.storage.StaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _STATIC_STORAGE},
}

# Nothing inline and nothing from elsewhere; `config.jinja` and static/care follow from this.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", PRODUCTION)
# Asked from inside the network, by whoever watches the containers.
SECURE_REDIRECT_EXEMPT = ["^health/$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
# Only behind a proxy that sets this header itself, or anybody could claim to come by TLS.
if env.flag("TRUST_X_FORWARDED_PROTO", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"

# `config.session_limits` enforces both; a cookie ends with the browser anyway.
SESSION_IDLE_SECONDS = 15 * 60
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# Messages name patients, so they stay on the server and out of cookies.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "config.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = False
# Bad passwords are counted by axes, in rows that every web process sees.
ACCOUNT_RATE_LIMITS = {"login_failed": None}
ACCOUNT_FORMS = {
    "login": "config.account_forms.LogInForm",
    "reset_password": "config.account_forms.ForgottenPasswordForm",
    "reset_password_from_key": "config.account_forms.NewPasswordForm",
    "change_password": "config.account_forms.PasswordChangeForm",
    "reauthenticate": "config.account_forms.ConfirmPasswordForm",
}
MFA_ADAPTER = "config.accounts.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Care record upload consent"
MFA_FORMS = {
    "authenticate": "config.account_forms.CodeForm",
    "reauthenticate": "config.account_forms.ConfirmCodeForm",
    "activate_totp": "config.account_forms.AddAppForm",
}
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "config.lockout.email_tried"
AXES_LOCKOUT_CALLABLE = "config.lockout.locked_out"
# Trying during the wait does not make it longer, so that the time shown holds.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "login"]
AXES_ENABLE_ADMIN = False
# Its greeting at every start says nothing.
AXES_VERBOSE = False

DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "noreply@localhost")
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = int(env.number("EMAIL_PORT", 25))
if CARE_ENV == "demo":
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

# --- The API ---------------------------------------------------------------------------------
REST_FRAMEWORK = {
    # The token first: its challenge makes "not logged in" a 401.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    # JSON in, JSON out: no browsable pages, no forms.
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "carerecords.api.answer_error",
    # For each user and web process. Finding by NHS number is slow on purpose: nobody guesses numbers.
    "DEFAULT_THROTTLE_RATES": {"api_read": "600/min", "api_write": "120/min", "api_find": "60/min"},
    # Test client posts JSON, as everybody must.
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Care record upload consent",
    "DESCRIPTION": "Patients of your practice, what they decided, and what became of their uploads.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # The validator's badge would ask an outside host.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
}

# --- The product ---------------------------------------------------------------------------
# How long an upload waits after a decision, so that undoing it is lossless (product page 3).
UNDO_WINDOW_SECONDS = env.number("UNDO_WINDOW_SECONDS", 30 if CARE_ENV == "demo" else 900)
# The central store: its base address, and credentials for the real service.
SPINE_BASE_URL = env.text(
    "SPINE_BASE_URL",
    hint="The base address of the Summary Care Record FHIR API, or of the local store.",
)
SPINE_BEARER_TOKEN = env.text("SPINE_BEARER_TOKEN", "")
# With these, access tokens are bought by a signed statement instead (docs/how-to/real-service.md).
SPINE_SIGNED_JWT = env.together("SPINE_TOKEN_URL", "SPINE_API_KEY", "SPINE_KEY_ID", "SPINE_PRIVATE_KEY_FILE")
if SPINE_SIGNED_JWT and SPINE_BEARER_TOKEN:
    raise ImproperlyConfigured("Give SPINE_BEARER_TOKEN or SPINE_API_KEY, not both.")
# A user's token for setting permissions, at a store that asks for one: the real service's is each user's own.
SPINE_USER_TOKEN = env.text("SPINE_USER_TOKEN", "")
if SPINE_SIGNED_JWT and SPINE_USER_TOKEN:
    raise ImproperlyConfigured("The real service takes no fixed user's token: leave SPINE_USER_TOKEN out.")
# The local store's ledger, which `manage.py reconcile` reads; the real service has none to read.
SPINE_LEDGER_URL = env.text("SPINE_LEDGER_URL", "")
# The service may take 60 s to answer (its own limit for a whole call), so the default is longer.
SPINE_READ_TIMEOUT_SECONDS = env.number("SPINE_READ_TIMEOUT_SECONDS", 65)
SPINE_CONNECTIONS = int(env.number("SPINE_CONNECTIONS", 32))
# By all processes together; the service allows an application 5. 0: no limit, for a store of one's own.
SPINE_REQUESTS_PER_SECOND = env.number(
    "SPINE_REQUESTS_PER_SECOND", {"production": 5, "demo": 40, "test": 0}[CARE_ENV], least=0
)
