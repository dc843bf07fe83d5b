// expect: tier=xdp
/* Literals without padding: numbers, arrays, and structs whose members fill them. */
#include "xfn.h"

struct answer {
	uint32_t kind, value;
};
typedef struct {
	struct answer a[2];
} answers;

XFN_FUNCTION(padless, .port = 4000, .grow = 16)
{
	uint32_t n = xfn_len(req);
	const struct answer *one = &(struct answer){ n, n };
	const answers *two = &(const answers){ { { n, n }, { n, n } } };

	if (xfn_resize(req, 32) || xfn_write(req, 0, one, 8, 8) || xfn_write(req, 8, two, 16, 16) ||
	    xfn_write(req, 24, &(struct { uint32_t a, b; }){ n, n }, 8, 8))
		return XFN_DROP;
	return XFN_REPLY;
}
