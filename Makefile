# patternmind: `make demo` and `make test` do everything on a fresh machine with Python 3.11 and make.
PYTHON ?= python3.11
# Where pip gets torch: by default pip's own index. On Linux its plain build may bring several GB of CUDA packages;
# name PyTorch's CPU wheels here to avoid them, e.g. make setup TORCH_PIP="--index-url URL-OF-THE-CPU-WHEELS".
TORCH_PIP ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.locked
BENCH_VENV := .venv-bench
BENCH_STAMP := $(BENCH_VENV)/.locked
export HF_HUB_OFFLINE := 1

.PHONY: help setup browser pictures demo test check eval prove bench serve lock clean

help: ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 10

setup: $(STAMP) ## Make .venv with everything locked

# torch first, on its own line: it is not in the lock, because its builds differ from platform to platform.
$(STAMP): requirements/dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make setup needs $(PYTHON); name another with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH_PIP) torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## The whole line on the sample network; writes to demo/
	$(BIN)/patternmind demo --out demo

# The pages are tested in a real browser. As root on Debian it is installed; elsewhere the line says what is missing.
browser:
	@test -n "$(CHROMIUM)" || command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		apt-get update -qq && apt-get install -y -qq chromium; } || \
		{ echo "make test drives a real browser: install Debian's chromium, or name one: make test CHROMIUM=/path/to/it"; exit 1; }

test: setup browser ## Every test but the evals and the long proofs, two at a time (needs chromium: installed as root on Debian, else named by CHROMIUM=...)
	$(if $(CHROMIUM),CHROMIUM="$(CHROMIUM)") $(BIN)/python -m pytest -m "not prove and not evals" -n 2 --dist worksteal --durations=25

check: setup ## Format, lint, wording, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python tools/check_wording.py
	$(BIN)/pyright
	$(BIN)/lint-imports

pictures: setup browser ## A picture of every page, desktop and phone, light and dark, to reports/pictures
	$(if $(CHROMIUM),CHROMIUM="$(CHROMIUM)") PYTHONPATH=. $(BIN)/python -m tests.screenshots

eval: setup ## Quality against the baselines, and the tests of the eval command, which run it once
	$(BIN)/python -m pytest -m evals -s

prove: setup ## The long proofs: kills, sizes, full disks, the wheel elsewhere (about 30 minutes; CORPORA=folder for the real ones)
	PATTERNMIND_CORPORA="$(abspath $(or $(CORPORA),../shared/corpora))" $(BIN)/python -m pytest -m prove -v

# Its own venv: the peers bring what the product does not need, and nothing of them may reach .venv.
$(BENCH_STAMP): requirements/bench.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make bench needs $(PYTHON); name another with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check $(TORCH_PIP) torch==2.13.0
	$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/bench.txt
	$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

bench: $(BENCH_STAMP) ## Beside BERTopic and EVoC on the same vectors; writes docs/bench.md (hours; CORPORA=folder, BENCH="peers --only bills" for a part)
	$(BENCH_VENV)/bin/python -m bench $(or $(BENCH),all) --corpora "$(abspath $(or $(CORPORA),../shared/corpora))"

serve: setup ## The API on loopback
	$(BIN)/patternmind serve

lock: ## Rewrite the lock (needs uv)
	requirements/lock.sh

clean: ## Remove what the build and the demo made
	rm -rf $(VENV) $(BENCH_VENV) demo dist build reports
