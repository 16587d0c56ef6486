# The engine as an image: locked dependencies, its own user, and nothing written outside /var/lib/dispatcher.
# docker build -t dispatcher .

# Not the slim one: it has the C compiler for the hot loops, which the image below does not need.
FROM python:3.13 AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
# First what seldom changes, so that a change of our code does not fetch everything again.
COPY requirements/run.lock requirements/run.lock
RUN python -m venv /opt/dispatcher \
    && /opt/dispatcher/bin/python -m pip install --require-hashes -r requirements/run.lock
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY adapters adapters
COPY config config
COPY dispatcher dispatcher
COPY rules rules
COPY simulators simulators
# The tools that built it do not travel along.
RUN DISPATCHER_COMPILED=1 /opt/dispatcher/bin/python -m hatchling build -t wheel -d /src/dist \
    && /opt/dispatcher/bin/python -m pip install --no-deps --no-index /src/dist/*.whl \
    && /opt/dispatcher/bin/python -m pip uninstall --yes cython setuptools hatchling editables trove-classifiers pip

FROM python:3.13-slim
LABEL org.opencontainers.image.title="dispatcher" \
      org.opencontainers.image.description="Event-driven warning and alert dispatch" \
      org.opencontainers.image.licenses="Apache-2.0"
# A fixed number, so that a volume keeps its owner from image to image.
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/dispatcher --create-home dispatcher
COPY --from=build /opt/dispatcher /opt/dispatcher
ENV PATH=/opt/dispatcher/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /var/lib/dispatcher
USER 10001:10001
VOLUME ["/var/lib/dispatcher"]
EXPOSE 8080
# /healthz says that the process lives; whether it can do its job is /readyz, which must not restart it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["dispatcher"]
CMD ["run"]
