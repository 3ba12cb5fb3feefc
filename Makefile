# make run     open the lab in the browser
# make test    lint, import contracts, types, tests (in a real browser too, where Chromium is installed)
# make sweep   every value where make test tries some, and the tests that take minutes: for a release
# make hall    as many servers as PROCESSES says behind one address, for a lecture hall (needs HAProxy)
# All make their own virtual environment; the second time they start at once.

PORT ?= 8501
ADDRESS ?= 127.0.0.1
WORKERS ?= 3
PROCESSES ?= $(shell nproc 2>/dev/null || echo 2)
PREFIX ?=
CERTIFICATE ?=
SERVERS ?=
VOTES ?=
ENOUGH = import sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$each" -c '$(ENOUGH)' 2>/dev/null && echo "$$each" && break; done)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test sweep hall clean

run: $(VENV)/run.stamp
	@$(BIN)/python requirements.py packages
	$(BIN)/python -m streamlit run app.py --server.address=$(ADDRESS) --server.port=$(PORT)

hall: $(VENV)/run.stamp
	@$(BIN)/python requirements.py packages
	$(BIN)/python -m deploy.hall --processes=$(PROCESSES) --address=$(ADDRESS) --port=$(PORT) \
		$(if $(PREFIX),--prefix=$(PREFIX)) $(if $(CERTIFICATE),--certificate=$(CERTIFICATE)) \
		$(if $(SERVERS),--servers=$(SERVERS)) $(if $(VOTES),--votes=$(VOTES))

test: export OMP_NUM_THREADS = 1
test: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/ty check
	$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile

sweep: export OMP_NUM_THREADS = 1
sweep: $(VENV)/test.stamp
	$(BIN)/python -m pytest -m sweep --numprocesses=$(WORKERS) --dist=loadfile

clean:
	rm -rf $(VENV)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Receptive needs Python 3.11 or newer, with its venv module."; exit 1; }
	@$(PYTHON) requirements.py platform
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python lacks its venv module: install python3-venv."; exit 1; }

$(VENV)/run.stamp: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --requirement requirements.txt
	@touch $@

$(VENV)/test.stamp: requirements.txt requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@ $(VENV)/run.stamp
