// expect: tier=xdp
/* Takes and returns structs by value, none of which loses a byte: large ones, and such without
 * padding. */
#include "xfn.h"

struct large {
	uint8_t kind;
	uint64_t value, more;
};

union both {
	uint8_t bytes[8];
	uint32_t words[2];
};

struct whole {
	uint32_t low, high;
};

static inline struct large make(uint32_t len)
{
	struct large l = { .kind = 1, .value = len };

	return l;
}

static inline union both mix(union both b, struct whole w)
{
	b.words[0] ^= w.low;
	b.words[1] ^= w.high;
	return b;
}

XFN_FUNCTION(by_memory, .port = 4000)
{
	struct large l = make(xfn_len(req));
	union both b = { .words = { xfn_len(req) } };
	struct whole w = { .low = 1, .high = 2 };

	if (memcmp(&w, &(struct whole){ 1, 2 }, sizeof(w)))
		memcpy(&w, &(struct whole){ 3, 4 }, sizeof(w));
	b = mix(b, w);
	l.more = b.words[0];
	return xfn_write(req, 0, &l, sizeof(l), sizeof(l)) ? XFN_DROP : XFN_REPLY;
}
