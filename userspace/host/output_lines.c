// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a process writes to its standard output and error, as lines of the log. */
#include <errno.h>
#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>
#include "log.h"
#include "now.h"
#include "printable.h"
#include "output_lines.h"

#define SECOND_NS 1000000000ull

int xfn_output_lines__open(struct xfn_output_lines *output, int *writer)
{
	int ends[2];

	*output = (struct xfn_output_lines){ .fd = -1 };
	/* Each end is non-blocking by itself: what the pipe has no room for is the writer's loss.
	 */
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	output->fd = ends[0];
	*writer = ends[1];
	return 0;
}

static void end_second(struct xfn_output_lines *output, const char *who)
{
	if (output->left_out)
		xfn_log__line(LOG_WARNING, "%s: %u lines left out", who, output->left_out);
	output->left_out = output->shown = output->bytes = 0;
	output->second_ns = 0;
}

static void end_line(struct xfn_output_lines *output, const char *who)
{
	char text[XFN_OUTPUT_LINE + 1];

	xfn_output_lines__watch(output, who);
	if (!output->second_ns)
		output->second_ns = xfn_now_ns();
	xfn_printable(output->line, output->len, text, sizeof(text));
	if (output->shown < XFN_OUTPUT_RATE) {
		output->shown++;
		xfn_log__line(LOG_NOTICE, "%s printed: %s%s", who, text,
			      output->cut ? " ... (cut)" : "");
	} else {
		output->left_out++;
	}
	output->len = 0;
	output->cut = false;
}

static void read_some(struct xfn_output_lines *output, const char *who)
{
	static char bytes[XFN_OUTPUT_BYTES];
	ssize_t n = read(output->fd, bytes, sizeof(bytes));

	if (n > 0 && !output->second_ns)
		output->second_ns = xfn_now_ns();
	if (n > 0)
		output->bytes += (unsigned)n;

	/* nobody has the other end any more, which says nothing of the writer */
	if (!n || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(output->fd);
		output->fd = -1;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == '\n')
			end_line(output, who);
		else if (output->len < sizeof(output->line))
			output->line[output->len++] = bytes[i];
		else
			output->cut = true;
	}
}

void xfn_output_lines__read(struct xfn_output_lines *output, const char *who)
{
	if (xfn_output_lines__fd(output) >= 0)
		read_some(output, who);
}

int xfn_output_lines__watch(struct xfn_output_lines *output, const char *who)
{
	uint64_t now = xfn_now_ns(), until = output->second_ns + SECOND_NS;

	if (!output->second_ns)
		return -1;
	if (now < until && !output->left_out && output->bytes < XFN_OUTPUT_SECOND)
		return -1;
	if (now < until)
		return (int)((until - now) / 1000000) + 1;
	end_second(output, who);
	return -1;
}

void xfn_output_lines__close(struct xfn_output_lines *output, const char *who)
{
	if (output->fd >= 0)
		read_some(output, who);
	if (output->len || output->cut)
		end_line(output, who);
	end_second(output, who);
	if (output->fd >= 0)
		close(output->fd);
	output->fd = -1;
}
