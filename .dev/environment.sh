#!/bin/sh
# The steps of `make quickstart` and `make test`, for a machine with Python 3.11 or newer and nothing else of ours.
# POSIX sh, because it runs before a Python is chosen. Each step may be repeated: one that is done costs a moment.
#
#   PYTHON  the Python to use; default: the first on PATH that is new enough and has the venv module
#   VENV    folder of the environment; default: .venv
#   PIP_*   settings of pip, such as PIP_INDEX_URL; pip's own configuration files count too
set -eu
task=${1:-}
cd "$(dirname "$0")/.."
VENV=${VENV:-}
python=

fail() {
  printf '%s: %s\n' "$task" "$1" >&2
  exit 1
}

version_of() { "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2> /dev/null; }
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; }
has() { "$1" -c "import $2" 2> /dev/null; }

choose_python() {
  if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3 python3.13 python3.12 python3.11 python3.14 python; fi
  seen='' bare=''
  for candidate; do
    version=$(version_of "$candidate") || continue
    seen="$seen, $candidate is $version"
    is_new_enough "$candidate" || continue
    if has "$candidate" "venv, ensurepip"; then
      python=$candidate
      return
    fi
    bare=$candidate bare_version=$version
  done
  [ -z "$bare" ] || fail "$bare ($bare_version) has no venv module; install it (Debian, Ubuntu: sudo apt install python${bare_version%.*}-venv) and repeat"
  [ -n "$seen" ] || fail "${PYTHON:-python3} does not run; install Python 3.11 or newer (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python) and repeat"
  fail "Python 3.11 or newer is needed, and ${seen#, }; install a newer one (https://www.python.org/downloads) and repeat, with PYTHON=/path/to/python if it is not on PATH"
}

# An environment that is there and works is used, unless PYTHON asks for another version: that one gets its own.
choose_environment() {
  [ -w . ] || fail "$PWD is read-only; copy the checkout to a folder that you may write to, and repeat there"
  if [ -z "${PYTHON:-}" ] && is_new_enough "${VENV:-.venv}/bin/python"; then
    VENV=${VENV:-.venv}
    return
  fi
  choose_python
  [ -z "$VENV" ] || return 0
  VENV=.venv
  there=$(version_of .venv/bin/python) || return 0
  asked=$(version_of "$python")
  [ "${there%.*}" = "${asked%.*}" ] || VENV=.venv-${asked%.*}
}

make_environment() {
  if is_new_enough "$VENV/bin/python" && has "$VENV/bin/python" pip; then
    echo "[1/3] environment: $VENV is there (Python $(version_of "$VENV/bin/python"))"
    return
  fi
  [ -n "$python" ] || choose_python
  if [ -e "$VENV" ] && { [ ! -d "$VENV" ] || ! { [ ! -e "$VENV/bin/python" ] || is_new_enough "$VENV/bin/python"; }; }; then
    fail "$VENV is no environment of Python 3.11 or newer; delete it, or name another folder (VENV=folder), and repeat"
  fi
  echo "[1/3] environment: making $VENV with $python ($(version_of "$python"))"
  "$python" -m venv "$VENV" || fail "$python could not make $VENV, see above; delete the folder and repeat"
}

# What is installed is remembered with the digest of pyproject.toml and the checkout's place.
install_packages() { # WHAT, for example . or .[dev]
  stamp=$VENV/.installed wanted="$1 $(cksum < pyproject.toml) $PWD"
  if [ -f "$stamp" ] && { [ "$(cat "$stamp")" = "$wanted" ] || [ "$(cat "$stamp")" = ".[dev] ${wanted#* }" ]; }; then
    echo "[2/3] packages: installed already"
    return
  fi
  echo "[2/3] packages: pip install -e $1, some minutes the first time (pip's words: $VENV/pip.log)"
  # --prefer-binary: an older wheel rather than a newer source that needs a compiler.
  if ! PYTHONPATH='' "$VENV/bin/python" -m pip install --no-user --prefer-binary --progress-bar off -e "$1" > "$VENV/pip.log" 2>&1; then
    grep -m 2 "ERROR:" "$VENV/pip.log" >&2 || tail -n 3 "$VENV/pip.log" >&2
    if grep -qE 'No space left|Disk quota' "$VENV/pip.log"; then
      fail "the disk is full; about 1 GB is needed for $VENV"
    elif grep -qiE 'No matching distribution|connection|timed out|Could not fetch|SSL|proxy|name resolution' "$VENV/pip.log"; then
      fail "pip reached no package index that has what is needed; check the network, or set PIP_INDEX_URL or PIP_PROXY, and repeat (all of pip's words: $VENV/pip.log)"
    fi
    fail "pip failed, see above and $VENV/pip.log; if the environment is spoilt, delete $VENV and repeat"
  fi
  printf '%s\n' "$wanted" > "$stamp"
}

[ -n "$task" ] || fail "name a task: quickstart, test or environment"
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
choose_environment
make_environment
case $VENV in /*) bin=$VENV/bin ;; *) bin=$PWD/$VENV/bin ;; esac
case $task in
  quickstart)
    install_packages .
    echo "[3/3] run: personas generate configs/quickstart.yaml (200 people; the first time a model is fitted)"
    "$bin/python" -m census_personas generate configs/quickstart.yaml
    echo
    echo "Look at"
    echo "  runs/quickstart/report.html   the people beside the census, in a browser"
    echo "  runs/quickstart/personas/     the rows, as Parquet"
    echo "  runs/quickstart/README.md     the dataset card"
    echo "Go on with docs/tutorial/first-dataset.md; the command is $VENV/bin/personas"
    ;;
  test)
    install_packages ".[dev]"
    echo "[3/3] tests: pytest -n 2 (add words of your own by PYTEST_ADDOPTS)"
    unset OPENAI_API_KEY OPENAI_BASE_URL
    PATH=$bin:$PATH "$bin/python" -m pytest -n 2
    ;;
  environment)
    install_packages ".[dev]"
    echo "[3/3] ready: . $VENV/bin/activate"
    ;;
  *) fail "is no task; name quickstart, test or environment" ;;
esac
