# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A verb's manual page: what `xfn VERB --help` says, around the prose of tools/man/VERB.mdoc. Input: those
# two, in this order. Variables: verb, summary, date, version.
function text(s)
{
	gsub(/\\/, "\\e", s)
	sub(/^ +/, "", s)
	sub(/ +$/, "", s)
	if (s ~ /^[.']/)
		s = "\\&" s
	return s
}

# An option's head line: "-i, --interface=IFACE", "--spin" or "-n NAME".
function head(s,   parts, n, i, out, long)
{
	gsub(/, -/, SUBSEP "-", s)
	n = split(s, parts, SUBSEP)
	for (i = 1; i <= n; i++) {
		long = parts[i]
		sub(/^-/, "", long)
		out = out (i > 1 ? " , " : "") "Fl " long
	}
	if (sub(/\[=/, " Ns Op = Ns Ar ", out))
		sub(/\]$/, "", out)
	else
		sub(/=/, " Ns = Ns Ar ", out)
	if (out !~ / Ar /)
		sub(/ [A-Z]+$/, " Ar&", out)
	return out
}

# the prose comes second; what help says ends here
FNR != NR { prose[++prose_lines] = $0; next }
FNR == 1 { sub(/^Usage: xfn [a-z]+ */, ""); usage = $0; next }
/^Example/ { in_example = 1; sub(/^Example: */, "") }
in_example { if ($0 != "") { gsub(/^ +/, ""); examples[++example_lines] = $0 }; next }
in_options && /^[^ ]/ { in_options = 0; after = 1 }
# the heading of a group of options
/^ [^ -].*:$/ { heading[count + 1] = text($0); next }
# what an option says begins further to the right, also where it begins with a dash
!/^          / && match($0, /^ +(-[^ ], --[^ ]+|--[^ ]+|-[a-z] [A-Z]+|-[a-z])( |$)/) {
	in_options = 1
	h = substr($0, 1, RLENGTH)
	rest = substr($0, RLENGTH + 1)
	gsub(/^ +| +$/, "", h)
	options[++count] = head(h)
	words[count] = text(rest)
	next
}
in_options && /^ / { if (text($0) != "") words[count] = words[count] (words[count] == "" ? "" : "\n") text($0); next }
/^$/ { next }
# the verb's commands (xfn lab): two columns
/^  [a-z]/ {
	at = match($0, /[^ ]  +[^ ]/)
	commands[++command_count] = text(substr($0, 1, at))
	told[command_count] = text(substr($0, at + 1))
	next
}
after { tail = tail "\n" text($0); next }
{ doc = doc (doc == "" ? "" : "\n") text($0) }

END {
	print ".\\\" SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause"
	print ".\\\" made of `xfn " verb " --help` and tools/man/" verb ".mdoc"
	print ".Dd " date
	print ".Dt XFN-" toupper(verb) " 1"
	print ".Os xfn " version
	print ".Sh NAME\n.Nm xfn-" verb "\n.Nd " summary
	print ".Sh SYNOPSIS\n.Nm xfn " verb
	print text(usage)
	print ".Sh DESCRIPTION"
	if (doc != "")
		print doc
	if (command_count) {
		print ".Bl -tag -width Ds"
		for (i = 1; i <= command_count; i++)
			print ".It Cm " commands[i] "\n" told[i]
		print ".El"
	}
	for (i = 1; i <= prose_lines && prose[i] !~ /^\.Sh /; i++) {
		if (i == 1 && doc command_count != "")
			print ".Pp"
		print prose[i]
	}
	if (tail != "" && tail !~ /^\nExit status/) {
		print ".Pp" tail
		tail = ""
	}
	print ".Sh OPTIONS\n.Bl -tag -width Ds"
	for (n = 1; n <= count; n++) {
		if (n in heading)
			print ".El\n.Pp\n" heading[n] "\n.Bl -tag -width Ds"
		print ".It " options[n] "\n" words[n]
	}
	print ".El"
	for (; i <= prose_lines; i++)
		print prose[i]
	print ".Sh EXIT STATUS\n0 done, 1 failed, 2 usage."
	if (tail != "")
		print substr(tail, 2)
	print ".Sh EXAMPLES\n.Bd -literal -offset indent"
	for (i = 1; i <= example_lines; i++)
		print text(examples[i])
	print ".Ed"
	print ".Sh SEE ALSO\n.Xr xfn 1 ,\n.Xr xfn-cases 5 ,\n.Xr xfn-functions 7 ,\n.Xr xfn-reasons 7 ,\n.Xr xfn-rules 7"
}
