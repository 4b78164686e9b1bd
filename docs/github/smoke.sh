#!/bin/bash
# Runs each Python file that changed since a revision in the sandbox, without arguments or input.
# usage: smoke.sh REV
# A script fails by what the sandbox or the policy stops (exit 122 to 126, 137), or by an exception (1), not by asking
# for arguments (2). Exit code: 0 all passed, 1 one failed, 2 git cannot tell what changed.
set -u -o pipefail
changed=$(mktemp) || exit 2
trap 'rm -f -- "$changed"' EXIT
git -c core.fsmonitor=false -c core.hooksPath=/dev/null diff-tree -r -z --no-renames --name-only --diff-filter=d \
    --end-of-options "$(git merge-base "$1" HEAD)" HEAD -- '*.py' > "$changed" || exit 2
# What a script prints is no command to the runner, which would take it for one.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n') || exit 2
[ -z "${GITHUB_ACTIONS:-}" ] || printf '::stop-commands::%s\n' "$token"
code=0
while IFS= read -r -d '' file; do
    # A link could lead out of the repository.
    [ -f "$file" ] && [ ! -L "$file" ] || continue
    printf 'smoke: %q\n' "$file"
    saferunctl run --timeout 10s "./$file" < /dev/null
    status=$?
    case $status in 0 | 2) ;; *) printf 'smoke: %q ended with %d\n' "$file" "$status"; code=1 ;; esac
done < "$changed"
[ -z "${GITHUB_ACTIONS:-}" ] || printf '\n::%s::\n' "$token"
exit $code
