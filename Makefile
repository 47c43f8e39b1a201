# The developers' commands; `make` prints them. All of them work from a clean clone.
.DEFAULT_GOAL := help
.PHONY: help check fix test bench interoperability faults seed migrate schema docs
TOOL := ./radi tool
T ?=

help: ## print this
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-17s %s\n' "$$name" "$$text"; done

check: ## lint, format, types, import contracts, and what others wrote
	$(TOOL) ruff check
	$(TOOL) ruff format --check
	$(TOOL) pyright
	$(TOOL) lint-imports
	sh .ci/dependencies

fix: ## mend what lint and format can mend
	$(TOOL) ruff check --fix
	$(TOOL) ruff format

test: ## all tests, or `make test T=tests/kit`
	./radi test $(T)

bench: ## storing and reading beside the peer; needs Orthanc and DCMTK (see bench/)
	$(TOOL) python -m bench $(T)

interoperability: ## the tests with peers of others, and the table of what passed
	./radi test -m peer --interoperability=docs/conformance/interoperability.md $(T)

faults: ## the long campaigns: crashes, full disks, malformed input, bad peers
	RADI_TEST_CAMPAIGN=whole ./radi test -m slow $(T)

seed: ## sample studies into a running service
	$(TOOL) python -m radiology.demo $(T)

migrate: ## bring the database to the newest revision
	./radi migrate

schema: ## write src/radiology/migrations/schema.sql from the revisions
	@mkdir -p .radi
	$(TOOL) radi schema > .radi/schema.sql && mv .radi/schema.sql src/radiology/migrations/schema.sql

docs: ## write the documents that are generated from the code
	@mkdir -p .radi
	$(TOOL) radi settings --markdown > .radi/settings.md && mv .radi/settings.md docs/settings.md
	$(TOOL) python -m radiology.documents docs
