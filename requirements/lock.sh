#!/usr/bin/env bash
# Rewrites run.txt, dev.txt and bench.txt: every dependency with its hashes, torch left out (it is installed first, on its own line).
# Needs uv (pip install uv). Run from the repository's root: requirements/lock.sh
set -euo pipefail
override=$(mktemp); trap 'rm -f "$override"' EXIT
echo "torch==2.13.0 ; sys_platform == 'none'" > "$override"
common=(--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --override "$override")
uv pip compile pyproject.toml requirements/torch.in "${common[@]}" --no-emit-package torch -o requirements/run.txt
echo "typer>=0.29" >> "$override"  # openapi-python-client's own bound is below ours; its generator, all that is used of it, runs with both
uv pip compile pyproject.toml requirements/torch.in "${common[@]}" --no-emit-package torch --group dev \
    --constraint requirements/run.txt -o requirements/dev.txt
echo "transformers>=5" >> "$override"  # Toponymy's own bound is below ours; its clusterer, all that is measured of it, runs with both
uv pip compile pyproject.toml requirements/torch.in requirements/bench.in "${common[@]}" --no-emit-package torch --extra bench \
    --constraint requirements/dev.txt -o requirements/bench.txt
