/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside the supervisor: what its files share. Must never hold anything of a packet. */
#ifndef XFN_SUPERVISOR_INSIDE_H
#define XFN_SUPERVISOR_INSIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "addresses.h"
#include "call.h"
#include "control.h"
#include "handover.h"
#include "interface.h"
#include "packet_ring.h"
#include "supervisor.h"
#include "udp_socket.h"
#include "umem.h"

#define XFN_CHILDREN                                                                               \
	(XFN_QUEUES + 1)   /* one per queue, or of a ring, and one behind UDP sockets              \
			    */
#define XFN_LISTENERS 4096 /* UDP sockets of one run */

/* A deployed function. Its index in the table is its slot. */
struct xfn_deployed {
	struct xfn_module *mod;
	struct xfn_address addr; /* where it is asked for; port 0 never */
	bool any;		 /* every served address */
	int tier;
	bool in_kernel; /* its program is in its slot */
	bool listening; /* it has UDP sockets: of its tier, or slow ones */
	char rule[32];
	char reason[512];
};

/* A UDP socket the supervisor holds for a function: requests wait in it while a worker restarts. */
struct xfn_listener {
	int fd;
	uint32_t slot;
	unsigned device; /* ifindex of a slow socket's device, 0: no slow one */
	struct xfn_address local;
};

enum xfn_child_state {
	XFN_CHILD_NONE,
	XFN_CHILD_STARTING,
	XFN_CHILD_READY,
	XFN_CHILD_DEAD
};

/* A worker process, or the place for one. */
struct xfn_child {
	enum xfn_child_state state;
	const char *engine;
	uint32_t queue;
	int cpu; /* bound to it, -1: to none */
	pid_t pid;
	int pidfd;
	int sock; /* the supervisor's end of the handover pair */
	int page_fd;
	struct xfn_page *page; /* outlives the process: counters go on */
	struct xfn_umem umem;
	bool has_umem;
	struct xfn_packet_ring ring; /* of engine packet; -1: none */
	unsigned restarts;
	uint64_t started_ns;
	uint64_t restart_at_ns; /* while DEAD: when to try again */
	char error[256];	/* why the last start failed */
};

struct xfn_supervisor {
	const struct xfn_run_options *opts;
	struct xfn_interface iface; /* name "" where none is used */
	struct xfn_loader *loader;  /* NULL: no BPF in this run */
	enum xfn_mode mode;
	char mode_reason[512];
	const char *udp_engine; /* engine of tier socket */
	uint32_t ring_mtu; /* what both filters of engine packet were made for, 0: it is not used */
	char engine_reason[256];
	struct xfn_deployed *functions;
	unsigned function_count;
	struct xfn_listener *listeners;
	unsigned listener_count;
	struct xfn_child children[XFN_CHILDREN];
	unsigned child_count;
	struct xfn_addresses *addresses;
	int clock_fd;			     /* says when the system's clock was set */
	struct xfn_addresses_served *served; /* as the kernel tells them */
	unsigned served_count;
	struct xfn_addresses_device *devices; /* the interface and its uppers */
	unsigned device_count;
	bool devices_changed; /* slow sockets are to follow */
	struct xfn_control_server *control;
};

/* deploy.c: all write one line to err and return 0 or -errno. */
/* Open the modules, settle addresses and ports, refuse two functions on one. */
int xfn_deploy__open(struct xfn_supervisor *sup, char *err, size_t errlen);
/* Give every function its tier, with the reason; put kernel halves into their slots. */
int xfn_deploy__tiers(struct xfn_supervisor *sup, char *err, size_t errlen);
/* Let a function of a lost AF_XDP go on behind UDP sockets. */
void xfn_deploy__to_sockets(struct xfn_supervisor *sup, const char *why);
/* UDP sockets of all functions in tier socket. */
int xfn_deploy__listen(struct xfn_supervisor *sup, char *err, size_t errlen);
/*
 * Slow sockets: what the fast path leaves to the host's stack (fragments, options, ...) reaches the
 * same function. A port that another server holds is said, and left to it. To be called again when
 * devices have changed: closes what lost its device, opens what is missing.
 */
void xfn_deploy__listen_slow(struct xfn_supervisor *sup);
/* Direct the ports to their functions: from now on the fast path answers. */
int xfn_deploy__bind(struct xfn_supervisor *sup, char *err, size_t errlen);
void xfn_deploy__close(struct xfn_supervisor *sup);
/*
 * Engine packet: leave the UDP sockets what its ring does not take. To be called again when devices
 * have changed.
 */
int xfn_deploy__share(struct xfn_supervisor *sup, char *err, size_t errlen);
/* What the ring is to take. Returns their number, *out is to be freed; -ENOMEM. */
int xfn_deploy__targets(const struct xfn_supervisor *sup, struct xfn_packet_target **out);
bool xfn_deploy__wants_frames(const struct xfn_supervisor *sup); /* is an AF_XDP worker of use? */
bool xfn_deploy__wants_sockets(const struct xfn_supervisor *sup);
bool xfn_deploy__wants_ring(const struct xfn_supervisor *sup); /* was engine packet asked for? */
bool xfn_deploy__wants_slow(const struct xfn_supervisor *sup);

/* served.c: addresses and devices as they are now, in the dispatcher and for slow sockets. */
int xfn_served__open(struct xfn_supervisor *sup, char *err, size_t errlen);
void xfn_served__live(struct xfn_supervisor *sup);    /* clock and MTU of now, to the programs */
void xfn_served__load(struct xfn_supervisor *sup);    /* into a dispatcher that came later */
void xfn_served__changed(struct xfn_supervisor *sup); /* the kernel says something changed */

/* children.c */
/* Add a place for a worker and start it; waits until it serves, or says why not. */
int xfn_children__add(struct xfn_supervisor *sup, const char *engine, uint32_t queue, char *err,
		      size_t errlen);
/* Stop the worker behind UDP sockets and start it on the listeners of now; requests wait meanwhile.
 */
void xfn_children__renew_sockets(struct xfn_supervisor *sup);
/* The process of `child` has ended: say so, and plan its restart. */
void xfn_children__ended(struct xfn_supervisor *sup, struct xfn_child *child);
/* Restart what is due. Returns ms until the next restart, -1: none planned. */
int xfn_children__restart_due(struct xfn_supervisor *sup);
/* A message from `child`, or its end. */
void xfn_children__message(struct xfn_supervisor *sup, struct xfn_child *child);
/* Remove the places from `keep` on: stop the workers, free what they had. */
void xfn_children__remove(struct xfn_supervisor *sup, unsigned keep);

/* stats.c */
json_t *xfn_stats__functions(struct xfn_supervisor *sup); /* data of `ls` */
/* data of `stat`; with `audit` each worker is asked where its frames are */
json_t *xfn_stats__counters(struct xfn_supervisor *sup, bool audit);

/* audit.c: where the frames of each worker are; frames_lost is null where one does not answer. */
json_t *xfn_audit(struct xfn_supervisor *sup);

/* invoke.c: one request on purpose. A new reference, or NULL with err filled. */
json_t *xfn_invoke(struct xfn_supervisor *sup, json_t *args, char *err, size_t errlen);

#endif
