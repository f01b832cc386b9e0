# make: install from the lock file and run the default experiment.   make test: install and run the tests.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
INSTALLED := .venv/.installed

.PHONY: all test check pull adopt lock clean

all: $(INSTALLED)
	snakemake --cores 1 all

test: $(INSTALLED)
	pytest --numprocesses auto --maxprocesses 4 --dist loadgroup

check: $(INSTALLED)
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check Snakefile workflow
	snakemake --lint

# What DVC shares, in a form that Snakemake knows; adopt: the same after `dvc checkout` or `dvc exp apply`.
pull: $(INSTALLED)
	dvc pull
	python -m workflow.adopt

adopt: $(INSTALLED)
	python -m workflow.adopt

$(INSTALLED): requirements.lock
	command -v $(UV) >/dev/null || { python3 -m venv .uv && .uv/bin/pip install --quiet uv; }
	$(UV) venv --quiet --allow-existing --python '>=3.11' .venv
	VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip sync --compile-bytecode --require-hashes requirements.lock
	touch $@

lock:
	$(UV) pip compile pyproject.toml --all-extras --universal --generate-hashes --no-emit-index-url --quiet --output-file requirements.lock

clean:
	rm -rf .venv .uv
