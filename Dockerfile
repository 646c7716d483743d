# Two stages: the first builds the environment from the lock, the second only runs it.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements/run.txt requirements/run.txt
# Point this at PyTorch's CPU wheels to keep the image small: --build-arg TORCH_PIP="--index-url ..."
ARG TORCH_PIP=""
RUN python -m venv /opt/patternmind \
 && /opt/patternmind/bin/pip install --no-cache-dir ${TORCH_PIP} torch==2.13.0 \
 && /opt/patternmind/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY prompts prompts
COPY evals evals
RUN /opt/patternmind/bin/pip wheel --no-cache-dir --no-deps --wheel-dir dist . \
 && /opt/patternmind/bin/pip install --no-cache-dir --no-deps dist/*.whl

FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --uid 10001 patternmind \
 && install -d -o patternmind /data
COPY --from=build /opt/patternmind /opt/patternmind
ENV PATH=/opt/patternmind/bin:$PATH PATTERNMIND_HOME=/data HF_HUB_OFFLINE=1
USER patternmind
VOLUME /data
EXPOSE 8765
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8765/healthz', timeout=4)"]
# Listening beyond loopback needs a token: docker run ... patternmind token create NAME
CMD ["patternmind", "serve", "--host", "0.0.0.0", "--port", "8765"]
