// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* --mode offload: the functions on the interface's card. Must never know how its object is made. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>
#include "../../../functions/xfn.h"
#include "../../host/log.h"
#include "attachment.h"

static int load(struct xfn_attachment *att, struct xfn_error *err)
{
	void *bytes = MAP_FAILED;
	struct stat st;
	int ret;

	if (!fstat(att->opts->card, &st))
		bytes = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, att->opts->card, 0);
	if (bytes == MAP_FAILED) {
		ret = -errno;
		return xfn_fail(err, ret, "its object cannot be read: %s", strerror(-ret));
	}
	ret = xfn_offload__load(bytes, st.st_size, "", att->interface->iface.index, &att->device,
				err);
	munmap(bytes, st.st_size);
	return ret;
}

/* The function's reason begins with the card, and goes on with what was said of the host's part. */
static void set_verdict(struct xfn_attachment *att, unsigned slot, const char *why_not)
{
	const char *was = xfn_functions__at(att->functions, slot)->reason;
	char reason[512];

	if (!why_not)
		snprintf(reason, sizeof(reason), "on the card; what that passes on: %.400s", was);
	else if (strstr(why_not, was)) /* the same obstacle for card and host */
		snprintf(reason, sizeof(reason), "not on the card: %.400s", why_not);
	else
		snprintf(reason, sizeof(reason), "not on the card: %.250s; %.220s", why_not, was);
	xfn_functions__set_on_device(att->functions, slot, !why_not, reason);
}

int xfn_attachment__load_device(struct xfn_attachment *att, struct xfn_error *err)
{
	struct xfn_error why = { 0 };
	int ret;

	if (att->opts->mode != XFN_MODE_OFFLOAD)
		return 0;
	ret = load(att, &why);
	ret = ret ?: xfn_offload__attach(att->device, &why);
	if (ret) {
		xfn_offload__close(att->device);
		att->device = NULL;
		return xfn_fail(err, ret, "%s: nothing can be offloaded: %.300s; leave --mode out",
				att->interface->iface.name, why.line);
	}
	for (unsigned i = 0; i < xfn_functions__count(att->functions); i++) {
		const struct xfn_deployed *fn = xfn_functions__at(att->functions, i);
		const char *why_not = att->opts->modules[i].not_on_device;

		if (why_not)
			xfn_log__line(LOG_NOTICE, "%s: not on the card: %s; the host serves it",
				      fn->mod->attr.name, why_not);
		set_verdict(att, i, why_not);
	}
	return 0;
}

const char *xfn_attachment__mode_of(const struct xfn_attachment *att, const struct xfn_deployed *fn)
{
	if (fn->on_device)
		return xfn_mode_name(XFN_MODE_OFFLOAD);
	return fn->tier == XFN_TIER_SOCKET ? "none" : xfn_mode_name(att->mode);
}

void xfn_attachment__device_counters(const struct xfn_attachment *att, unsigned slot,
				     struct xfn_slot_counters *sum)
{
	const char *name = xfn_functions__at(att->functions, slot)->mod->attr.name;

	if (!att->device || !xfn_functions__at(att->functions, slot)->on_device)
		return;
	/* a function on two ports is one program on the card: its first slot has the figures */
	for (unsigned i = 0; i < slot; i++)
		if (xfn_functions__at(att->functions, i)->on_device &&
		    !strcmp(xfn_functions__at(att->functions, i)->mod->attr.name, name))
			return;
	xfn_offload__add_counters(att->device, name, sum);
}

void xfn_attachment__device_reasons(const struct xfn_attachment *att,
				    uint64_t sum[XFN_REASON_SLOTS])
{
	if (att->device)
		xfn_offload__add_reasons(att->device, sum);
}
