/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verbs of `xfn`. argv[0] is the verb's name; argv ends with NULL. Each returns the exit
 * status: 0 done, 1 failed, 2 usage.
 */
#ifndef XFN_VERBS_H
#define XFN_VERBS_H

int verb_build(int argc, char **argv);
int verb_explain(int argc, char **argv);
int verb_new(int argc, char **argv);
int verb_test(int argc, char **argv);
int verb_run(int argc, char **argv);
int verb_ls(int argc, char **argv);
int verb_stat(int argc, char **argv);
int verb_release(int argc, char **argv);
int verb_scale(int argc, char **argv);
int verb_invoke(int argc, char **argv);
int verb_bench(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_lab(int argc, char **argv);

#endif
