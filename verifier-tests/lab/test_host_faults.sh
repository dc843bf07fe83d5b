#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A fault of the host (a program killed, no memory, no process, no disk) is no verdict on a function: the build
# fails, says what failed, and writes nothing. In every step and flavour. Starts no xfn; attaches nothing.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "${XFN_BUILD:-build}")
xfn=$build/xfn
clang=$(command -v "${XFN_CLANG:-clang}")
bad=0
dir=$(mktemp -d) || exit 1
chmod 755 "$dir"
export XFN_RUNTIME_DIR="$dir/run"
trap 'rm -rf "$dir"' EXIT

result()
{
	if [ "$2" = 0 ]; then
		echo "[       OK ] host_faults_$1"
	else
		[ ! -s "$dir/out" ] || cat "$dir/out"
		echo "[  FAILED  ] host_faults_$1"
		bad=1
	fi
}

if [ ! -x "$xfn" ]; then
	echo "$xfn is not built; make all"
	echo "[  FAILED  ] host_faults"
	exit 1
fi

# as clang, but what stands in FAULT is done where the arguments have AT
cat >"$dir/clang" <<END
#!/bin/sh
case " \$* " in
*"\$AT"*) eval "\$FAULT" ;;
esac
exec "$clang" "\$@"
END
mkdir "$dir/bin"
for program in pkg-config llvm-objcopy; do
	printf '#!/bin/sh\nkill -KILL $$\n' >"$dir/bin/$program"
done
chmod 755 "$dir/clang" "$dir/bin"/*

# told NAME TEXT COMMAND...: exit status 1, TEXT somewhere, and nothing is written
told()
{
	name=$1 text=$2
	shift 2
	rm -f "$dir/made"
	timeout 60 "$@" >"$dir/out" 2>&1
	status=$?
	[ $status = 1 ] && grep -qF -e "$text" "$dir/out" && [ ! -e "$dir/made" ] || {
		echo "$*: status $status, wanted 1 and '$text':"
		false
	}
	result "$name" $?
}

# each run of the compiler, by words that only that one has
for step in native=-shared analyzer=--analyze tree=-ast-dump kernel='-target bpf' probe=-fsyntax-only; do
	told "${step%%=*}" "was ended by signal 11" \
		env XFN_CLANG="$dir/clang" AT="${step#*=}" FAULT='kill -SEGV $$' "$xfn" build -o "$dir/made" functions/echo.c
done
for flavour in --standalone --offload; do
	told "object$flavour" "was ended by signal 9" \
		env XFN_CLANG="$dir/clang" AT=settings.h FAULT='kill -KILL $$' "$xfn" build $flavour -o "$dir/made" functions/echo.c
done
told object_json '"cause": "host"' \
	env XFN_CLANG="$dir/clang" AT=settings.h FAULT='kill -KILL $$' "$xfn" build -j --offload -o "$dir/made" functions/echo.c
told explain_offload "was ended by signal 9" \
	env XFN_CLANG="$dir/clang" AT=settings.h FAULT='kill -KILL $$' "$xfn" explain --offload functions/echo.c
# in the compiler's own words
told no_memory "LLVM ERROR: out of memory" env XFN_CLANG="$dir/clang" AT='-target bpf' \
	FAULT='echo "LLVM ERROR: out of memory" >&2; exit 70' "$xfn" build -o "$dir/made" functions/echo.c
told linker "No space left on device" env XFN_CLANG="$dir/clang" AT=-shared \
	FAULT='echo "/usr/bin/ld: final link failed: No space left on device" >&2; exit 1' "$xfn" build -o "$dir/made" functions/echo.c
told pkg_config "pkg-config was ended by signal 9" env PATH="$dir/bin:$PATH" "$xfn" build -o "$dir/made" functions/sha256.c
told objcopy "llvm-objcopy was ended by signal 9" env PATH="$dir/bin:$PATH" "$xfn" build -o "$dir/made" functions/echo.c
# of a status that is no signal's, too
told driver "unable to execute command: Killed" env XFN_CLANG="$dir/clang" AT='-target bpf' \
	FAULT='echo "clang: error: unable to execute command: Killed" >&2; exit 254' "$xfn" build -o "$dir/made" functions/echo.c
# what the author's own words say is the author's
cat >"$dir/words.c" <<'END'
#include "xfn.h"
#error "No space left on device"
END
told authors_words "words.c:2" "$xfn" build -o "$dir/made" "$dir/words.c"

# a disk that is full: of each size at which another step is the one that fails. Nothing is left on it.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	for size in 4k 48k 100k 320k; do
		told "disk_$size" "No space left on device" unshare -m sh -c \
			"mkdir -p '$dir/disk' && mount -t tmpfs -o size=$size none '$dir/disk' && TMPDIR='$dir/disk' '$xfn' build -o '$dir/made' functions/echo.c; status=\$?; ls -A '$dir/disk' | grep . || exit \$status"
	done
else
	echo "[  SKIPPED ] host_faults_disk: wants root and a mount namespace"
fi
# no process, and too little memory for the compiler
as_user="setpriv --reuid 65533 --regid 65533 --clear-groups"
if [ "$(id -u)" = 0 ] && $as_user "$xfn" --version >/dev/null 2>&1; then
	told process "Resource temporarily unavailable" $as_user prlimit --nproc=1 "$xfn" build -o "$dir/made" functions/echo.c
else
	echo "[  SKIPPED ] host_faults_process: wants root, and that another user can run $xfn"
fi
exit $bad
