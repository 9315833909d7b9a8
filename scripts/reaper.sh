# Runs a command as the first process of a PID namespace has to: orphans become its children, and it must bury them, or whoever
# waits for the end of one waits for ever. Passes on the signals that end it.
#   reaper.sh COMMAND...
"$@" &
pid=$!
trap 'kill -TERM "$pid"' HUP INT TERM
while :; do
  wait "$pid"
  code=$?
  kill -0 "$pid" 2>/dev/null || exit "$code"
done
