// expect: fail rule=padded_literal line=18 says=struct says=frame
/* Returns a struct that it makes without a name, and that has one with padding in it. */
#include "xfn.h"

typedef struct {
	uint8_t kind;
	uint32_t value;
} inner;

struct frame {
	inner a, b, c;
};

static struct frame make(uint32_t value)
{
	uint8_t kind = value & 7;

	return (struct frame){ .a = { kind, value }, .b = { kind, ~value }, .c = { kind, 0 } };
}

XFN_FUNCTION(padded, .port = 4000)
{
	struct frame f = make(xfn_len(req));

	return xfn_write(req, 0, &f, sizeof(f), sizeof(f)) ? XFN_DROP : XFN_REPLY;
}
