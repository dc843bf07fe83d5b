// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The SHA-256 (FIPS 180-4) of the payload, as 64 lower-case hex digits. Shows a function that calls
 * a library, and so runs in a worker. */
#include "xfn.h"
#ifdef XFN_NATIVE
#include <openssl/evp.h>
#endif

XFN_LINK("libcrypto >= 3.0");

#ifdef XFN_NATIVE
static EVP_MD_CTX *context;

/* Fetched once: OpenSSL reads its configuration file here, before the sandbox. */
XFN_INIT(sha256)
{
	EVP_MD *algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	int ready;

	context = EVP_MD_CTX_new();
	ready = algorithm && context && EVP_DigestInit_ex(context, algorithm, NULL);
	EVP_MD_free(algorithm); /* the context has its own reference */
	return ready ? 0 : -ENOMEM;
}
#endif

XFN_FUNCTION(sha256, .port = 2256, .responders = { XFN_RESPONDERS, 2256 }, .grow = 64, .amplify = 4,
	     .summary = "SHA-256 of the payload")
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[32];
	uint32_t len = xfn_len(req);
	const void *payload = xfn_at(req, 0, len);
	char *hex;

	if (!payload)
		return XFN_DROP;
	if (!EVP_DigestInit_ex(context, NULL, NULL) || !EVP_DigestUpdate(context, payload, len) ||
	    !EVP_DigestFinal_ex(context, digest, NULL))
		return XFN_DROP;
	if (xfn_resize(req, 64))
		return XFN_DROP;
	hex = xfn_edit(req, 0, 64);
	if (!hex)
		return XFN_DROP;
	for (int i = 0; i < 32; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	return XFN_REPLY;
}
