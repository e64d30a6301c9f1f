/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmdline_rdline.h>

#include "asides.h"
#include "commands.h"
#include "hot_plug.h"
#include "live.h"
#include "msg.h"
#include "prompt.h"
#include "report.h"

#define PROMPT "vio-testpmd> "

/* How often the run is looked after while nobody types. */
#define LOOK_MS 100

static struct session *session;
static struct rdline *edited; /* the line on the terminal, or NULL */
static struct live live;      /* of the run */

static int
write_char(struct rdline *rdl, char c)
{
	RTE_SET_USED(rdl);
	return write(STDOUT_FILENO, &c, 1);
}

static void
validate(struct rdline *rdl, const char *line, unsigned int size)
{
	RTE_SET_USED(rdl);
	RTE_SET_USED(size);
	commands_do(line);
}

static int
complete(struct rdline *rdl, const char *line, char *text, unsigned int size, int *state)
{
	RTE_SET_USED(rdl);
	return commands_complete(line, text, size, state);
}

/* What is printed beside the line being edited goes above it. */
static void
leave_line(void)
{
	if (edited == NULL)
		return;
	printf("\r\033[K");
	fflush(stdout);
}

static void
return_to_line(void)
{
	if (edited != NULL)
		rdline_redisplay(edited);
}

static void
print_rates(void)
{
	if (live.run == NULL || live.begun != session->run.start)
		live_begin(&live, &session->run, false);
	if (!live_is_due(&live))
		return;
	leave_line();
	live_print(&live);
	return_to_line();
}

static void
print_asides(void)
{
	if (!asides_wait())
		return;
	leave_line();
	asides_print();
	return_to_line();
}

/* A run that ended by itself is reported as if stop had been said. */
static void
look_after_run(void)
{
	const struct options *options = &session->options;
	struct run *run = &session->run;
	bool over;

	if (!session->forwarding) {
		hot_plug_look_idle(&session->ports);
		return;
	}
	print_rates();
	over = options->duration > 0 && run_now() - run->start >= options->duration;
	if (run_look(run) == RUN_GOES_ON && !over)
		return;
	if (run->end == RUN_GOES_ON)
		run->end = RUN_DURATION;
	/* At a signal the final report follows anyway. */
	if (run->end == RUN_SIGNAL)
		return;
	session_stop(session);
	leave_line();
	msg_notice("forwarding ended by: %s", run_end_text(run->end));
	return_to_line();
}

static bool
goes_on(void)
{
	return !session->quit && !session->stuck && !run_signalled();
}

/* Waits for input. False when there is no more, or the prompt is to end. */
static bool
wait_for_input(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	while (goes_on()) {
		int ret = poll(&input, 1, LOOK_MS);

		print_asides();
		look_after_run();
		if (ret > 0)
			return true;
		if (ret < 0 && errno != EINTR)
			return false;
	}
	return false;
}

/* Returns false at the end of the input. */
static bool
take_chars(struct rdline *rdl)
{
	char chars[256];
	ssize_t length = read(STDIN_FILENO, chars, sizeof(chars));

	for (ssize_t i = 0; i < length && goes_on(); i++) {
		int ret = rdline_char_in(rdl, chars[i]);

		if (ret == RDLINE_RES_VALIDATED) {
			const char *line = rdline_get_buffer(rdl);

			if (line[0] != '\n')
				rdline_add_history(rdl, line);
			if (goes_on())
				rdline_newline(rdl, PROMPT);
		} else if (ret == RDLINE_RES_EOF || ret == RDLINE_RES_EXITED) {
			return false;
		}
	}
	return length > 0;
}

/* Keys come one by one and without echo; Ctrl-C still makes its signal. */
static void
edit_lines(void)
{
	struct rdline *rdl = rdline_new(write_char, validate, complete, NULL);
	struct termios before, raw;

	if (rdl == NULL || tcgetattr(STDIN_FILENO, &before) != 0) {
		msg_error("the terminal cannot be used: %s", strerror(errno));
		rdline_free(rdl);
		return;
	}
	raw = before;
	raw.c_lflag &= ~(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	asides_begin();
	rdline_newline(rdl, PROMPT);
	edited = rdl;
	while (wait_for_input() && take_chars(rdl))
		;
	edited = NULL;
	asides_end();
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	rdline_free(rdl);
	printf("\n");
}

/* Input that is no terminal: no prompt, no echo. */
static void
take_lines(void)
{
	char line[4096];
	size_t used = 0;

	while (wait_for_input()) {
		ssize_t length = read(STDIN_FILENO, line + used, sizeof(line) - 1 - used);
		char *end;

		if (length <= 0)
			break;
		used += length;
		line[used] = '\0';
		while (goes_on() && (end = strchr(line, '\n')) != NULL) {
			*end = '\0';
			commands_do(line);
			used -= end + 1 - line;
			memmove(line, end + 1, used + 1);
		}
		/* A line longer than all commands is none. */
		if (used == sizeof(line) - 1)
			used = 0;
	}
	if (used > 0 && goes_on())
		commands_do(line);
}

static bool
open_commands(struct session *for_session)
{
	session = for_session;
	if (commands_open(session))
		return true;
	msg_error("out of memory for the commands");
	commands_close();
	return false;
}

void
prompt_run(struct session *for_session)
{
	if (!open_commands(for_session))
		return;
	if (isatty(STDIN_FILENO))
		edit_lines();
	else
		take_lines();
	commands_close();
}

void
prompt_file(struct session *for_session, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[4096];

	if (file == NULL) {
		msg_error("--cmdline-file %s: %s", path, strerror(errno));
		return;
	}
	if (open_commands(for_session)) {
		while (goes_on() && fgets(line, sizeof(line), file) != NULL) {
			commands_do(line);
			look_after_run();
		}
		commands_close();
	}
	fclose(file);
}
