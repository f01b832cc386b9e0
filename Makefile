# make: install from the lock file and run the default experiment.   make test: install and run the tests.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
INSTALLED := .venv/.installed

.PHONY: all install test check docs pull adopt record lock clean

all: $(INSTALLED)
	snakemake --cores all all

install: $(INSTALLED)

test: $(INSTALLED)
	pytest --numprocesses auto --maxprocesses 4 --dist loadgroup

# One environment serves all rules, so that the linter's wish for one per rule is the one message that is allowed.
check: $(INSTALLED)
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-cache
	snakefmt --check Snakefile workflow
	! snakemake --lint 2>&1 | grep -F '    * ' | grep -vF 'Specify a conda environment'

# The pages of docs/ and of the docstrings as a site: site/index.html. The variable silences a notice of the theme about its successor.
docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

# Get what others pushed, and let Snakemake accept it. adopt: the second half alone, after `dvc checkout` or `dvc exp apply`.
pull: $(INSTALLED)
	dvc pull
	python -m workflow.adopt

adopt: $(INSTALLED)
	python -m workflow.adopt

# Copy the figures of a finished experiment, small, to where Git holds them: make record EXPERIMENT=study
record: $(INSTALLED)
	python -m workflow.record $(EXPERIMENT)

$(INSTALLED): requirements.lock
	command -v $(UV) >/dev/null || { python3 -m venv .uv && .uv/bin/pip install --quiet uv; }
	$(UV) venv --quiet --allow-existing --python '>=3.11' .venv
	VIRTUAL_ENV="$(CURDIR)/.venv" $(UV) pip sync --compile-bytecode --require-hashes requirements.lock
	touch $@

lock:
	$(UV) pip compile pyproject.toml --all-extras --universal --generate-hashes --no-emit-index-url --quiet --output-file requirements.lock

clean:
	rm -rf .venv .uv
