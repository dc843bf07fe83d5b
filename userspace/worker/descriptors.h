/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a worker serves by, while code of functions runs that may still close it: constructors and
 * XFN_INIT. Behind the sandbox nothing can be closed. Must never know what a descriptor is for.
 */
#ifndef XFN_DESCRIPTORS_H
#define XFN_DESCRIPTORS_H

/* What is wrong, behind whose doing it is. */
#define XFN_DESCRIPTOR_LOST                                                                        \
	"closed a descriptor of its worker, or put another file in its place; close only what it " \
	"opened"

/* All that are open now are to stay, in place of those of an earlier call. Where /proc is missing, or
 * memory, none are known. */
void xfn_descriptors__note(void);
/* The first that is closed by now, or stands for another file; -1: none. */
int xfn_descriptors__lost(void);

#endif
