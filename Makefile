# The front door: composes trees and calls what does the work. Start with `make help`.
BASE ?= 6.1
export BASE ARCH DEMO FULL
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make run              build the patched kernel, boot it, show the demonstration, run the selftests
## make run DEMO=name    that demonstration alone: memory, linux, snp, realm (ARCH=arm64)
## make check            everything: tools, native and kernel tests, debug kernel, peers' tests, static checks
## make check FULL=1     hours more: the models on debug kernels, the MMU's other half, and make bisect
## make test T=name      one test (or a glob) [DEBUG=1]          make shell    a prompt with the tests on board
## make bench            the benchmark
##
## make tree             unpack the base, apply the series: build/<base>/linux, branch series
## make export           patches and files from the tree, and files edited here into the tree
## make verify           patches and files agree? (seconds)      make stats    size of the series
## make apply TREE=path  apply the series to your own git tree
## make bisect           build every patch on x86-64 and arm64
## make deps             install missing packages
##
## BASE=6.1 chooses the base, ARCH=x86_64 or arm64 what run, test and shell are for (default: as this machine)
deps:
	@scripts/deps
tree: deps
	@scripts/tree
verify stats export: deps
	@scripts/$@
apply:
	@scripts/apply '$(TREE)'

run: deps
	@scripts/run
check: deps
	@scripts/check
test: tree
	@scripts/harness $(if $(DEBUG),--debug) '$(or $(T),$(error say which: make test T=name))'
shell: tree
	@scripts/harness $(if $(DEBUG),--debug) --shell
bisect: tree
	@scripts/bisect
bench: tree
	@[ -x scripts/bench ] || { echo 'There is no benchmark yet (scripts/bench).'; exit 1; }; scripts/bench

.PHONY: help deps tree export verify stats apply run check test shell bisect bench
