# make demo   a first run, from a fresh clone          make test   everything the tests need, then all tests
# make lint   ruff and basedpyright                    make clean  what a run or a build left here

# Linear algebra in this project is many small matrices: threads only slow it down.
export OMP_NUM_THREADS := 1
VENV := .venv
# Test processes side by side; no test measures time by the clock.
JOBS ?= 2
INSTALLED_FROM := pyproject.toml constraints.txt docker/install.sh

.PHONY: help demo test lint clean
help:
	@sed -n 's/^# make/make/p' Makefile

demo: $(VENV)/installed
	@mkdir -p demo
	@cd demo && ../$(VENV)/bin/hybrid-propagate ../examples/water.nw --report > water.log
	@echo "log: $(CURDIR)/demo/water.log"
	@echo "plot: $(CURDIR)/demo/water.png"
	@echo "report: $(CURDIR)/demo/water.html"

test: $(VENV)/installed-test
	@docker/install.sh nwchem chromium
	$(VENV)/bin/python -m pytest -n $(JOBS) --dist loadfile

lint: $(VENV)/installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/basedpyright

clean:
	rm -rf demo build dist .pytest_cache .ruff_cache .hypothesis

$(VENV)/installed: $(INSTALLED_FROM)
	@VENV=$(VENV) docker/install.sh python
	@touch $@

$(VENV)/installed-test: $(INSTALLED_FROM)
	@VENV=$(VENV) docker/install.sh test
	@touch $@ $(VENV)/installed
