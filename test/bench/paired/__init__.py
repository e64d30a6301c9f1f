# SPDX-License-Identifier: BSD-3-Clause
"""Two drivers, measured in one run and by turns."""
