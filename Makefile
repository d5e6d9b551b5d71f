# make quickstart, make test: all that a fresh machine with Python 3.11 needs. The steps are in .dev/environment.sh.
# Variables: PYTHON=python3.12, VENV=folder, and those of pip and pytest (PIP_INDEX_URL, PYTEST_ADDOPTS).
.PHONY: help quickstart test environment

help:
	@echo "make quickstart   install into .venv, write 200 people to runs/quickstart, say where to look"
	@echo "make test         install into .venv with the development tools, run all tests"
	@echo "make environment  install into .venv with the development tools, no more"

quickstart test environment:
	@sh .dev/environment.sh $@
