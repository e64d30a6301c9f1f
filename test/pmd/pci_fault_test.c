/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_vio on the PCI bus, from probe to removal. Each call that can fail does so once: what EAL's
 * bus does (mapping, configuration space, listening for removals), interrupts, allocations, the
 * pool. Either something fails then, with a line in the log, or the driver goes on without and says
 * so; nothing is left once the device is removed; and probing it again works. The same with the
 * device unplugged at each load of a register.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ethdev_driver.h>

#include "harness_parts.h"
#include "inject.h"
#include "pci_function.h"
#include "pci_function_parts.h"

enum { RX = 2, TX = 1, SIZE = 32 };

/* The port's number and its device, for what harness.h has for ports. */
static struct harness h;
static const char *devargs;
static unsigned removals; /* that the application was told of */

/* --- the function -------------------------------------------------------------------------------
 */

static void
zone_made(const struct rte_memzone *mz)
{
	if (function.dev != NULL)
		device_memory_add(function.dev, mz->addr, mz->iova, mz->len);
}

static void
zone_freed(const struct rte_memzone *mz)
{
	if (function.dev != NULL)
		device_memory_remove(function.dev, mz->addr);
}

static bool with_functions; /* virtual ones */

static void
arrive(uint64_t features)
{
	struct device_options options = {
		.virtual_functions = with_functions,
		.features = features | DEVICE_BIT(DEVICE_F_VERSION_1) |
			    DEVICE_BIT(DEVICE_F_CTRL_VQ) | DEVICE_BIT(DEVICE_F_CTRL_RX) |
			    DEVICE_BIT(DEVICE_F_MQ) | DEVICE_BIT(DEVICE_F_STATUS) |
			    DEVICE_BIT(DEVICE_F_MAC) | DEVICE_BIT(DEVICE_F_MRG_RXBUF),
		.queue_size = 64,
		.pairs = FUNCTION_PAIRS,
	};

	h = (struct harness){ .dev = device_new(&options) };
	if (h.dev == NULL)
		abort();
	pools_tell(h.dev);
	function_plug(h.dev);
	function.has_functions = with_functions;
	removals = 0;
}

/* The device is pulled out when the driver has let go of it; nothing is left. */
static void
leave(void)
{
	inject_at(0);
	function.loads_fail = false;
	if (function_mapped())
		assert_int_equal(function_remove(), 0);
	assert_int_equal(function_mapped(), 0);
	assert_int_equal(function_ports_mapped(), 0);
	assert_int_equal(function_watched(), 0);
	assert_null(rte_eth_dev_allocated(FUNCTION_NAME));
	function_plug(NULL);
	device_faults_print(h.dev, stderr);
	assert_int_equal(device_faults(h.dev), 0);
	device_free(h.dev);
	harness_nothing_left();
}

/* --- a port's life ------------------------------------------------------------------------------
 */

static int
told_of_removal(uint16_t port, enum rte_eth_event_type event, void *arg, void *ret)
{
	(void)port;
	(void)event;
	(void)arg;
	(void)ret;
	removals++;
	return 0;
}

static int
do_probe(void)
{
	int ret = function_probe(devargs);

	if (ret != 0)
		return ret;
	h.eth = rte_eth_dev_allocated(FUNCTION_NAME);
	assert_non_null(h.eth);
	h.port = h.eth->data->port_id;
	h.open = true;
	return rte_eth_dev_callback_register(h.port, RTE_ETH_EVENT_INTR_RMV, told_of_removal, NULL);
}

static int
do_setup(void)
{
	struct rte_eth_conf conf = { .intr_conf = { .lsc = 1, .rxq = 1 } };

	return harness_setup(&h, RX, TX, SIZE, &conf);
}

static int
do_start(void)
{
	return rte_eth_dev_start(h.port);
}

static bool
sent(struct rte_mbuf *mbuf)
{
	struct device_packet *packet;

	if (rte_eth_tx_burst(h.port, 0, &mbuf, 1) == 0) {
		rte_pktmbuf_free(mbuf);
		return false;
	}
	function_turn();
	packet = device_next_packet(h.dev, 0);
	free(packet);
	return packet != NULL;
}

static int
do_traffic(void)
{
	static const uint8_t frame[100] = { 1, 2, 3 };

	for (unsigned i = 0; i < 3 * SIZE; i++) {
		struct rte_mbuf *mbuf = NULL;

		if (!function.bus_master || !harness_started(&h) ||
		    device_receive_packet(h.dev, i % RX, NULL, frame, sizeof(frame)) == 0 ||
		    rte_eth_rx_burst(h.port, i % RX, &mbuf, 1) == 0 || !sent(mbuf))
			return -EIO;
	}
	return 0;
}

static int
do_interrupt(void)
{
	return seam_interrupt() ? 0 : -EIO;
}

static int
do_stop(void)
{
	return rte_eth_dev_stop(h.port);
}

/* The device asks for a reset, and gets it. */
static int
do_recovery(void)
{
	device_need_reset(h.dev);
	if (!seam_interrupt())
		return -EIO;
	while (seam_alarm())
		;
	/* Where that is its end, the application hears of it at once. */
	if (harness_said("the device is gone"))
		assert_int_equal(removals, 1);
	return do_traffic();
}

/* The bus asks for the device, and the application hears of it. */
static int
do_removal(void)
{
	function_ask_back();
	while (seam_alarm())
		;
	return removals == 1 ? 0 : -EIO;
}

static const struct step {
	const char *name;
	int (*run)(void);
} steps[] = {
	{ "probe", do_probe },         { "setup", do_setup },
	{ "start", do_start },         { "traffic", do_traffic },
	{ "interrupt", do_interrupt }, { "stop", do_stop },
	{ "start again", do_start },   { "traffic again", do_traffic },
	{ "recovery", do_recovery },   { "stop again", do_stop },
	{ "last start", do_start },    { "last traffic", do_traffic },
	{ "removal", do_removal },
};

/* --- each call ----------------------------------------------------------------------------------
 */

/* Calls that nobody has to hear of, where the step went well all the same: the first is repeated,
 * and without the second virtual functions are not spoken of. */
static bool
is_nothing(const char *failed)
{
	return strcmp(failed, "rte_dev_event_callback_unregister") == 0 ||
	       strcmp(failed, "rte_pci_find_ext_capability") == 0;
}

static bool
is_told(int ret)
{
	struct rte_eth_stats stats;

	if (harness_errors() > 0 || harness_said("going without"))
		return true;
	if (ret == 0 && is_nothing(inject_failed()))
		return true;
	return ret == 0 && h.open && rte_eth_stats_get(h.port, &stats) == 0 && stats.rx_nombuf > 0;
}

static unsigned untold;

/* Once more, unless the driver has said that this is the device's end. */
static int
once_more(const struct step *step)
{
	int ret;

	if (harness_said("the device is gone"))
		return -ENODEV;
	ret = step->run();
	if (ret != 0)
		fail_msg("after %s failed, step '%s' does not work again: %d\n%s", inject_failed(),
			 step->name, ret, harness_log());
	return 0;
}

/* Up to the removal, or to where the device has gone. Returns what failed by injection, or NULL. */
static const char *
live(unsigned k, const struct step *list, size_t n)
{
	const char *failed = NULL;
	int ret = 0;

	inject_at(k);
	for (size_t i = 0; i < n && ret == 0; i++) {
		harness_quiet();
		ret = list[i].run();
		if (ret != 0 && inject_failed() == NULL)
			fail_msg("step '%s' fails of its own: %d:\n%s", list[i].name, ret,
				 harness_log());
		if (failed == NULL && inject_failed() != NULL && !is_told(ret)) {
			print_message(
				"call %u (%s) failed in step '%s' (%d), and nothing tells:\n%s", k,
				inject_failed(), list[i].name, ret, harness_log());
			untold++;
		}
		failed = inject_failed();
		if (ret != 0)
			ret = once_more(&list[i]);
	}
	return failed;
}

static void
each_call(uint64_t features)
{
	const char *failed;
	unsigned k = 0;

	untold = 0;
	do {
		arrive(features);
		failed = live(++k, steps, RTE_DIM(steps));
		/* What fails at removal. */
		if (failed == NULL) {
			assert_int_equal(function_remove(), 0);
			failed = inject_failed();
		}
		leave();
		arrive(features);
		assert_null(live(0, steps, RTE_DIM(steps)));
		leave();
	} while (failed != NULL);
	assert_int_equal(untold, 0);
	assert_in_range(k, 60, 1000);
}

static void
split(void **state)
{
	(void)state;
	each_call(0);
}

static void
packed(void **state)
{
	(void)state;
	each_call(DEVICE_BIT(DEVICE_F_RING_PACKED) | DEVICE_BIT(DEVICE_F_ACCESS_PLATFORM));
}

/* --- other ends ---------------------------------------------------------------------------------
 */

/* The device goes at the k-th load. What was begun fails or ends, and somebody is told. */
static bool
goes_at(unsigned k, enum function_state to, const struct step *list, size_t n)
{
	bool went, told = false;
	int ret = 0;

	function.loads_fail = true;
	function.to = to;
	inject_at(k);
	for (size_t i = 0; i < n && ret == 0; i++) {
		harness_quiet();
		ret = list[i].run();
		told |= inject_failed() != NULL && harness_errors() > 0;
	}
	if (function_mapped())
		assert_int_equal(function_remove(), 0);
	went = inject_failed() != NULL;
	if (went && !told && harness_errors() == 0)
		fail_msg("gone at call %u, and nothing tells:\n%s", k, harness_log());
	leave();
	return went;
}

static void
unplugged(enum function_state to)
{
	unsigned k = 0;

	do {
		arrive(0);
	} while (goes_at(++k, to, steps, RTE_DIM(steps)));
	assert_in_range(k, 200, 5000);
}

static void
unplugged_ones(void **state)
{
	(void)state;
	unplugged(FUNCTION_GONE);
}

static void
unplugged_zeroes(void **state)
{
	(void)state;
	unplugged(FUNCTION_REPLACED);
}

/* --- I/O ports: a legacy device, whose rings are not the model's: started, but without a packet
 */

/* The 44 bits of a ring's address (spec 4.1.4.10). */
#define PORTS_REACH ((UINT64_C(1) << 44) - 1)

static int
do_ports_setup(void)
{
	return harness_setup(&h, 1, 1, 64, NULL);
}

static int
do_ports_start(void)
{
	int ret = rte_eth_dev_start(h.port);

	return ret == 0 && function_port_rings() != 2 ? -EPROTO : ret;
}

static int
do_ports_stop(void)
{
	int ret = rte_eth_dev_stop(h.port);

	return ret == 0 && function_port_rings() != 0 ? -EPROTO : ret;
}

static const struct step ports_steps[] = {
	{ "probe", do_probe },
	{ "setup", do_ports_setup },
	{ "start", do_ports_start },
	{ "stop", do_ports_stop },
	{ "start again", do_ports_start },
	{ "stop again", do_ports_stop },
	{ "last start", do_ports_start },
};

static void
ports(void **state)
{
	const char *failed;
	unsigned k = 0;

	(void)state;
	untold = 0;
	seam_iova_mask = PORTS_REACH;
	do {
		arrive(0);
		function.has_ports = true;
		failed = live(++k, ports_steps, RTE_DIM(ports_steps));
		assert_int_equal(function_ports_mapped(), 1);
		leave();
	} while (failed != NULL);
	seam_iova_mask = UINT64_MAX;
	assert_int_equal(untold, 0);
	assert_in_range(k, 15, 200);
}

/* So many ports as the kernel says are the device's: fewer than a legacy device's header has are
 * none. */
static void
ports_end(void **state)
{
	static const struct {
		const char *line;
		int ret;
	} cases[] = {
		{ "0x000000000000c000 0x000000000000c016 0x0000000000040101\n", -EINVAL },
		{ "0x000000000000c000 0x000000000000c01f 0x0000000000040101\n", 0 },
		{ "0x0000000000000000 0x0000000000000000 0x0000000000000000\n", 0 },
		{ "nothing\n", 0 },
	};
	char sysfs[] = "/tmp/vio-sysfs-XXXXXX", folder[64], path[80];

	(void)state;
	assert_non_null(mkdtemp(sysfs));
	snprintf(folder, sizeof(folder), "%s/0000:00:00.0", sysfs);
	snprintf(path, sizeof(path), "%s/resource", folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		fputs(cases[i].line, file);
		fclose(file);
		arrive(0);
		function.has_ports = true;
		function.sysfs = sysfs;
		harness_quiet();
		assert_int_equal(function_probe("legacy=1"), cases[i].ret);
		assert_int_equal(harness_said("BAR 0 has 23 I/O ports"), cases[i].ret != 0);
		assert_int_equal(function_ports_mapped(), cases[i].ret == 0);
		leave();
	}
	unlink(path);
	rmdir(folder);
	rmdir(sysfs);
}

/* A device that ignores the IOMMU is refused where EAL's addresses are for an IOMMU. */
static void
iommu(void **state)
{
	(void)state;
	arrive(0);
	function.virtual_addresses = true;
	harness_quiet();
	assert_int_equal(function_probe(devargs), -ENOTSUP);
	assert_true(harness_said("the device bypasses the IOMMU"));
	leave();

	arrive(DEVICE_BIT(DEVICE_F_ACCESS_PLATFORM));
	function.virtual_addresses = true;
	assert_int_equal(do_probe(), 0);
	seam_zone_flags = 0;
	assert_int_equal(do_setup(), 0);
	assert_true(seam_zone_flags & RTE_MEMZONE_IOVA_CONTIG);
	leave();
}

/* Where no driver of user space is bound the line says how to bind one; a device that is bound and
 * cannot be mapped is told apart from that. */
static void
not_mapped(void **state)
{
	(void)state;
	arrive(0);
	function.not_bound = true;
	harness_quiet();
	assert_int_equal(function_probe(devargs), 1);
	assert_true(harness_said("--bind=vfio-pci " FUNCTION_NAME));
	leave();

	arrive(0);
	harness_quiet();
	inject_at(1);
	assert_int_equal(function_probe(devargs), -1);
	assert_string_equal(inject_failed(), "rte_pci_map_device");
	assert_false(harness_said("not bound"));
	assert_true(harness_said("could not be mapped"));
	leave();
}

/* A device whose reset never ends is let go all the same, without its way to memory: once it is
 * removed, nobody could try again. */
static void
never_reset(void **state)
{
	(void)state;
	arrive(0);
	assert_int_equal(function_probe(devargs), 0);
	device_lie(h.dev, 0, DEVICE_LIE_RESET, 0);
	harness_quiet();
	assert_int_equal(function_remove(), 0);
	assert_true(harness_said("did not let go of its buffers"));
	assert_false(function.bus_master);
	device_honest(h.dev);
	leave();
}

static int
setup(void **state)
{
	(void)state;
	seam_zone_made = zone_made;
	seam_zone_freed = zone_freed;
	seam_slept = function_turn;
	/* What ethdev and EAL allocate once. */
	arrive(0);
	for (size_t i = 0; i < RTE_DIM(steps); i++)
		if (steps[i].run() != 0)
			fprintf(stderr, "%s fails: %s\n", steps[i].name, harness_log());
	function_remove();
	function_plug(NULL);
	device_free(h.dev);
	harness_take_stock();
	return 0;
}

/* It is driven, in another layout (framing_test.c), which a line tells. */
static void
headers_apart(void **state)
{
	(void)state;
	arrive(0);
	function.has_ports = function.headers_apart = true;
	harness_quiet();
	assert_int_equal(function_probe(devargs), 0);
	assert_true(harness_said("a legacy device without ANY_LAYOUT"));
	leave();
}

/* SR_IOV is accepted of a function that has virtual ones, and of no other (RSVD-09, -10). */
static void
virtual_functions(void **state)
{
	const uint64_t bit = DEVICE_BIT(DEVICE_F_SR_IOV);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		with_functions = i == 1;
		arrive(bit);
		assert_int_equal(do_probe(), 0);
		assert_int_equal(do_setup(), 0);
		assert_int_equal(do_start(), 0);
		assert_true((device_driver_features(h.dev) & bit) == (i == 1 ? bit : 0));
		assert_int_equal(do_traffic(), 0);
		assert_int_equal(do_stop(), 0);
		leave();
	}
	with_functions = false;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(split, setup),
	cmocka_unit_test(packed),
	cmocka_unit_test(unplugged_ones),
	cmocka_unit_test(unplugged_zeroes),
	cmocka_unit_test(ports),
	cmocka_unit_test(headers_apart),
	cmocka_unit_test(virtual_functions),
	cmocka_unit_test(ports_end),
	cmocka_unit_test(iommu),
	cmocka_unit_test(not_mapped),
	cmocka_unit_test(never_reset),
};

HARNESS_MAIN(tests)
