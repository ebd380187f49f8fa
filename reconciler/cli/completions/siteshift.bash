# Completion of siteshift for bash. The program itself says what may follow; where it says nothing, files do.
_siteshift() {
  local IFS=$'\n'
  COMPREPLY=($(siteshift completion --words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _siteshift siteshift
