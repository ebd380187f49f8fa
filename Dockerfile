# The controller and the command line in one image, from hash-pinned packages. The sandbox is not in it.
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/product.lock requirements/
RUN pip download --require-hashes --only-binary :all: --dest /wheels --requirement requirements/product.lock
COPY pyproject.toml README.md LICENSE ./
COPY render render
COPY reconciler reconciler
COPY overlays overlays
COPY schemas schemas
COPY examples examples
COPY deploy deploy
# Only wheels whose hashes the lock names are in /wheels, so nothing else can be resolved from here on.
RUN pip install --no-index --find-links /wheels hatchling \
 && pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels . \
 && python -m venv /opt/siteshift \
 && /opt/siteshift/bin/pip install --no-index --find-links /wheels siteshift

FROM ${BASE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git openssh-client \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/siteshift /opt/siteshift
ENV PATH=/opt/siteshift/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --uid 65532 --create-home siteshift
USER 65532:65532
WORKDIR /home/siteshift
ENTRYPOINT ["siteshift"]
