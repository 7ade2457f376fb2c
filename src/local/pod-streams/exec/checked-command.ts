/**
 * A command that says what is wrong, as a container runtime does, where its program is not there or cannot be run: what
 * stands around it in a pod with namespaces of its own would speak of itself. Source: runc, and the exit codes of POSIX
 * shells.
 */

type Command = readonly [string, ...string[]];

/** In the container's own view of files; the path of the search is its own, too. */
const SCRIPT = `refuse() { printf 'exec: "%s": %s\\n' "$1" "$2" >&2; exit "$3"; }
case $1 in
*/*) [ -e "$1" ] || refuse "$1" "stat $1: no such file or directory" 127
  [ -f "$1" ] && [ -x "$1" ] || refuse "$1" 'permission denied' 126;;
*) found=
  IFS=:
  for folder in $PATH; do [ -f "$folder/$1" ] && [ -x "$folder/$1" ] && found=yes; done
  unset IFS
  [ "$found" ] || refuse "$1" 'executable file not found in $PATH' 127
  unset found folder;;
esac
exec "$@"`;

/** @returns what to start instead: it becomes the command's own process */
export function checkedCommand(command: Command): Command {
  return ["/bin/sh", "-c", SCRIPT, "exec", ...command];
}
