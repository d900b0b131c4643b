# make demo   a first run, from a fresh clone          make test   everything the tests need, then all tests
# make lint   ruff and basedpyright                    make clean  what a run or a build left here
# make docs   the documentation as a site, build/site
# make bench  the benchmark, its short form            make bench-full  all of it; stopped, it goes on
# make image  docker/Dockerfile executed by chroot, and a run by each engine in it; as root
# make nwchem-7.2  NWChem 7.2.3 of Debian 13 in build/, and the tests that compare with NWChem on it; as root

VENV := .venv
# Test processes side by side, one a core; no test measures time by the clock.
JOBS ?= auto
INSTALLED_FROM := pyproject.toml constraints.txt docker/install.sh

# The benchmark's decks, each with the steps made of it: all of it, its short form, and how cost grows.
DECKS := benchmarks/decks
BENCH_FULL := $(DECKS)/lithium_hydride.nw examples/water.nw $(DECKS)/ammonia.nw $(DECKS)/water_cation.nw:1000 \
    $(DECKS)/water_pulse.nw:1500 $(DECKS)/water_pump_probe.nw:1500 examples/ethanol.nw:500 \
    examples/benzene.nw:200 $(DECKS)/malonaldehyde.nw:300
BENCH_SHORT := $(DECKS)/lithium_hydride.nw:300 examples/water.nw:300 $(DECKS)/ammonia.nw:300 \
    $(DECKS)/water_cation.nw:200 $(DECKS)/water_pulse.nw:1000 $(DECKS)/water_pump_probe.nw:1150 \
    examples/ethanol.nw:30
BENCH_SIZES := $(foreach size,naphthalene anthracene tetracene pentacene,$(DECKS)/acenes/$(size).nw:200) \
    $(DECKS)/acenes/heptacene.nw:20

# Tests that compare with NWChem and end within minutes.
TESTS_NWCHEM := tests/nwchem_7_2 tests/adapters/deck/test_xc.py tests/adapters/rtdb tests/adapters/log \
    tests/adapters/nwchem tests/runs/test_against_nwchem.py tests/runs/test_restart_by_name.py

.PHONY: help demo test lint docs image nwchem-7.2 clean bench bench-full
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
	$(VENV)/bin/python -m pytest -n $(JOBS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/basedpyright

# Strict: a dead link is an error.
docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --quiet
	@echo "site: $(CURDIR)/build/site/index.html"

image:
	docker/execute.sh

nwchem-7.2: $(VENV)/installed-test
	docker/nwchem_7.2.sh build/nwchem-7.2
	PATH=$(CURDIR)/build/nwchem-7.2:$$PATH NWCHEM_7_2=1 $(VENV)/bin/python -m pytest $(TESTS_NWCHEM)

bench: $(VENV)/installed-test
	$(VENV)/bin/hybrid-bench $(BENCH_SHORT) --repeats 1 --timed-steps 5 --tolerances 1e-3,1e-2 \
	    --baselines dmd,esprit,pade,linear-response --work bench/short --output bench/short/benchmark

bench-full: $(VENV)/installed-test
	$(VENV)/bin/hybrid-bench $(BENCH_FULL)
	$(VENV)/bin/hybrid-bench --scaling examples/water.nw:200 examples/ethanol.nw:200 examples/benzene.nw:200 \
	    $(BENCH_SIZES) --timed-steps 4 --tolerances 1e-3 --work bench/sizes --output bench/scaling

clean:
	rm -rf demo build dist .pytest_cache .ruff_cache .hypothesis

$(VENV)/installed: $(INSTALLED_FROM)
	@VENV=$(VENV) docker/install.sh python
	@touch $@

$(VENV)/installed-test: $(INSTALLED_FROM)
	@VENV=$(VENV) docker/install.sh test
	@touch $@ $(VENV)/installed

$(VENV)/installed-docs: $(INSTALLED_FROM)
	@VENV=$(VENV) docker/install.sh docs
	@touch $@ $(VENV)/installed
