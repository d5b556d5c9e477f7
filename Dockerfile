# syntax=docker/dockerfile:1
# One image, one command line: `serve` (the default) and `worker`.
# A release names the base by digest: --build-arg PYTHON_TAG=3.13-slim-bookworm@sha256:…
ARG PYTHON_TAG=3.13-slim-bookworm

FROM python:${PYTHON_TAG} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN ["python", "-m", "venv", "/opt/venv"]
# The lock comes first: this layer stays as long as no dependency changes.
COPY requirements.txt /tmp/requirements.txt
RUN ["/opt/venv/bin/python", "-m", "pip", "install", "--require-hashes", "-r", "/tmp/requirements.txt"]
WORKDIR /srv/skillfeed
COPY pyproject.toml alembic.ini README.md LICENSE NOTICE ./
COPY catalog ./catalog
COPY ingest ./ingest
COPY app ./app
COPY migrations ./migrations
# Installed where it stands, with the locked setuptools and without a network. Compiled here, because nothing is written later.
# What installs packages has no work in the image that runs.
RUN /opt/venv/bin/python -m pip install --no-deps --no-build-isolation --editable . \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash app catalog ingest migrations \
    && /opt/venv/bin/python -m pip uninstall --yes --quiet setuptools pip

FROM python:${PYTHON_TAG}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Skillfeed" \
      org.opencontainers.image.description="A research-paper and trends feed aggregator for people who learn machine learning one skill at a time" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    SKILLFEED_DATA_DIR=/data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/skillfeed /srv/skillfeed
# Only /data belongs to the user that runs; everything else is root's and can be mounted read-only.
RUN ["install", "-d", "-o", "65532", "-g", "65532", "-m", "0750", "/data"]
USER 65532:65532
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --start-interval=2s --retries=3 CMD ["skillfeed", "healthcheck"]
ENTRYPOINT ["skillfeed"]
CMD ["serve", "--host", "0.0.0.0"]
