# The image of a server. `docker build --target worker .` makes that of a worker, which needs git.
# Steps: the programs of requirements/base.lock, by hash; this folder; then both without what built them.

FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /opt/signalbox
COPY requirements/base.lock requirements/base.lock
RUN /opt/signalbox/bin/python -m pip install --quiet --no-cache-dir --no-deps --require-hashes -r requirements/base.lock
COPY . .
RUN /opt/signalbox/bin/python -m pip install --quiet --no-cache-dir --no-deps .
RUN /opt/signalbox/bin/python -m compileall -q /opt/signalbox/lib

FROM python:3.11-slim AS base
RUN useradd --system --uid 10001 --home-dir /data --no-create-home signalbox && install -d -m 700 -o 10001 -g 10001 /data
COPY --from=build /opt/signalbox /opt/signalbox
ENV PATH=/opt/signalbox/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 LOG_FORMAT=json
WORKDIR /data
VOLUME /data
USER 10001

FROM base AS worker
USER root
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends git && rm -rf /var/lib/apt/lists/*
USER 10001
ENTRYPOINT ["signalbox", "worker"]

FROM base AS server
ENV HOST=0.0.0.0 PORT=8000 DATABASE_URL=sqlite:////data/signalbox.sqlite3
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "import os, urllib.request as request; request.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/livez\", timeout=4)"]
ENTRYPOINT ["signalbox"]
CMD ["serve", "--migrate"]
