# Helpers of the CLI tests; each script begins with `. "$LIB"`. The folder is empty and its own.

# Shows the command, what it prints and, unless it is 0, its exit status.
nibble() {
  echo "\$ nibble $*"
  "$NIBBLE" "$@" || echo "[status $?]"
}

# The same for a command that must fail: nothing of it may stay in the folder.
refuses() {
  local before after
  before=$(find . | sort)
  nibble "$@"
  after=$(find . | sort)
  [ "$before" = "$after" ] || diff <(echo "$before") <(echo "$after") | sed -n 's/^> /left behind: /p'
}

# A copy of the bundled model that may be changed; files are links until something replaces them.
copy_model() {
  mkdir "$1"
  ln -s "$ASSETS"/lab-7m/* "$1"/
}

# own FILE: replaces a link by what it points to.
own() { [ ! -L "$1" ] || cp --remove-destination "$(readlink -f "$1")" "$1"; }

# edit_json FILE 'PYTHON STATEMENT ON d'
edit_json() {
  own "$1"
  python3 -c 'import json, sys
path, statement = sys.argv[1:]
d = json.load(open(path))
exec(statement)
json.dump(d, open(path, "w"))' "$1" "$2"
}

# patch FILE OFFSET HEX: overwrites bytes.
patch() {
  own "$1"
  python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    f.write(bytes.fromhex(sys.argv[3]))' "$1" "$2" "$3"
}

# wait_for_bytes FILE BYTES PID: until the file has more than so many bytes, or the process ended.
wait_for_bytes() {
  for _ in $(seq 3000); do
    [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt "$2" ] && return
    kill -0 "$3" 2>/dev/null || return
    sleep 0.01
  done
}

skip() {
  echo "$*"
  exit 77
}
