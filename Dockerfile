# Two small images from one base, each with what its variant runs and nothing else:
#
#     docker build --target handwritten .      docker build --target kopf .
#
# For the classic builder as well as BuildKit. What changes rarely comes first, so a change of the code reuses the
# packages. Everything is compiled here, because the containers run on a read-only root file system; unchecked-hash
# means that the .pyc files are taken without a look at their sources.

# ---------------------------------------------------------------------------------------------- both
FROM python:3.11-slim AS base
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# With a passwd entry, since libraries look up the home folder; by number, since runAsNonRoot cannot see names.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin twinloop
WORKDIR /app
EXPOSE 8080 8081
LABEL org.opencontainers.image.licenses="Apache-2.0"

# ------------------------------------------------------------------------------------------ packages
# Trimmed of what is never run: tests, and kubernetes.aio, an asynchronous copy of the whole client.
FROM base AS packages-handwritten
COPY requirements/handwritten.txt /tmp/requirements.txt
RUN python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --no-cache-dir --no-compile --requirement /tmp/requirements.txt \
 && rm -rf /venv/lib/python3*/site-packages/kubernetes/aio \
 && find /venv -depth \( -name tests -o -name '*_test.py' -o -name '*.pyi' \) -exec rm -rf {} + \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv/lib \
 && python -c 'import click, kubernetes.client, kubernetes.config, prometheus_client'

FROM base AS packages-kopf
COPY requirements/kopf.txt /tmp/requirements.txt
RUN python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --no-cache-dir --no-compile --requirement /tmp/requirements.txt \
 && rm -rf /venv/lib/python3*/site-packages/kubernetes/aio \
 && find /venv -depth \( -name tests -o -name '*_test.py' -o -name '*.pyi' \) -exec rm -rf {} + \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv/lib \
 && python -c 'import kopf.cli, kubernetes.client, kubernetes.config, prometheus_client'

# --------------------------------------------------------------------------------------- handwritten
FROM base AS handwritten
LABEL org.opencontainers.image.title="twinloop-handwritten" \
      org.opencontainers.image.description="NginxPods on a handwritten informer, indexer and rate-limited workqueue"
COPY --from=packages-handwritten /venv /venv
COPY twinloop /app/twinloop
COPY handwritten /app/handwritten
RUN python -m compileall -q --invalidation-mode unchecked-hash /app
USER 10001:10001
ENTRYPOINT ["python", "-m", "handwritten"]

# ---------------------------------------------------------------------------------------------- kopf
# /app/operator is a folder of scripts and no package, so the standard library's operator stays what it is.
FROM base AS kopf
LABEL org.opencontainers.image.title="twinloop-kopf" \
      org.opencontainers.image.description="NginxPods on kopf"
COPY --from=packages-kopf /venv /venv
COPY twinloop /app/twinloop
COPY operator /app/operator
RUN python -m compileall -q --invalidation-mode unchecked-hash /app
USER 10001:10001
ENTRYPOINT ["kopf", "run", "--standalone", "--log-format", "json", "--liveness=http://0.0.0.0:8081/healthz", \
            "/app/operator/nginxpod.py"]
