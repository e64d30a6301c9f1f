/* SPDX-License-Identifier: BSD-3-Clause */
/* Which features a driver may accept (spec 2.2, 5.1.3.1, 6). */
#include "internal.h"

struct dependence {
	const char *rule;
	enum device_feature feature;
	uint64_t all_of, any_of;
};

#define B(name) DEVICE_BIT(DEVICE_F_##name)

static const struct dependence dependences[] = {
	{ "NET-FEAT-01", DEVICE_F_GUEST_TSO4, B(GUEST_CSUM), 0 },
	{ "NET-FEAT-02", DEVICE_F_GUEST_TSO6, B(GUEST_CSUM), 0 },
	{ "NET-FEAT-03", DEVICE_F_GUEST_ECN, 0, B(GUEST_TSO4) | B(GUEST_TSO6) },
	{ "NET-FEAT-04", DEVICE_F_GUEST_UFO, B(GUEST_CSUM), 0 },
	{ "NET-FEAT-05", DEVICE_F_GUEST_USO4, B(GUEST_CSUM), 0 },
	{ "NET-FEAT-06", DEVICE_F_GUEST_USO6, B(GUEST_CSUM), 0 },
	{ "NET-FEAT-09", DEVICE_F_HOST_TSO4, B(CSUM), 0 },
	{ "NET-FEAT-10", DEVICE_F_HOST_TSO6, B(CSUM), 0 },
	{ "NET-FEAT-11", DEVICE_F_HOST_ECN, 0, B(HOST_TSO4) | B(HOST_TSO6) },
	{ "NET-FEAT-12", DEVICE_F_HOST_UFO, B(CSUM), 0 },
	{ "NET-FEAT-13", DEVICE_F_HOST_USO, B(CSUM), 0 },
	{ "NET-FEAT-16", DEVICE_F_CTRL_RX, B(CTRL_VQ), 0 },
	{ "NET-FEAT-17", DEVICE_F_CTRL_VLAN, B(CTRL_VQ), 0 },
	{ "NET-FEAT-18", DEVICE_F_GUEST_ANNOUNCE, B(CTRL_VQ), 0 },
	{ "NET-FEAT-19", DEVICE_F_MQ, B(CTRL_VQ), 0 },
	{ "NET-FEAT-20", DEVICE_F_CTRL_MAC_ADDR, B(CTRL_VQ), 0 },
	{ "NET-FEAT-21", DEVICE_F_NOTF_COAL, B(CTRL_VQ), 0 },
	{ "NET-FEAT-22", DEVICE_F_RSC_EXT, 0, B(HOST_TSO4) | B(HOST_TSO6) },
	{ "NET-FEAT-23", DEVICE_F_RSS, B(CTRL_VQ), 0 },
	{ "NET-FEAT-24", DEVICE_F_VQ_NOTF_COAL, B(CTRL_VQ), 0 },
	{ "NET-FEAT-25", DEVICE_F_HASH_TUNNEL, B(CTRL_VQ), B(RSS) | B(HASH_REPORT) },
	{ "NET-CFG-14", DEVICE_F_HASH_REPORT, B(CTRL_VQ), 0 },
	{ "NET-CFG-15", DEVICE_F_CTRL_RX_EXTRA, B(CTRL_VQ), 0 },
};

void
features_check(struct device *dev, uint64_t features)
{
	uint64_t offered = dev->options.features, alien = features & ~offered;

	/* A device that changes its mind is answered rightly by either of its answers. */
	if (alien != 0 && !lie_on(dev, -1, DEVICE_LIE_FEATURES_CHANGE, NULL))
		fault(dev, -1, "FEAT-01", "accepted 0x%jx, which was not offered",
		      (uintmax_t)alien);
	if (offered & ~features & B(VERSION_1))
		fault(dev, -1, "RSVD-01", "VERSION_1 was offered and not accepted");
	if (features & B(SR_IOV) && !dev->options.virtual_functions)
		fault(dev, -1, "RSVD-09", "SR_IOV accepted without virtual functions");
	if (features & B(ADMIN_VQ))
		fault(dev, -1, "RSVD-17", "ADMIN_VQ accepted without PCI");
	for (size_t i = 0; i < sizeof(dependences) / sizeof(dependences[0]); i++) {
		const struct dependence *d = &dependences[i];

		if (!(features & DEVICE_BIT(d->feature)))
			continue;
		if ((features & d->all_of) != d->all_of || (d->any_of && !(features & d->any_of)))
			fault(dev, -1, d->rule, "feature %d accepted without what it needs",
			      d->feature);
	}
}

bool
has_feature(const struct device *dev, enum device_feature feature)
{
	return (dev->driver_features & DEVICE_BIT(feature)) != 0;
}
