#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Writes verifier-tests/logs/KERNEL/RULE.SOURCE.log anew: what the verifiers of the running kernel, and of
# Debian's 6.1 and 6.12 under QEMU, say of the sources in verifier-tests/logs/list. Wants root, for the first.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${XFN_BUILD:-build}
logs=verifier-tests/logs
limit=300 # seconds, for a machine that hangs
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP
flags() { cc -E -dM tools/compiler/compiler_flags.h | sed -n "s/^#define XFN_FLAGS_$1 //p" | tr -d '",'; }
rows() { grep -v '^#' $logs/list; }

mkdir -p "$dir/root/bin" "$dir/root/dev" "$dir/root/objects"
rows | while read -r _ source _; do
	# shellcheck disable=SC2046
	clang $(flags BPF) $(flags BOTH) -funroll-loops -include xdp/function_bpf.h -Ifunctions -c "verifier-tests/sources/$source.c" \
		-o "$dir/root/objects/$source.o" || exit 1
done || exit 1

# keep KERNEL FILE: the logs in what a kernel printed
keep()
{
	rm -rf "${logs:?}/$1"
	mkdir -p "$logs/$1"
	rows | while read -r rule source _; do
		tr -d '\r' <"$2" | sed -n "/^LOG-BEGIN $source\$/,/^LOG-END $source\$/p" | sed '1d;$d' >"$logs/$1/$rule.$source.log"
		[ -s "$logs/$1/$rule.$source.log" ] || { echo "$1: nothing said of $source"; exit 1; }
	done || exit 1
	echo "$1: $(find "$logs/$1" -name '*.log' | wc -l) logs"
}

"$build/tests/write_logs" "$dir"/root/objects/*.o >"$dir/here" || exit 1
keep "$(uname -r | cut -d. -f1,2)" "$dir/here" || exit 1

verifier-tests/kernels/kernels.sh obtain || exit 1
cp "$(command -v busybox)" "$dir/root/bin/busybox"
cp "$build/tests/write_logs" "$dir/root/bin/"
ldd "$build/tests/write_logs" | sed -n 's/.*[ \t]\(\/[^ ]*\) (0x.*/\1/p' |
	while read -r file; do mkdir -p "$dir/root${file%/*}" && cp -L "$file" "$dir/root$file"; done
cat >"$dir/root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs devtmpfs /dev
exec </dev/ttyS0 >/dev/ttyS0 2>&1
write_logs /objects/*.o
echo LOGS-END
/bin/busybox poweroff -f
INIT
chmod 755 "$dir/root/init"
(cd "$dir/root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$dir/cpio"
for version in 6.1 6.12; do
	timeout $limit qemu-system-x86_64 -accel tcg,thread=single -machine q35 -cpu max -smp 1 -m 1024 \
		-nodefaults -no-user-config -display none -no-reboot -serial "file:$dir/$version" \
		-kernel "$build/kernels/$version/vmlinuz" -initrd "$dir/cpio" -append "console=ttyS0 quiet panic=-1" </dev/null
	grep -aq '^LOGS-END' "$dir/$version" || { tail -n 20 "$dir/$version"; echo "$version: no LOGS-END within $limit s"; exit 1; }
	keep $version "$dir/$version" || exit 1
done
