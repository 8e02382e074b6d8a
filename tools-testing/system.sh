#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Debian 13 with our packages, as an installed machine: boots by its own initrd to systemd's "running", is
# used, goes on in the same kernel by kexec, crashes, and saves a dump that drgn reads. With each of the two
# kernels of 'make deb'; compares what systemd's journal complains about. IMPL=rust or c: with one only.
# DURATION=seconds: how long each workload runs, 60 as it is.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/item.sh"
lock
begin_items
seconds=${DURATION:-60}
need_number DURATION "$seconds"
export CC=${CC:-gcc}
work=$build/system
base=$cache/roots/system
packages='systemd-sysv,dbus,udev,initramfs-tools,kmod,kexec-tools,util-linux-extra,make,gcc,libc6-dev,dpkg-dev,dkms'
packages+=',stress-ng,bpftrace,zstd,linux-perf/trixie-backports,lttng-modules-dkms/sid'
# What DKMS builds, a module of each package. Those of zfs 2.4.4 and dm-writeboost 2.2.19 do not compile for 7.3.
modules='lttng-tracer'

# A Debian 13 without a kernel, once.
make_base() {
	local suite sources=()
	! has_packages "$base" "$packages" || return 0
	"$here/setup.sh" mmdebstrap
	(
		for suite in trixie trixie-backports sid; do
			sources+=("$(source_of "$suite")")
		done
		sources+=("${sources[0]/deb/deb-src}")
		# shellcheck disable=SC2016 # Shells in the root expand them.
		unpack_root "$base" "trixie as a machine" --variant=apt --include="$packages" \
			--setup-hook='mkdir -p "$1/etc/apt/preferences.d" && printf "Package: *\nPin: release n=sid\nPin-Priority: 50\n" >"$1/etc/apt/preferences.d/sid"' \
			--customize-hook='chroot "$1" sh -c "mkdir -p /opt/smp/packages && cd /opt/smp/packages && apt-get download vim-tiny vim-common nano less"' \
			--customize-hook='chroot "$1" sh -c "cd /opt/smp && apt-get source --download-only lua5.4 && mkdir lua && tar xf lua5.4_*.orig.tar.* -C lua --strip-components=1"' \
			trixie "$base" "${sources[@]}"
		note_packages "$base" "$packages"
	)
}

# A root with both kernels and what runs at its boot, as an image. The rest comes by /dev/vdb.
make_image() {
	local root=$work/root version log=$logs/system-image.log
	as_root rm -rf "$root"
	mkdir -p "$work"
	as_root cp -a "$base" "$root"
	as_root cp "$build"/deb/linux-*.deb "$root/opt/smp/"
	as_root tee "$root/etc/fstab" <<<'/dev/vda / ext4 errors=remount-ro 0 1' >/dev/null
	as_root tee "$root/etc/machine-id" <<<'00000000000000000000000000000001' >/dev/null
	as_root tee "$root/opt/smp/modules" <<<"$modules" >/dev/null
	as_root tee "$root/etc/systemd/system/smp.service" <<-'END' >/dev/null
		[Unit]
		Description=Workloads of /dev/vdb
		[Service]
		Type=exec
		ExecStart=/bin/sh -c 'mkdir -p /run/smp && tar x -C /run/smp -f /dev/vdb && exec bash /run/smp/system.sh'
		[Install]
		WantedBy=multi-user.target
	END
	as_root ln -s ../smp.service "$root/etc/systemd/system/multi-user.target.wants/"
	# Packages configure themselves, DKMS builds its modules.
	inside "$root" sh -c 'apt-get install -y /opt/smp/linux-headers-*.deb /opt/smp/linux-image-*.deb && rm /opt/smp/linux-*.deb' >"$log" 2>&1 ||
		die "the packages do not install: $(grep -m1 -E '^E:|rror' "$log" || tail -n 1 "$log") (log: $(short "$log"))"
	for version in $(versions); do
		as_root cp "$root/boot/vmlinuz-$version" "$root/boot/initrd.img-$version" "$work/"
		inside "$root" dkms status -k "$version"
	done >"$work/dkms"
	as_root chown "$(id -u)" "$work"/vmlinuz-* "$work"/initrd.img-*
	rm -f "$work/root.ext4"
	as_root mke2fs -q -t ext4 -d "$root" "$work/root.ext4" 12G
	as_root chown "$(id -u)" "$work/root.ext4"
	as_root rm -rf "$root"
	du -h "$work/root.ext4" | cut -f1
}

# The kernels of the packages.
versions() {
	find "$build/deb" -name 'linux-image-*.deb' -exec dpkg-deb -f {} Package \; | sed 's/^linux-image-//' | sort -r
}

# DKMS has built its modules for both kernels. usage: built_by_dkms
built_by_dkms() {
	local version n
	for version in $(versions); do
		n=$(grep -c ", $version, .*: installed" "$work/dkms" || true)
		[ "$n" = "$(wc -w <<<"$modules")" ] || die "$n of $(wc -w <<<"$modules") for $version (log: build/logs/system-image.log)"
	done
	echo "$modules, for $(versions | paste -sd' ')"
}

# usage: run_system VERSION RESULTS
run_system() {
	local version=$1 found=$2 log=$logs/system-$1.log machine
	read -ra machine <<<"$(machine_options rust 4 tcg | tr '\n' ' ')"
	tar c -C "$here/guest" system.sh common.sh >"$work/scripts.tar"
	rm -f "$work/dump" "$found"
	truncate -s 2G "$work/dump"
	with_progress "$log" SYSTEM "$version" timeout $((1800 + 16 * seconds)) \
		qemu-system-x86_64 "${machine[@]}" -smp 4 -m 2G -display none -nodefaults -no-reboot \
		-kernel "$work/vmlinuz-$version" -initrd "$work/initrd.img-$version" \
		-append "root=/dev/vda ro console=ttyS0 $tcg_boot $delay_boot panic=5 crashkernel=384M smp_seconds=$seconds smp_boot=first" \
		-drive "file=$work/root.ext4,format=raw,if=virtio,snapshot=on" \
		-drive "file=$work/scripts.tar,format=raw,if=virtio,readonly=on" \
		-drive "file=$work/dump,format=raw,if=virtio" \
		-serial stdio -serial "file:$found" -device virtio-rng-pci ||
		die "$version: status $?, its last line: $(last_line "$log") (log: $(short "$log"))"
	grep -q 'save the dump' "$found" ||
		die "$version: the guest ended early; its last line: $(last_line "$log") (log: $(short "$log"))"
}

# Tells what the guest has found, an item each. usage: tell VERDICT TEXT
tell() {
	echo "$2"
	[ "$1" = ok ]
}

# drgn reads the dump. usage: read_dump KERNEL
read_dump() {
	local out
	out=$("$cache/venv/bin/drgn" --quiet -c "$work/dump" -s "$build/$1/vmlinux" "$top/smptop/pending.py")
	echo "$out"
	grep -q '^[0-9]* entries in queues' <<<"$out"
}

export LSMOD=${LSMOD:-$here/configs/system.modules}
item_live "system: packages" "$here/deb.sh"
[ "$item_rc" != 0 ] || item_live "system: Debian without a kernel" make_base
[ "$item_rc" != 0 ] || item "system: image" make_image
[ "$item_rc" = 0 ] || end_items
item "system: modules of DKMS" built_by_dkms
for version in $(versions); do
	impl=${version##*-}
	[ "${IMPL:-$impl}" = "$impl" ] || continue
	item_live "system $impl: the guest" run_system "$version" "$work/$impl.tsv"
	while IFS=$'\t' read -r verdict name text; do
		[ "$verdict" = error ] || item "system $impl: $name" tell "$verdict" "$text"
	done < <(tr -d '\r' <"$work/$impl.tsv")
	item "system $impl: drgn reads the dump" read_dump "$(CONFIG=debian IMPL=$impl kernel_name)"
done

# What the journal of the Rust kernel complains about and that of the C kernel does not.
more_errors() {
	local impl more
	for impl in rust c; do
		[ -e "$work/$impl.tsv" ] || die "there is no run of $impl"
		sed -n 's/\r//; s/^error\tjournal\t//p' "$work/$impl.tsv" | sed -E 's/[0-9a-f]{2}:[0-9a-f.:]+|[0-9]+/N/g' | sort -u >"$work/$impl.errors"
	done
	more=$(comm -23 "$work/rust.errors" "$work/c.errors")
	[ -z "$more" ] || die "the journal has with Rust only: $(sed -n 1p <<<"$more")"
	echo "$(wc -l <"$work/rust.errors") lines with Rust, $(wc -l <"$work/c.errors") with C, none with Rust only"
}
[ -n "${IMPL:-}" ] || item "system: errors in the journal" more_errors
end_items
