# make demo    install, then let a portrait speak: the first thing to try
# make test    install, then run the tests
# Nothing is needed but Python 3.10+, make and a package index. PYTHON=python3.12 chooses another Python.

PYTHON ?= python3
IMAGE  ?= $(firstword $(sort $(wildcard echotorrent_core/assets/portraits/*.png)))
AUDIO  ?= echotorrent_core/assets/speech/introduction.flac
JOBS   ?= 2

RUN := .venv/.installed-run
DEV := .venv/.installed-dev
BIN := .venv/bin

.PHONY: demo test lint bench clean

demo: $(RUN)
	@mkdir -p out && rm -rf out/demo.mp4.run  # left behind when the last demo was killed
	$(BIN)/echotorrent generate --image $(IMAGE) --audio $(AUDIO) -o out/demo.mp4
	@echo "The video is at $(CURDIR)/out/demo.mp4"

test: $(DEV)
	$(BIN)/python -m pytest -q -n $(JOBS) $(ARGS)

lint: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(DEV)
	@mkdir -p out/bench
	@set -e; for script in $(filter-out %/common.py,$(wildcard benchmarks/*.py)); do \
		echo "== $$script"; \
		$(BIN)/python $$script --json out/bench/$$(basename $$script .py).json; \
	done

# What the commands above made, except the videos: out/ is yours.
clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): pyproject.toml tools/install.py
	@$(PYTHON) tools/install.py

$(DEV): pyproject.toml tools/install.py
	@$(PYTHON) tools/install.py dev train peers
