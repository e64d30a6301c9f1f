/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What only a live device can be told. A reset makes it forget all of that, so it is told anew
 * after each, from what ethdev and the port remember.
 */
#include "coalesce.h"
#include "device_stats.h"
#include "filter.h"
#include "lro.h"
#include "port.h"
#include "rss.h"

static int
restore_all(struct vio_port *port)
{
	int ret = vio_rss_restore(port);

	if (ret == 0)
		ret = vio_lro_restore(port);
	if (ret == 0)
		ret = vio_filter_restore(port);
	if (ret == 0)
		ret = vio_vlan_restore(port);
	if (ret == 0)
		ret = vio_coalesce_restore(port);
	if (ret == 0)
		ret = vio_device_stats_restore(port);
	return ret;
}

int
vio_restore(struct vio_port *port)
{
	int ret;

	vio_ctrl_begin_many(port);
	ret = restore_all(port);
	vio_ctrl_end_many(port);
	return ret;
}
