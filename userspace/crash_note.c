// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The handler of the signals that end a worker: note the request, then end by that signal. */
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "crash_note.h"

static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT };

static struct {
	const struct xfn_call *call;
	struct sigaction before[sizeof(deadly) / sizeof(deadly[0])];
	uint8_t stack[65536]; /* the function's own may be what has run out */
} dying;

/* Nothing here but copies: whatever the function broke, this must not wait for it. */
static void note(void)
{
	const struct xfn_call *c = dying.call;
	const struct xfn_datagram *d = c->running;
	struct xfn_crash *crash = &c->page->crash;

	if (!c->page->running_slot || !d || d->len > sizeof(crash->data))
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
	/* a sanitizer's own handler tells more */
	for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		if (deadly[i] == sig && dying.before[i].sa_flags & SA_SIGINFO)
			dying.before[i].sa_sigaction(sig, info, context);
	/* Blocked until we return, and then its default action: the status tells the signal. */
	syscall(SYS_tgkill, getpid(), gettid(), sig);
}

void xfn_crash_note__install(const struct xfn_call *c)
{
	const stack_t stack = { .ss_sp = dying.stack, .ss_size = sizeof(dying.stack) };
	struct sigaction act = { .sa_sigaction = on_signal,
				 .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND };

	dying.call = c;
	sigfillset(&act.sa_mask);
	sigaltstack(&stack, NULL);
	for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		sigaction(deadly[i], &act, &dying.before[i]);
}
