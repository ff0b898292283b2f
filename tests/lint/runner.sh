#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run-tests goes on behind a suite that hangs, says where it was, and leaves
# nothing of it; nor does it when it is stopped itself.  Tried with a tree of
# two suites, whose minutes are seconds.
: "${top_srcdir:=.}"
. "$top_srcdir/tests/lint/lib.sh"
need bash
need python3

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/tests"
cp "$top_srcdir/tests/packages.sh" "$tmp/tests"
cat >"$tmp/table" <<'EOF'
hang | waits for ever, with a child | python3 hang.py
good | does not | true
EOF
sed -e "/^suites='/r $tmp/table" -e "/^suites='/,/^'/{/ | /d}" \
	-e 's/sleep 60/sleep 1/; s/sleep 10/sleep 3/' \
	"$top_srcdir/run-tests" >"$tmp/run-tests"
cat >"$tmp/hang.py" <<'EOF'
import os, subprocess, time
child = subprocess.Popen(["sleep", "1000"])
with open("pids.new", "w") as out:
    print(os.getpid(), child.pid, file=out)
os.rename("pids.new", "pids")
time.sleep(1000)
EOF
: >"$tmp/configure.ac"
cat >"$tmp/configure" <<'EOF'
#!/bin/sh
echo all: >Makefile
: >config.status
EOF
chmod +x "$tmp/configure" "$tmp/run-tests"

# says FILE TEXT - or the lint fails
says() {
	grep -qF -- "$2" "$1" || die "no \"$2\" in: $(cat "$1")"
}

# One that ended may still be listed, until somebody asks for its status.
lives() {
	state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 1
	[ "${state:-Z}" != Z ]
}

# Nothing is left of the suite, after a while at most.
all_gone() {
	read -r parent child <"$tmp/pids"
	for pid in "$parent" "$child"; do
		tries=0
		while lives "$pid"; do
			tries=$((tries + 1))
			[ "$tries" -lt 100 ] || die "process $pid is left"
			sleep 0.1
		done
	done
	rm "$tmp/pids"
}

status=0
SUITE_MINUTES=10 "$tmp/run-tests" --no-install >"$tmp/out" 2>&1 || status=$?
[ "$status" = 1 ] || die "exit status $status: $(cat "$tmp/out")"
says "$tmp/out" 'hang: hangs, is stopped'
says "$tmp/out" 'hang.py", line'
says "$tmp/out" 'good: ok, 1 passed'
[ "$(tail -n 1 "$tmp/out")" = '1 passed, 1 failed' ] ||
	die "the last line: $(tail -n 1 "$tmp/out")"
all_gone

"$tmp/run-tests" --no-install hang >"$tmp/out" 2>&1 &
runner=$!
while [ ! -e "$tmp/pids" ]; do
	kill -0 "$runner" || die "it ended: $(cat "$tmp/out")"
	sleep 0.1
done
kill -TERM "$runner"
status=0
wait "$runner" || status=$?
[ "$status" = 130 ] || die "stopped: exit status $status: $(cat "$tmp/out")"
all_gone
echo "2 runs"
