# One image for web, worker, beat and local store. No compiler, no network at run time.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements-production.lock /tmp/requirements.lock
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --require-hashes -r /tmp/requirements.lock

FROM python:3.13-slim
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --home-dir /app care
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --chown=root:root . .
# Hashed and compressed once, here. The values only let the settings load; nothing is contacted.
RUN CARE_ENV=production SECRET_KEY=build DATABASE_URL=postgres:///none CELERY_BROKER_URL=memory:// \
    SPINE_BASE_URL=http://localhost ALLOWED_HOSTS=localhost \
    python manage.py collectstatic --no-input --verbosity 0
USER care
EXPOSE 8000
CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "4", "--threads", "4", "--no-control-socket"]
