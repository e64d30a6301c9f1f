/* SPDX-License-Identifier: BSD-3-Clause */
#include "fault.h"

#include "inject.h"

int
fault_close(struct harness *h)
{
	int ret = rte_eth_dev_close(h->port);

	h->open = false;
	return ret;
}

/* What is not an error but must be seen: a driver that goes without, or buffers that did not come.
 */
static bool
is_told(struct harness *h)
{
	struct rte_eth_stats stats;

	if (harness_errors() > 0 || harness_said("going without") ||
	    harness_said("no frame could be sent"))
		return true;
	return h->open && rte_eth_stats_get(h->port, &stats) == 0 && stats.rx_nombuf > 0;
}

static void
check_told(struct harness *h, const struct fault_step *step, unsigned k, int ret)
{
	if (ret < 0 ? harness_errors() > 0 : is_told(h))
		return;
	fail_msg("call %u (%s) failed in step '%s' (%d), and nothing tells:\n%s", k,
		 inject_failed(), step->name, ret, harness_log());
}

static void
restart(struct harness *h, const struct fault_step *step)
{
	int ret = rte_eth_dev_stop(h->port);

	if (ret == 0)
		ret = rte_eth_dev_start(h->port);
	if (ret < 0)
		fail_msg("after %s failed in step '%s' the port does not start again: %d\n%s",
			 inject_failed(), step->name, ret, harness_log());
}

void
fault_take_step(struct harness *h, const struct fault_step *step, unsigned k)
{
	bool before = inject_failed() != NULL;
	int ret;

	harness_quiet();
	ret = step->run(h);
	if (ret < 0 && inject_failed() == NULL)
		fail_msg("step '%s' fails of its own: %d\n%s", step->name, ret, harness_log());
	if (inject_failed() != NULL && !before)
		check_told(h, step, k, ret);
	if (harness_started(h) &&
	    (harness_said("restart the port") || harness_said("gave no answer")))
		restart(h, step);
	if (ret < 0 && step->run != fault_close) {
		ret = step->run(h);
		if (ret < 0)
			fail_msg("call %u (%s) failed; step '%s' does not work again: %d:\n%s", k,
				 inject_failed(), step->name, ret, harness_log());
	}
}
