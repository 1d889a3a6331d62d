
# Words that are no options: values in any case; where there are none, bash completes files.
_ideogram_words() {
    local cur=${COMP_WORDS[COMP_CWORD]} found=() word reset
    if [[ $cur == -* ]]; then
        _ideogram "$@"
        return
    fi
    _ideogram "$1" "" "$3"
    reset=$(shopt -p nocasematch)
    shopt -s nocasematch
    for word in "${COMPREPLY[@]}"; do
        [[ $word != [-\<\[]* && $word == "$cur"* ]] && found+=("$word")
    done
    $reset
    COMPREPLY=("${found[@]}")
}
complete -F _ideogram_words -o bashdefault -o default ideogram
