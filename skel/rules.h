/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every rule by which the classifier judges: XFN_RULE(id, verdict, sentence, remedy). DEMOTE: the
 * kernel cannot run the function, so a worker does. FAIL: the function is wrong in every tier, and
 * the build fails. Must never include anything.
 */
#ifndef XFN_RULES_H
#define XFN_RULES_H

#define XFN_RULES(X)                                                                               \
	X(calls_unknown, DEMOTE, "uses what only native code has",                                 \
	  "use what xfn.h offers, or leave it in a worker")                                        \
	X(host_header, DEMOTE, "includes a header of the host's C library",                        \
	  "include it under #ifdef XFN_NATIVE, and use only xfn.h outside")                        \
	X(floating_point, DEMOTE, "computes with floating point, which the kernel does not",       \
	  "use scaled integers")                                                                   \
	X(stack_limit, DEMOTE, "needs more than the kernel's 512 bytes of stack",                  \
	  "make local arrays smaller, or work on the payload in place")                            \
	X(unbounded_loop, DEMOTE, "has a loop that the verifier cannot follow to its end",         \
	  "give the loop a constant upper bound, or fewer rounds")                                 \
	X(variable_access, DEMOTE, "accesses memory with a length or offset that varies",          \
	  "ask xfn_at at that offset for a constant length, or use xfn_read and xfn_write")        \
	X(pointer_lost, DEMOTE, "uses a pointer whose check the verifier cannot follow",           \
	  "test the result of xfn_at or xfn_edit itself, right before its use")                    \
	X(too_many_insns, DEMOTE,                                                                  \
	  "takes more instructions than the verifier follows (one million)",                       \
	  "work on 8 bytes at a time, or on fewer bytes")                                          \
	X(recursion, DEMOTE, "calls itself, or nests calls deeper than the kernel allows",         \
	  "write it as a loop with a constant bound")                                              \
	X(calling_convention, DEMOTE,                                                              \
	  "has a call that BPF cannot make (over five arguments, a struct by value)",              \
	  "pass fewer arguments, or a pointer")                                                    \
	X(function_pointer, DEMOTE, "calls a function by its pointer, which BPF code cannot",      \
	  "choose with switch, and call each function by its name")                                \
	X(pointer_table, DEMOTE,                                                                   \
	  "keeps pointers in a constant table, which a kernel half cannot have",                   \
	  "make it a table of arrays or numbers, or a switch")                                     \
	X(signed_division, DEMOTE, "divides numbers with a sign, which BPF code cannot",           \
	  "divide unsigned numbers, and put the sign back by hand")                                \
	X(wide_integer, DEMOTE, "computes with integers of 128 bits",                              \
	  "compute with two halves of 64 bits")                                                    \
	X(variable_stack, DEMOTE, "has a local array of a length that varies",                     \
	  "give it a constant length")                                                             \
	X(large_copy, DEMOTE, "copies or clears more at once than BPF code does in place",         \
	  "copy in pieces of at most 512 bytes")                                                   \
	X(inline_asm, DEMOTE, "has assembly for this machine's processor",                         \
	  "put it under #ifdef XFN_NATIVE, with C beside it")                                      \
	X(atomic_payload, DEMOTE, "accesses the payload atomically",                               \
	  "use a plain access: a request has one owner")                                           \
	X(compiler_crash, DEMOTE, "makes the compiler fail on its kernel half",                    \
	  "write the line in another way, or try a newer clang")                                   \
	X(budget, DEMOTE, "holds a CPU for longer than the budget of a request in the kernel",     \
	  "do less per request, raise --budget, or pin .tier = XFN_TIER_XDP")                      \
	X(licence, DEMOTE, "has a licence that the kernel's route look-up does not accept",        \
	  "give a GPL-compatible .licence, or leave --reply-route at swap")                        \
	X(shared_interface, DEMOTE,                                                                \
	  "cannot be called below libxdp's dispatcher, where this kernel allows no tail call",     \
	  "attach without libxdp, or build it with --standalone")                                  \
	X(forced, DEMOTE, "is told to run in another tier than the kernel",                        \
	  "leave --tier, --engine packet or its .tier out")                                        \
	X(no_xdp, DEMOTE, "runs where no XDP program can be attached",                             \
	  "name an interface with -i, run as root, and see `xfn check`")                           \
	X(no_afxdp, DEMOTE, "runs where AF_XDP sockets cannot be had",                             \
	  "see `xfn check -i IFACE`, and free the interface's queues")                             \
	X(compiler_other, DEMOTE, "does not compile for the kernel",                               \
	  "read the compiler's words with -vv")                                                    \
	X(verifier_other, DEMOTE, "is refused by the verifier", "read its log with -vv")           \
	X(native_error, FAIL, "does not compile", "mend the source")                               \
	X(missing_library, FAIL, "names a library that is not installed here",                     \
	  "install its -dev package, or mend XFN_LINK")                                            \
	X(unchecked_pointer, FAIL, "uses a pointer that may be NULL",                              \
	  "test the result of xfn_at, xfn_edit and the like before using it")                      \
	X(stale_pointer, FAIL, "uses a pointer from before xfn_resize",                            \
	  "call xfn_at or xfn_edit again after xfn_resize")                                        \
	X(out_of_bounds, FAIL, "accesses an array, or what xfn_at gave, outside its bounds",       \
	  "mend the index, or ask xfn_at for as many bytes as are used")                           \
	X(padded_literal, FAIL, "makes a struct without a name, whose padding nobody sets",        \
	  "give it a name, as in `struct s a = { ... };`, or fill its padding with a member")      \
	X(jumped_over, FAIL, "uses a variable whose declaration a jump has skipped",               \
	  "declare it before the goto or the switch")                                              \
	X(padded_value, FAIL, "passes a struct by value, whose padding is left behind",            \
	  "pass a pointer to it, or fill its padding with a member")                               \
	X(left_unset, FAIL, "asks that a variable keep what the stack held",                       \
	  "leave the attribute out: a variable that is written whole is not zeroed first")         \
	X(division_by_zero, FAIL, "divides by zero", "test the divisor before dividing")           \
	X(writable_global, FAIL, "writes a global variable, which a kernel half cannot share",     \
	  "make it const, use XFN_COUNTER, or move it under #ifdef XFN_NATIVE")                    \
	X(bad_attributes, FAIL, "has attributes that cannot be met", "mend XFN_FUNCTION")          \
	X(pass_without_host, FAIL,                                                                 \
	  "returns XFN_PASS, but does not name the host's server to take it",                      \
	  "give .fallback = XFN_FALLBACK_HOST, or do not pass")                                    \
	X(punt_without_slow, FAIL, "returns XFN_PUNT, but there is no slow half yet to take it",   \
	  "answer, drop or consume the request")                                                   \
	X(bad_action, FAIL, "returns a number that is no action",                                  \
	  "return XFN_REPLY, XFN_DROP, XFN_CONSUME or XFN_PASS")                                   \
	X(name_mismatch, FAIL, "has a name that is not its file's ([a-z][a-z0-9_]{0,14})",         \
	  "give function and file the same name")                                                  \
	X(tier_pinned, FAIL, "is pinned to tier xdp, which it cannot have",                        \
	  "leave .tier out, or mend what stands in the way")

enum xfn_rule {
#define XFN_RULE(id, verdict, sentence, remedy) XFN_RULE_##id,
	XFN_RULES(XFN_RULE)
#undef XFN_RULE
	XFN_RULE_COUNT
};

#endif
