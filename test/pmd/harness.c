/* SPDX-License-Identifier: BSD-3-Clause */
#include "harness.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include <bus_driver.h>
#include <dev_driver.h>
#include <ethdev_driver.h>
#include <rte_eal.h>
#include <rte_interrupts.h>
#include <rte_malloc.h>

#include "harness_parts.h"
#include "inject.h"
#include "net/vio/port.h"

/* MSI-X vectors of the device. */
enum { VECTORS = 8 };

/* What there is of everything that can be left over. */
struct inventory {
	unsigned rx_mbufs, tx_mbufs, blocks, zones, eal_zones, fds, alarms;
	size_t eal_heap;
	bool interrupt;
};

static struct inventory at_first;
static struct harness *current;

/* --- what is left ------------------------------------------------------------------------------
 */

static unsigned
open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	if (dir == NULL)
		abort();
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void
count_zone(const struct rte_memzone *mz, void *arg)
{
	(void)mz;
	++*(unsigned *)arg;
}

static unsigned
eal_zones(void)
{
	unsigned n = 0;

	rte_memzone_walk(count_zone, &n);
	return n;
}

static struct inventory
look_around(void)
{
	struct rte_malloc_socket_stats heap;

	rte_malloc_get_socket_stats(0, &heap);
	return (struct inventory){
		.rx_mbufs = rte_mempool_avail_count(harness_rx_pool),
		.tx_mbufs = rte_mempool_avail_count(harness_tx_pool),
		.blocks = seam_blocks(),
		.zones = seam_zones(),
		.eal_zones = eal_zones(),
		.fds = open_fds(),
		.alarms = seam_alarms(),
		.eal_heap = heap.heap_allocsz_bytes,
		.interrupt = seam_interrupt_registered(),
	};
}

void
harness_take_stock(void)
{
	at_first = look_around();
}

void
harness_nothing_left(void)
{
	struct inventory now = look_around();

	assert_int_equal(now.rx_mbufs, at_first.rx_mbufs);
	assert_int_equal(now.tx_mbufs, at_first.tx_mbufs);
	assert_int_equal(now.blocks, at_first.blocks);
	assert_int_equal(now.zones, at_first.zones);
	assert_int_equal(now.eal_zones, at_first.eal_zones);
	assert_int_equal(now.fds, at_first.fds);
	assert_int_equal(now.alarms, at_first.alarms);
	assert_int_equal(now.eal_heap, at_first.eal_heap);
	assert_int_equal(now.interrupt, at_first.interrupt);
}

/* --- the device --------------------------------------------------------------------------------
 */

static void
zone_made(const struct rte_memzone *mz)
{
	if (current != NULL)
		device_memory_add(current->dev, mz->addr, mz->iova, mz->len);
}

static void
zone_freed(const struct rte_memzone *mz)
{
	if (current != NULL)
		device_memory_remove(current->dev, mz->addr);
}

static void
slept(void)
{
	if (current == NULL)
		return;
	if (current->turn != NULL)
		current->turn(current);
	else if (!current->deaf)
		harness_poll(current);
}

void
harness_poll(struct harness *h)
{
	device_poll(h->dev, false);
}

static void
new_device(struct harness *h, const struct harness_options *options)
{
	struct device_options of_device = {
		.features = options->features |
			    (options->legacy ? 0 : DEVICE_BIT(DEVICE_F_VERSION_1)),
		.queue_size = options->queue_size,
		.pairs = options->pairs,
	};

	*h = (struct harness){ .dev = device_new(&of_device) };
	if (h->dev == NULL)
		abort();
	pools_tell(h->dev);
	transport_wrap(h, options->legacy);
	current = h;
	if (options->prepare != NULL)
		options->prepare(h->dev);
}

static unsigned
free_device(struct harness *h)
{
	unsigned faults = device_faults(h->dev);

	device_faults_print(h->dev, stderr);
	device_free(h->dev);
	h->dev = NULL;
	current = NULL;
	return faults;
}

/* --- the port ----------------------------------------------------------------------------------
 */

static const struct rte_driver driver = { .name = "harness" };
static struct rte_device device = { .name = "harness", .driver = &driver };
static struct rte_intr_handle *intr;

static void
nothing(struct vio_port *port)
{
	(void)port;
}

/* As over PCI. */
static void
cut_off(struct vio_port *port)
{
	current->cut_off = true;
	vio_port_gone(port);
}

static int
probe(struct harness *h, const struct harness_options *options)
{
	struct vio_args args;
	struct vio_port *port;
	int ret;

	ret = vio_args_parse_pci(h->transport.name, options->devargs, &args);
	if (ret < 0)
		return ret;
	if (options->timeout_ms != 0 || options->devargs == NULL)
		args.timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : 1000;
	args.recover = options->recover;
	if (options->recover_tries != 0)
		args.recover_tries = options->recover_tries;
	h->eth = rte_eth_dev_allocate("harness");
	if (h->eth == NULL) {
		fprintf(stderr, "a test that failed has left its port: no more can be run\n");
		abort();
	}
	h->eth->device = &device;
	h->eth->data->dev_flags |= RTE_ETH_DEV_INTR_LSC;
	h->port = h->eth->data->port_id;
	port = rte_zmalloc("harness", sizeof(*port), RTE_CACHE_LINE_SIZE);
	if (port == NULL)
		abort();
	h->eth->data->dev_private = port;
	port->addr_at = offsetof(struct rte_mbuf, buf_iova);
	port->intr = intr;
	port->vectors = VECTORS;
	port->release = nothing;
	port->isolate = cut_off;
	/* No PCI function, so none with virtual functions (RSVD-09). */
	ret = vio_port_init(h->eth, &h->transport, &args, ~DEVICE_BIT(DEVICE_F_SR_IOV));
	if (ret == 0) {
		rte_eth_dev_probing_finish(h->eth);
		return 0;
	}
	vio_port_fini(port);
	rte_eth_dev_release_port(h->eth);
	return ret;
}

bool
harness_started(const struct harness *h)
{
	return h->open && h->eth->data->dev_started;
}

int
harness_open(struct harness *h, const struct harness_options *options)
{
	int ret;

	new_device(h, options);
	ret = probe(h, options);
	h->open = ret == 0;
	if (ret == 0)
		return 0;
	assert_int_equal(free_device(h), 0);
	harness_nothing_left();
	return ret;
}

int
harness_setup(struct harness *h, uint16_t rx, uint16_t tx, uint16_t size,
	      const struct rte_eth_conf *conf)
{
	static const struct rte_eth_conf usual;
	int ret = rte_eth_dev_configure(h->port, rx, tx, conf != NULL ? conf : &usual);

	for (uint16_t i = 0; i < rx && ret == 0; i++)
		ret = rte_eth_rx_queue_setup(h->port, i, size, SOCKET_ID_ANY, NULL,
					     harness_rx_pool);
	for (uint16_t i = 0; i < tx && ret == 0; i++)
		ret = rte_eth_tx_queue_setup(h->port, i, size, SOCKET_ID_ANY, NULL);
	return ret;
}

int
harness_close(struct harness *h)
{
	int ret = 0;

	device_honest(h->dev);
	h->turn = h->on_call = NULL;
	h->deaf = false;
	if (h->open) {
		if (harness_started(h))
			rte_eth_dev_stop(h->port);
		ret = rte_eth_dev_close(h->port);
	}
	h->open = false;
	assert_int_equal(free_device(h), 0);
	harness_nothing_left();
	return ret;
}

/* --- frames ------------------------------------------------------------------------------------
 */

static void
make_frame(uint8_t *frame, uint16_t len, unsigned number)
{
	for (uint16_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 31 + number);
}

static bool
receive_one(struct harness *h, uint16_t queue, const uint8_t *frame, uint16_t len)
{
	struct rte_mbuf *mbuf = NULL;
	uint8_t flat[UINT16_MAX];
	bool same;

	if (device_receive_packet(h->dev, queue, NULL, frame, len) == 0 ||
	    rte_eth_rx_burst(h->port, queue, &mbuf, 1) == 0)
		return false;
	same = mbuf->pkt_len == len &&
	       memcmp(rte_pktmbuf_read(mbuf, 0, len, flat), frame, len) == 0;
	rte_pktmbuf_free(mbuf);
	return same;
}

static bool
send_one(struct harness *h, uint16_t queue, const uint8_t *frame, uint16_t len)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);
	struct device_packet *packet;
	bool same;

	if (mbuf == NULL)
		abort();
	memcpy(rte_pktmbuf_append(mbuf, len), frame, len);
	if (rte_eth_tx_burst(h->port, queue, &mbuf, 1) == 0) {
		rte_pktmbuf_free(mbuf);
		return false;
	}
	harness_poll(h);
	packet = device_next_packet(h->dev, queue);
	same = packet != NULL && packet->len == len && memcmp(packet->data, frame, len) == 0;
	free(packet);
	return same;
}

unsigned
harness_pass(struct harness *h, unsigned n, uint16_t len)
{
	uint8_t frame[HARNESS_ROOM];
	unsigned wrong = 0;

	if (len > sizeof(frame))
		abort(); /* one mbuf on the way out */
	for (unsigned i = 0; i < n; i++) {
		make_frame(frame, len, i);
		for (uint16_t q = 0; q < h->eth->data->nb_rx_queues; q++)
			wrong += !receive_one(h, q, frame, len);
		for (uint16_t q = 0; q < h->eth->data->nb_tx_queues; q++)
			wrong += !send_one(h, q, frame, len);
	}
	return wrong;
}

/* --- once a program ----------------------------------------------------------------------------
 */

static void
start_eal(void)
{
	static char program[] = "harness --no-huge --no-pci --no-shconf --no-telemetry "
				"-m 64 -l 0";
	char *args[16];
	int n = 0;

	for (char *word = strtok(program, " "); word != NULL; word = strtok(NULL, " "))
		args[n++] = word;
	if (rte_eal_init(n, args) < 0) {
		fprintf(stderr, "EAL does not start\n");
		exit(1);
	}
	intr = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	if (intr == NULL || rte_intr_type_set(intr, RTE_INTR_HANDLE_VFIO_MSIX) != 0)
		abort();
}

/* Whatever ethdev allocates once is there before anything is counted. */
static int
first_port(void **state)
{
	struct harness h;

	(void)state;
	at_first = look_around();
	if (harness_open(&h, &(struct harness_options){ .features = 0 }) != 0)
		abort();
	rte_eth_dev_close(h.port);
	free_device(&h);
	harness_take_stock();
	return 0;
}

int
harness_main(const char *name, const struct CMUnitTest *tests, size_t n)
{
	int failed;

	start_eal();
	log_keep();
	pools_make();
	seam_zone_made = zone_made;
	seam_zone_freed = zone_freed;
	seam_slept = slept;
	failed = _cmocka_run_group_tests(name, tests, n, first_port, NULL);
	rte_mempool_free(harness_rx_pool);
	rte_mempool_free(harness_tx_pool);
	rte_intr_instance_free(intr);
	rte_eal_cleanup();
	return failed == 0 ? 0 : 1;
}
