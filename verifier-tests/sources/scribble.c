// expect: tier=xdp
/*
 * Echoes, and does what a function must not that overwrites its worker's memory. On "loop" and
 * "wait" it says that no function runs, and does not return; on "fall", "jump" and "name" it
 * changes what was counted of the function in the first slot. On "heap" and "many" it allocates
 * without end, and answers with what that came to; on "int8" and "x32s" it makes system calls of
 * other architectures. In a worker; its kernel half echoes.
 */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <sys/mman.h>
#include <unistd.h>
#include "../../userspace/call/call.h"

#define PIECE (16u << 20)

static struct xfn_page *own_page(void)
{
	return ((struct xfn_call *)((char *)xfn_thread - offsetof(struct xfn_call, thread)))->page;
}

static void stay(bool asleep)
{
	own_page()->running_slot = 0;
	for (volatile int on = 1; on;)
		if (asleep)
			sleep(3600);
}

/* In pieces of 16 MB, at most 4 GB; "none" where there was none, "full" where there was an end. */
static const char *fill(int flags)
{
	int n = 0;

	while (n < 256 && mmap(NULL, PIECE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0) !=
				  MAP_FAILED)
		n++;
	return !n ? "none" : n < 256 ? "full" : "more";
}

static void call_system(unsigned number)
{
#ifdef __x86_64__
	if (number == 20)
		__asm__ volatile("int $0x80" : "+a"(number) : : "memory");
	else
		__asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
#else
	(void)number;
#endif
}

static void scribble(char p[4])
{
	struct xfn_page *page = own_page();

	if (!memcmp(p, "loop", 4) || !memcmp(p, "wait", 4))
		stay(p[0] == 'w');
	else if (!memcmp(p, "fall", 4))
		page->slots[0].requests = (uint64_t)-5;
	else if (!memcmp(p, "jump", 4))
		page->slots[0].replies += 1ull << 40;
	else if (!memcmp(p, "name", 4))
		memcpy(page->counters[0][0].name, "\033[31mred", 9);
	else if (!memcmp(p, "heap", 4))
		memcpy(p, fill(MAP_PRIVATE), 4);
	else if (!memcmp(p, "many", 4))
		memcpy(p, fill(MAP_SHARED), 4);
	else if (!memcmp(p, "int8", 4))
		call_system(20);
	else if (!memcmp(p, "x32s", 4))
		call_system(0x40000000 | 39);
}
#endif

XFN_FUNCTION(scribble, .port = 4006)
{
	char *p = xfn_edit(req, 0, 4);

#ifdef XFN_NATIVE
	if (p)
		scribble(p);
#endif
	return p ? XFN_REPLY : XFN_DROP;
}
