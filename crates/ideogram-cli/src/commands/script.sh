#!/usr/bin/env bash
# Saves an image of a prompt, and handles each exit code.
prompt=$1
wait=${WAIT_SECONDS:-30}
for attempt in 1 2 3; do
    paths=$(ideogram generate "$prompt" --jq '.images[] | .path // empty')
    code=$?
    case $code in
    0) break ;;
    11) break ;; # some images are saved, and the others are listed
    8 | 9) sleep "$wait" ;; # nothing is billed, and it may work later
    10 | 12 | 17 | 18) # it is billed, or may be: never send it again unseen
        echo "check \`ideogram usage\` and the messages above" >&2
        exit "$code"
        ;;
    *) exit "$code" ;; # the same command would fail again
    esac
done
printf '%s\n' "$paths"
exit "$code"
