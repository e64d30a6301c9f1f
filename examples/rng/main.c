/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rng: random bytes from a virtio-rng device on PCI, without DPDK: the ring library
 * (lib/virtqueue), the device library (lib/virtio), and VFIO.
 *
 *     vio-bind 0000:00:1c.0 vfio-pci
 *     rng 0000:00:1c.0 32
 *
 * prints 32 random bytes in hexadecimal. An entropy device (spec 5.4) fills its queue's buffers.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "virtio/device.h"
#include "virtio/features.h"
#include "virtio/pci_modern.h"
#include "virtqueue/virtqueue.h"

#define SIZE       8 /* descriptors */
#define MEMORY     0x10000
#define DATA_AT    0x8000 /* in the memory that the device reaches */
#define DATA_MAX   4096
#define IOVA       UINT64_C(0x100000)
#define PATIENCE_S 5

struct function {
	int fd;          /* VFIO's, of the PCI function */
	uint64_t config; /* where its configuration space is in fd */
	uint8_t *memory; /* MEMORY bytes, which the device finds at IOVA */
};

static _Noreturn void
fail(const char *what, int error)
{
	fprintf(stderr, "rng: %s: %s\n", what, strerror(error));
	exit(1);
}

static int
check(const char *what, int ret)
{
	return ret < 0 ? fail(what, ret == -1 ? errno : -ret), ret : ret;
}

static int
read_config(void *ctx, uint32_t offset, void *buf, uint32_t len)
{
	const struct function *f = ctx;

	return pread(f->fd, buf, len, (off_t)(f->config + offset)) == (ssize_t)len ? 0 : -EIO;
}

static int
find_bar(void *ctx, unsigned bar, void **addr, uint64_t *len)
{
	struct function *f = ctx;
	struct vfio_region_info info = { .argsz = sizeof(info), .index = bar };

	if (ioctl(f->fd, VFIO_DEVICE_GET_REGION_INFO, &info) < 0 ||
	    !(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return -ENOENT;
	*addr = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd,
		     (off_t)info.offset);
	*len = info.size;
	return *addr != MAP_FAILED ? 0 : -ENOENT;
}

static const struct vio_pci_access pci_access = { .read_config = read_config, .bar = find_bar };

/* The container with the function's IOMMU group in it. */
static int
open_container(const char *address, int *group)
{
	char path[64], link[256] = { 0 };
	int container = check("/dev/vfio/vfio", open("/dev/vfio/vfio", O_RDWR));

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
	check(path, (int)readlink(path, link, sizeof(link) - 1));
	snprintf(path, sizeof(path), "/dev/vfio/%d", atoi(strrchr(link, '/') + 1));
	*group = check(path, open(path, O_RDWR));
	check("VFIO_GROUP_SET_CONTAINER", ioctl(*group, VFIO_GROUP_SET_CONTAINER, &container));
	check("VFIO_SET_IOMMU", ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	return container;
}

/* Memory that the IOMMU shows the device, and leave to use it (PCI's memory space and bus master).
 */
static void
open_function(struct function *f, const char *address)
{
	struct vfio_region_info config = { .argsz = sizeof(config),
					   .index = VFIO_PCI_CONFIG_REGION_INDEX };
	struct vfio_iommu_type1_dma_map map = { .argsz = sizeof(map),
						.iova = IOVA,
						.size = MEMORY };
	int group, container = open_container(address, &group);
	uint16_t command;

	f->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check("mmap", f->memory == MAP_FAILED ? -1 : 0);
	map.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	map.vaddr = (uintptr_t)f->memory;
	check("VFIO_IOMMU_MAP_DMA", ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
	f->fd = check("VFIO_GROUP_GET_DEVICE_FD", ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address));
	check("configuration", ioctl(f->fd, VFIO_DEVICE_GET_REGION_INFO, &config));
	f->config = config.offset;
	check("configuration", read_config(f, 4, &command, sizeof(command)));
	command |= htole16(2 | 4);
	check("configuration",
	      (int)pwrite(f->fd, &command, sizeof(command), (off_t)config.offset + 4));
}

/* A queue in the function's memory, given to the device. */
static struct vq *
open_queue(struct function *f, struct vio_device *device, struct vio_notifier *bell)
{
	struct vio_transport *t = device->transport;
	bool packed = vio_has(device->features, VIRTIO_F_RING_PACKED);
	struct vq_params params = {
		.size = SIZE, .flags = packed ? VQ_PACKED : 0, .ring = f->memory, .ring_iova = IOVA
	};
	struct vio_queue_conf conf = { .size = SIZE, .vector = VIO_NO_VECTOR };
	struct vq_areas areas;
	struct vq *vq;

	params.state = aligned_alloc(VQ_ALIGN, vq_state_bytes(SIZE));
	if (params.state == NULL || (vq = vq_init(&params)) == NULL)
		fail("vq_init", ENOMEM);
	vq_get_areas(vq, &areas);
	conf.desc_iova = areas.desc_iova;
	conf.driver_iova = areas.driver_iova;
	conf.device_iova = areas.device_iova;
	check("queue_setup", t->ops->queue_setup(t, 0, &conf, bell));
	return vq;
}

/* One buffer goes to the device and comes back with up to len random bytes; returns how many. */
static uint32_t
fetch(struct vq *vq, const struct vio_notifier *bell, uint32_t len)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct vq_sg sg = { .iova = IOVA + DATA_AT, .len = len };
	void *cookie;

	if (vq_add(vq, &sg, 0, 1, vq) < 0)
		fail("vq_add", ENOSPC);
	vq_publish(vq);
	if (vq_kick_prepare(vq))
		bell->kick(bell, vq_notify_data(vq));
	for (unsigned ms = 0; ms < 1000 * PATIENCE_S; ms++) {
		if (vq_get(vq, &cookie, &len, 1) == 1)
			return len != VQ_LENGTH_LIE ? len : 0;
		nanosleep(&pause, NULL);
	}
	fail(vq_error_text(vq_error(vq)), ETIMEDOUT);
}

int
main(int argc, char **argv)
{
	uint64_t wanted = VIO_BIT(VIRTIO_F_ACCESS_PLATFORM) | VIO_BIT(VIRTIO_F_RING_PACKED);
	long left = argc == 3 ? atol(argv[2]) : 0;
	struct function f = { 0 };
	struct vio_device device;
	struct vio_transport *t;
	struct vio_notifier bell;
	struct vq *vq;

	if (left <= 0)
		fail("usage: rng PCI-ADDRESS BYTES", EINVAL);
	open_function(&f, argv[1]);
	check("vio_pci_modern_open", vio_pci_modern_open(&pci_access, &f, argv[1], &t));
	vio_device_init(&device, t);
	if (vio_device_begin(&device) < 0 || vio_device_negotiate(&device, wanted) < 0)
		fail("the device cannot be driven", EIO);
	vq = open_queue(&f, &device, &bell);
	check("vio_device_go", vio_device_go(&device));
	while (left > 0) {
		uint32_t n = fetch(vq, &bell, left < DATA_MAX ? (uint32_t)left : DATA_MAX);

		check("the device leaves its buffer empty", n > 0 ? 0 : -EPROTO);
		for (uint32_t i = 0; i < n; i++)
			printf("%02x", f.memory[DATA_AT + i]);
		left -= n;
	}
	printf("\n");
	vio_device_reset(&device);
	t->ops->close(t);
	return 0;
}
