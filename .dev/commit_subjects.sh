#!/bin/sh
# Warn about commit subjects that are longer than 72 characters or have no scope, as CONTRIBUTING.md asks. Never fails.
#
#   sh .dev/commit_subjects.sh           the last 20 commits
#   sh .dev/commit_subjects.sh FILE      the message in a file, as the hook commit-msg is called
set -u
if [ $# -gt 0 ]; then
  head -n 1 -- "$1"
else
  git log --no-merges -n 20 --format=%s 2> /dev/null
fi | while IFS= read -r subject; do
  case $subject in Merge\ * | Revert\ * | fixup!* | squash!*) continue ;; esac
  length=$(printf '%s' "$subject" | LC_ALL=C.UTF-8 wc -m)
  [ "$length" -le 72 ] || echo "warning: commit subject has $((length)) characters, at most 72 are read in full: $subject"
  printf '%s\n' "$subject" | grep -qE '^[a-z0-9_./, -]+: [^ ]' ||
    echo "warning: commit subject has no scope; write it like 'llm: bound the bytes of an answer': $subject"
done
exit 0
