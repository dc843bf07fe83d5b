/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Maps that kernel programs share by name: the loader gives every program the dispatcher's maps. A
 * program names the ones that it uses by XFN_MAP_* macros, so that an object holds no more maps
 * than it needs. Must never hold code.
 */
#ifndef XFN_MAPS_H
#define XFN_MAPS_H

#include "abi.h"
#include "reason.h"

#define XFN_SHARED_MAP(name, kind, entries, key_t, value_t)                                        \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(max_entries, entries);                                                      \
		__type(key, key_t);                                                                \
		__type(value, value_t);                                                            \
	} name SEC(".maps")

#define XFN_MAP_SLOTS XFN_SHARED_MAP(xfn_slots, BPF_MAP_TYPE_PROG_ARRAY, XFN_SLOTS, __u32, __u32)
#define XFN_MAP_PORTS XFN_SHARED_MAP(xfn_ports, BPF_MAP_TYPE_ARRAY, XFN_PORTS, __u32, __u32)
#define XFN_MAP_XSKS                                                                               \
	XFN_SHARED_MAP(xfn_xsks, BPF_MAP_TYPE_XSKMAP, XFN_QUEUES *XFN_THREADS, __u32, __u32)
#define XFN_MAP_POOLS XFN_SHARED_MAP(xfn_pools, BPF_MAP_TYPE_ARRAY, XFN_SLOTS, __u32, __u32)
#define XFN_MAP_INDIRECTIONS                                                                       \
	XFN_SHARED_MAP(xfn_indirections, BPF_MAP_TYPE_ARRAY, XFN_QUEUES *XFN_POOLS, __u32,         \
		       struct xfn_indirection)
#define XFN_MAP_REASONS                                                                            \
	XFN_SHARED_MAP(xfn_reasons, BPF_MAP_TYPE_PERCPU_ARRAY, XFN_REASON_SLOTS, __u32, __u64)
#define XFN_MAP_SLOT_STAT                                                                          \
	XFN_SHARED_MAP(xfn_slot_stat, BPF_MAP_TYPE_PERCPU_ARRAY, XFN_SLOTS, __u32,                 \
		       struct xfn_slot_counters)
#define XFN_MAP_RUNTIME                                                                            \
	XFN_SHARED_MAP(xfn_runtime, BPF_MAP_TYPE_ARRAY, 1, __u32, struct xfn_runtime)
#define XFN_MAP_BINDINGS                                                                           \
	XFN_SHARED_MAP(xfn_bindings, BPF_MAP_TYPE_HASH, XFN_BINDINGS, struct xfn_binding_key, __u32)
#define XFN_MAP_OWN   XFN_SHARED_MAP(xfn_own, BPF_MAP_TYPE_HASH, XFN_OWN, struct xfn_own_key, __u8)
#define XFN_MAP_RATES XFN_SHARED_MAP(xfn_rates, BPF_MAP_TYPE_LRU_HASH, XFN_RATES, __u64, __u64)
#define XFN_MAP_DEVICES                                                                            \
	XFN_SHARED_MAP(xfn_devices, BPF_MAP_TYPE_HASH, XFN_DEVICES, __u32, struct xfn_device)
#define XFN_MAP_ADDRESSES                                                                          \
	XFN_SHARED_MAP(xfn_addresses, BPF_MAP_TYPE_HASH, XFN_ADDRESSES, struct xfn_address_key,    \
		       __u8)

#endif
