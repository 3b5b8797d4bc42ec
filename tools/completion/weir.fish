# SPDX-License-Identifier: MIT
# Completion of the command weir for fish, by what the completion for bash says.
set -g __weir_bash (path resolve (status dirname)/../../bash-completion/completions/weir)
function __weir_complete
    bash $__weir_bash (commandline -opc) (commandline -ct) | string match -v ''
end
complete -c weir -f -a '(__weir_complete)'
