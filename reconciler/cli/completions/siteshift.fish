# Completion of siteshift for fish. The program itself says what may follow; files are offered as well.
function __siteshift_complete
  set -l words (commandline -opc) (commandline -ct)
  siteshift completion --words $words[2..-1] 2>/dev/null
end
complete -c siteshift -a '(__siteshift_complete)'
