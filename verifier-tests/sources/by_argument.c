// expect: fail rule=padded_value line=15 says=outer
/* Takes a struct in registers: what it has of another one has padding. */
#include "xfn.h"

typedef struct {
	uint8_t kind;
	uint32_t value;
} inner;

struct outer {
	inner in;
	uint8_t last;
};

static __attribute__((noinline)) int put(struct xfn_req *req, const struct outer o)
{
	return xfn_write(req, 0, &o, sizeof(o), sizeof(o));
}

XFN_FUNCTION(by_argument, .port = 4000)
{
	struct outer o = { .last = xfn_len(req) & 7 };

	return put(req, o) ? XFN_DROP : XFN_REPLY;
}
