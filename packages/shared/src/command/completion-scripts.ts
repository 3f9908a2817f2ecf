/** Scripts that a shell runs once. From then on it asks the command itself what may come next. */

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** @param program the command; its hidden command `__complete` answers the shell */
export function completionScript(shell: Shell, program: string): string {
  return SCRIPTS[shell].replaceAll('PROGRAM', program).trimEnd()
}

/** bash also splits words at colons, and replaces only the last part. So the line is split again here. */
const BASH = String.raw`
# PROGRAM completion bash: source it, or put it into ~/.local/share/bash-completion/completions/PROGRAM
_PROGRAM() {
  local line=${'$'}{COMP_LINE:0:COMP_POINT} words typed before word
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  typed=${'$'}{words[${'$'}{#words[@]} - 1]}
  before=${'$'}{typed%"${'$'}{COMP_WORDS[COMP_CWORD]}"}
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    case $word in
      :file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$typed") ;;
      :folder) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$typed") ;;
      *) COMPREPLY+=("${'$'}{word#"$before"}") ;;
    esac
  done < <("${'$'}{words[0]}" __complete -- "${'$'}{words[@]:1}" 2>/dev/null)
}
complete -F _PROGRAM PROGRAM
`

const ZSH = String.raw`
#compdef PROGRAM
# PROGRAM completion zsh: source it after compinit, or put it into a folder of $fpath as _PROGRAM
_PROGRAM() {
  local line word
  local -a found
  for line in "${'$'}{(@f)$(${'$'}{words[1]} __complete -- "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    word=${'$'}{line%%$'\t'*}
    case $word in
      '') ;;
      :file) _files ;;
      :folder) _files -/ ;;
      $line) found+=("${'$'}{word//:/\\:}") ;;
      *) found+=("${'$'}{word//:/\\:}:${'$'}{line#*$'\t'}") ;;
    esac
  done
  (( $#found )) && _describe PROGRAM found
}
if [[ ${'$'}{funcstack[1]} == _PROGRAM ]]; then _PROGRAM "$@"; else compdef _PROGRAM PROGRAM; fi
`

const FISH = `
# PROGRAM completion fish: source it, or put it into ~/.config/fish/completions/PROGRAM.fish
function __PROGRAM_complete
  set -l words (commandline -opc)
  set -l typed (commandline -ct)
  for line in ($words[1] __complete -- $words[2..-1] "$typed" 2>/dev/null)
    switch $line
      case :file :folder
        __fish_complete_path "$typed"
      case '*'
        echo $line
    end
  end
end
complete -c PROGRAM -f -a '(__PROGRAM_complete)'
`

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH }
