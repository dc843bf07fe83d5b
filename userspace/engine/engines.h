/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every engine, a line each: XFN_ENGINE(name) of the one that its file defines as xfn_engine_NAME.
 * Whatever lists engines (`xfn check`, --engine, its help and completion, the sandbox) includes it or
 * walks xfn_engines. To be included more than once.
 */
XFN_ENGINE(afxdp)
XFN_ENGINE(uring)
XFN_ENGINE(mmsg)
XFN_ENGINE(packet)
XFN_ENGINE(simple)
