// expect: tier=afxdp rule=calls_unknown
/* A library's function. */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <openssl/hmac.h>
#endif

XFN_LINK("libcrypto >= 3.0");

XFN_FUNCTION(hmac, .port = 4000, .grow = 32)
{
	unsigned char digest[32];
	unsigned int len = sizeof(digest);
	const uint8_t *p = xfn_at(req, 0, xfn_len(req));

	if (!p || !HMAC(EVP_sha256(), "key", 3, p, xfn_len(req), digest, &len))
		return XFN_DROP;
	if (xfn_resize(req, 32) || xfn_write(req, 0, digest, 32, 32))
		return XFN_DROP;
	return XFN_REPLY;
}
