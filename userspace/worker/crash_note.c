// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The handler of the signals that end a worker: note the request, then end by that signal. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "crash_note.h"

static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT };

#define STACK 65536 /* the function's own may be what has run out */

static struct sigaction before[sizeof(deadly) / sizeof(deadly[0])];
static __thread const struct xfn_call *own;

/* Nothing here but copies: whatever the function broke, this must not wait for it. */
static void note(void)
{
	const struct xfn_call *c = own;
	const struct xfn_datagram *d = c ? c->running : NULL;
	struct xfn_crash *crash = c ? &c->page->crash : NULL;

	if (!c || !c->page->running_slot || !d || d->len > sizeof(crash->data))
		return;
	crash->kind = c->kind;
	crash->peer = d->peer;
	crash->local = d->local;
	crash->len = d->len;
	memcpy(crash->data, d->data, d->len);
	__atomic_store_n(&crash->noted, 1, __ATOMIC_RELEASE);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	note();
	if (own)
		own->page->fault = 1;
	/* a sanitizer's own handler tells more */
	for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		if (deadly[i] == sig && before[i].sa_flags & SA_SIGINFO)
			before[i].sa_sigaction(sig, info, context);
	/* Blocked until we return, and then its default action: the status tells the signal. */
	syscall(SYS_tgkill, getpid(), gettid(), sig);
}

void xfn_crash_note__install(void)
{
	struct sigaction act = { .sa_sigaction = on_signal,
				 .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND };

	sigfillset(&act.sa_mask);
	for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		sigaction(deadly[i], &act, &before[i]);
}

int xfn_crash_note__enter(const struct xfn_call *c)
{
	/* pages of its own: a sanitizer unmaps what it finds there when the thread ends */
	const stack_t stack = { .ss_sp = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
					      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0),
				.ss_size = STACK };

	if (stack.ss_sp == MAP_FAILED)
		return -errno;
	own = c;
	return sigaltstack(&stack, NULL) ? -errno : 0;
}
